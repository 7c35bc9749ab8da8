#include "support/instances.hpp"

template bool ness::detail::symmetric_eigen<double>(ness::detail::DynamicVector<double>&,
                                                    ness::detail::DynamicMatrix<double>&);
template bool ness::detail::solve_positive_definite<double>(
    const ness::detail::DynamicMatrix<double>&, ness::detail::DynamicVector<double>&);
