// Numbers of samples, and the samples of a minibatch.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ness {

using Index = Eigen::Index;

/// The samples of one minibatch, numbers in 0 ... M − 1, and what each of them weighs: the gradient
/// of a batch is weight() · Σ_k ∇ℓ_{batch[k]}. A sample that is there twice counts twice.
///
/// It refers to the numbers, so keep them.
class Batch {
 public:
  constexpr Batch() = default;
  /// The mean over the samples: each weighs 1/m. That of no samples is 0.
  constexpr Batch(std::span<const std::uint32_t> samples)  // NOLINT: a batch is its samples
      : Batch(samples, samples.empty() ? 0 : 1 / static_cast<double>(samples.size())) {}
  /// With what each of them weighs.
  constexpr Batch(std::span<const std::uint32_t> samples, double weight)
      : samples_(samples), weight_(weight) {}
  /// The mean over `size` of them.
  constexpr Batch(const std::uint32_t* samples, std::size_t size)
      : Batch(std::span(samples, size)) {}
  /// The mean over the samples.
  Batch(const std::vector<std::uint32_t>& samples)  // NOLINT
      : Batch(std::span<const std::uint32_t>(samples)) {}
  /// The mean over the samples.
  template <std::size_t size>
  constexpr Batch(const std::array<std::uint32_t, size>& samples)  // NOLINT
      : Batch(std::span<const std::uint32_t>(samples)) {}

  /// What each of them weighs.
  constexpr double weight() const { return weight_; }
  constexpr std::size_t size() const { return samples_.size(); }
  constexpr bool empty() const { return samples_.empty(); }
  constexpr const std::uint32_t* data() const { return samples_.data(); }
  constexpr std::uint32_t operator[](std::size_t k) const { return samples_[k]; }
  constexpr auto begin() const { return samples_.begin(); }
  constexpr auto end() const { return samples_.end(); }

 private:
  std::span<const std::uint32_t> samples_;
  double weight_ = 0;
};

/// Samples that do not all weigh the same: batches whose gradients add up. It is no `Batch`, so
/// that no model takes it for one: `Derivatives::batch_gradient` asks for part after part.
///
/// It refers to the parts, so keep them.
class BatchInParts {
 public:
  /// Of parts whose gradients add up.
  constexpr explicit BatchInParts(std::span<const Batch> parts) : parts_(parts) {}
  constexpr std::size_t size() const { return parts_.size(); }
  constexpr const Batch& operator[](std::size_t k) const { return parts_[k]; }
  constexpr auto begin() const { return parts_.begin(); }
  constexpr auto end() const { return parts_.end(); }

 private:
  std::span<const Batch> parts_;
};

}  // namespace ness
