// Declares what linear_algebra.cpp and trajectory.cpp hold, so that no other source makes it again.
#pragma once

#define NESS_COMPILED
#include "ness/detail/general_matrices.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/statistics/estimate.hpp"
#undef NESS_COMPILED
