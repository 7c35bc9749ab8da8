#define NESS_COMPILED  // the kernels are in linear_algebra.cpp
#include "ness/detail/matrices.hpp"
#undef NESS_COMPILED
#include "ness/detail/general_matrices.hpp"

template struct ness::detail::GeneralLyapunov<double>;
template struct ness::detail::GeneralLyapunov<float>;
