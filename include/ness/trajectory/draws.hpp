// The states themselves: draws of a sampler, or a trajectory to look at.
#pragma once

#include <cstdint>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/files/npy.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// An estimator that keeps every `stride`-th state of each chain, from the end of the burn-in on:
///
///   const auto [draws] = ness::run_chains(settings, make_chain, reference, ness::Draws(n, 1000));
///   ness::write_npy("draws.npy", draws.array());   // chains × draws × N
///
/// A stride of about the autocorrelation time loses little. Memory: N numbers for each draw.
class Draws {
 public:
  /// Throws `std::invalid_argument` for a stride below 1.
  Draws(Eigen::Index parameters, std::int64_t stride) : parameters_(parameters), stride_(stride) {
    detail::require(stride >= 1, "Draws", "stride must be at least 1", stride);
  }

  template <class S>
  void add(const TrajectoryBlock<S>& block) {
    const std::int64_t first = (stride_ - step_ % stride_) % stride_;
    for (std::int64_t k = first; k < block.steps(); k += stride_)
      for (Eigen::Index i = 0; i < parameters_; ++i)
        values_.push_back(static_cast<double>(block.reference()[i]) +
                          static_cast<double>(block.all_deviations()(k, i)));
    step_ += block.steps();
  }

  /// The chains of the other come after these.
  void merge(const Draws& other) {
    values_.reserve(values_.size() + other.values_.size());
    for (const double value : other.values_) values_.push_back(value);
    chains_ += other.chains_;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    auto count = static_cast<std::int64_t>(values_.size());
    archive(step_, chains_, count);
    archive.expect(count);
    values_.resize(static_cast<std::size_t>(count));
    archive(values_);
  }

  /// How many it has seen.
  std::int64_t chains() const { return chains_; }
  /// Of each chain.
  std::int64_t draws() const {
    return static_cast<std::int64_t>(values_.size()) / parameters_ / chains_;
  }
  /// Chains × draws × N.
  NpyArray array() const { return {{chains_, draws(), parameters_}, values_}; }

 private:
  std::int64_t parameters_, stride_;
  std::int64_t step_ = 0, chains_ = 1;
  std::vector<double> values_;
};

}  // namespace ness
