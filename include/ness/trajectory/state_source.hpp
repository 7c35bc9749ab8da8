// States that are somewhere else, and may be more than memory holds.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <string_view>
#include <type_traits>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// States one after the other that can be read more than once, a block at a time: `NpyRows`, or
/// one's own. `read` is mostly asked for what follows upon the last block, and now and then for
/// the beginning.
template <class Source>
concept StateSource = requires(std::remove_reference_t<Source>& source, Eigen::Index first,
                               DynamicMatrix<double>& block) {
  { source.rows() } -> std::convertible_to<Eigen::Index>;  // states
  { source.cols() } -> std::convertible_to<Eigen::Index>;  // N
  source.read(first, block);  // sets each row of the block, states first, first + 1, …
};

/// Every k-th state of a source from the first on, for bounds at a longer lag. It refers to the
/// source. Memory: k blocks.
template <StateSource Source>
class EveryNth {
 public:
  /// Throws `std::invalid_argument` for k < 1.
  EveryNth(Source& source, Eigen::Index every) : source_(&source), every_(every) {
    detail::require(every >= 1, "EveryNth", "every must be at least 1", every);
  }

  /// States.
  Eigen::Index rows() const { return (source_->rows() + every_ - 1) / every_; }
  /// N
  Eigen::Index cols() const { return source_->cols(); }
  /// See `StateSource`.
  void read(Eigen::Index first, DynamicMatrix<double>& block) {
    if (block.rows() == 0) return;
    all_.resize((block.rows() - 1) * every_ + 1, block.cols());
    source_->read(first * every_, all_);
    for (Eigen::Index j = 0; j < block.cols(); ++j)
      for (Eigen::Index i = 0; i < block.rows(); ++i) block(i, j) = all_(i * every_, j);
  }

 private:
  Source* source_;
  Eigen::Index every_;
  DynamicMatrix<double> all_;
};

namespace detail {

/// A source, whatever it is, so that what reads it is compiled once.
template <class Scalar>
struct StateReader {
  Eigen::Index rows, cols;
  std::function<void(Eigen::Index first, DynamicMatrix<Scalar>& block)> read;

  template <StateSource Source>
  explicit StateReader(Source& source)
      : rows(source.rows()),
        cols(source.cols()),
        read([&](Eigen::Index first, auto& block) { source.read(first, block); }) {}
  /// It refers to the states.
  explicit StateReader(const DynamicMatrix<Scalar>& states)
      : rows(states.rows()), cols(states.cols()), read([&](Eigen::Index first, auto& block) {
          block = states.middleRows(first, block.rows());
        }) {}

  /// The next `count` states. Throws `std::invalid_argument` where a number is not finite.
  DynamicMatrix<Scalar> states(Eigen::Index first, Eigen::Index count,
                               std::string_view function) const {
    DynamicMatrix<Scalar> block(count, cols);
    read(first, block);
    for (Eigen::Index j = 0; j < cols; ++j)
      for (Eigen::Index i = 0; i < count; ++i)
        if (!std::isfinite(block(i, j))) [[unlikely]]
          invalid(function, "states must be finite, but element (", first + i, ", ", j, ") is ",
                  block(i, j));
    return block;
  }

  /// The mean of the first states, to take deviations from.
  DynamicVector<Scalar> reference(std::string_view function) const {
    const Eigen::Index count = std::min<Eigen::Index>(rows, 4096);
    const DynamicMatrix<Scalar> some = states(0, count, function);
    DynamicVector<Scalar> mean(cols);
    for (Eigen::Index j = 0; j < cols; ++j)
      mean[j] = some.col(j).sum() / static_cast<Scalar>(count);
    return mean;
  }
};

/// To the estimators the steps from state `first` to state `last`, each state read once.
template <class Scalar, class... Estimators>
void show_steps(const StateReader<Scalar>& source, const DynamicVector<Scalar>& reference,
                Eigen::Index first, Eigen::Index last, std::string_view function,
                Estimators&... estimators) {
  constexpr Eigen::Index most = 192;
  TrajectoryBlock<Scalar> block(reference, reference, most);
  DynamicMatrix<Scalar> rows = source.states(first, 1, function);
  for (Eigen::Index k = first; k < last; k += most) {
    const Eigen::Index steps = std::min(most, last - k);
    const DynamicMatrix<Scalar> fresh = source.states(k + 1, steps, function);
    DynamicMatrix<Scalar> deviations(steps + 1, source.cols);
    for (Eigen::Index j = 0; j < source.cols; ++j) {
      deviations(0, j) = rows(rows.rows() - 1, j) - reference[j];
      for (Eigen::Index i = 0; i < steps; ++i) deviations(i + 1, j) = fresh(i, j) - reference[j];
    }
    rows = fresh;
    block.assign(deviations);
    (estimators.add(block), ...);
  }
}

}  // namespace detail
}  // namespace ness
