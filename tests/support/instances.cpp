#include "support/instances.hpp"

template bool ness::detail::symmetric_eigen<double>(ness::detail::DynamicVector<double>&,
                                                    ness::detail::DynamicMatrix<double>&);
template bool ness::detail::solve_positive_definite<double>(
    const ness::detail::DynamicMatrix<double>&, ness::detail::DynamicVector<double>&);
template void ness::detail::solve_general<double>(const ness::detail::DynamicMatrix<double>&,
                                                  ness::detail::DynamicVector<double>&);
template ness::detail::DynamicMatrix<double> ness::detail::divide_general<double>(
    const ness::detail::DynamicMatrix<double>&, const ness::detail::DynamicMatrix<double>&);
template struct ness::detail::GeneralLyapunov<double>;
