// What is slow to compile is instantiated once for all test programs.
#pragma once

#include "ness/detail/general_matrices.hpp"
#include "ness/detail/symmetric_eigen.hpp"

extern template bool ness::detail::symmetric_eigen<double>(ness::detail::DynamicVector<double>&,
                                                           ness::detail::DynamicMatrix<double>&);
extern template bool ness::detail::solve_positive_definite<double>(
    const ness::detail::DynamicMatrix<double>&, ness::detail::DynamicVector<double>&);
extern template void ness::detail::solve_general<double>(const ness::detail::DynamicMatrix<double>&,
                                                         ness::detail::DynamicVector<double>&);
extern template ness::detail::DynamicMatrix<double> ness::detail::divide_general<double>(
    const ness::detail::DynamicMatrix<double>&, const ness::detail::DynamicMatrix<double>&);
extern template struct ness::detail::GeneralLyapunov<double>;
