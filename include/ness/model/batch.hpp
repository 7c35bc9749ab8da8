// Numbers of samples, and the samples of a minibatch.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>

namespace ness {

using Index = Eigen::Index;

/// The samples of one minibatch: distinct numbers in 0 ... M − 1.
using Batch = std::span<const std::uint32_t>;

}  // namespace ness
