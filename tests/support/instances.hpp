// What is slow to compile is instantiated once for all test programs.
#pragma once

#include "ness/detail/symmetric_eigen.hpp"

extern template bool ness::detail::symmetric_eigen<double>(ness::detail::DynamicVector<double>&,
                                                           ness::detail::DynamicMatrix<double>&);
extern template bool ness::detail::solve_positive_definite<double>(
    const ness::detail::DynamicMatrix<double>&, ness::detail::DynamicVector<double>&);
