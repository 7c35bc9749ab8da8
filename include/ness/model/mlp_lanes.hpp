// The gradient of a small perceptron in the lanes of registers: a sample in each, for one chain, or
// a chain in each, for several. Both do the same arithmetic, in the same order.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "ness/detail/lanes.hpp"
#include "ness/model/batch.hpp"

namespace ness::detail {

/// Calls `work(k)` for k = 0 ... count − 1, each known to the compiler.
template <int count, class Work>
void unrolled(const Work& work) {
  [&]<int... K>(std::integer_sequence<int, K...>) {
    (work(std::integral_constant<int, K>{}), ...);
  }(std::make_integer_sequence<int, count>{});
}

/// Of static size, so small that all of its numbers stay near, with an activation in lanes and a
/// loss in which each output stands alone.
template <class Shape, class Activation, class Loss, class Scalar>
constexpr bool fits_lanes() {
  if constexpr (Shape::is_static && std::is_same_v<Scalar, double>)
    return Shape::parameters() <= 32 && requires { requires Activation::in_lanes; } &&
           requires(const Loss& loss, const DoubleLanes& x) { loss.slope(x, x); };
  else
    return false;
}

template <class Shape, class Activation, class Loss>
class MlpLanes {
 public:
  /// θ or ∇ℓ in each lane.
  static constexpr int count = Shape::parameters();
  using Parameters = std::array<DoubleLanes, std::size_t{count}>;

  /// `inputs` and `targets` one sample after the other.
  MlpLanes(const double* inputs, const double* targets, const Activation& activation,
           const Loss& loss)
      : inputs_(inputs), targets_(targets), activation_(activation), loss_(loss) {}

  /// `gradient` = weight · Σ_{i∈B} ∇ℓ_i(θ): the samples l, l + lanes, … in lane l, then the lanes
  /// by halves.
  template <class Vector>
  void of_one_chain(const Vector& theta, Batch batch, Vector& gradient) const {
    Parameters at, sums{};
    unrolled<count>([&](auto k) { at[k] = DoubleLanes{} + theta[k]; });
    const std::size_t size = batch.size();
    for (std::size_t row = 0; row < size; row += lanes) {
      const DoubleLanes counts =
          gather<DoubleLanes>([&](std::size_t j) { return row + j < size ? 1.0 : 0.0; });
      add(
          at, [&](std::size_t j) { return batch[std::min(row + j, size - 1)]; }, counts, sums);
    }
    unrolled<count>([&](auto k) { gradient[k] = sum_of_lanes(sums[k]) * batch.weight(); });
  }

  /// The same of as many chains as there are lanes at most, of batches of one size.
  template <class Vector>
  void of_chains(std::span<const Vector* const> thetas, std::span<const Batch> batches,
                 std::span<Vector* const> gradients) const {
    std::array<const double*, lanes> theta;
    std::array<const std::uint32_t*, lanes> samples;
    for (std::size_t j = 0; j < lanes; ++j) {
      const std::size_t chain = std::min(j, thetas.size() - 1);
      theta[j] = thetas[chain]->data();
      samples[j] = batches[chain].data();
    }
    Parameters at;
    unrolled<count>(
        [&](auto k) { at[k] = gather<DoubleLanes>([&](std::size_t j) { return theta[j][k]; }); });
    const Parameters sums = sum_of_rows<1>(at, samples, batches.front().size(), 0);
    std::array<std::array<double, lanes>, count> apart;
    std::memcpy(&apart, &sums, sizeof(sums));
    for (std::size_t j = 0; j < gradients.size(); ++j) {
      const double weight = batches[j].weight();
      unrolled<count>([&](auto k) { (*gradients[j])[k] = apart[k][j] * weight; });
    }
  }

 private:
  // Row `first` of all batches and those further by multiples of `stride`, in the order of the
  // sums of `of_one_chain`.
  template <std::size_t stride>
  Parameters sum_of_rows(const Parameters& theta,
                         const std::array<const std::uint32_t*, lanes>& samples, std::size_t size,
                         std::size_t first) const {
    if constexpr (stride < lanes) {
      Parameters sums = sum_of_rows<2 * stride>(theta, samples, size, first);
      const Parameters others = sum_of_rows<2 * stride>(theta, samples, size, first + stride);
      unrolled<count>([&](auto k) { sums[k] += others[k]; });
      return sums;
    } else {
      Parameters sums{};
      for (std::size_t row = first; row < size; row += lanes)
        add(
            theta, [&](std::size_t j) { return samples[j][row]; }, DoubleLanes{} + 1.0, sums);
      return sums;
    }
  }

  // sums += counts · ∇ℓ of sample `index(j)` in lane j.
  template <class IndexOf>
  void add(const Parameters& theta, const IndexOf& index, const DoubleLanes& counts,
           Parameters& sums) const {
    constexpr int inputs = Shape::width(0), outputs = Shape::width(Shape::count);
    std::array<DoubleLanes, std::size_t{Shape::units()}> a, slope, delta;
    unrolled<inputs>([&](auto k) {
      a[k] = gather<DoubleLanes>([&](std::size_t j) { return inputs_[index(j) * inputs + k]; });
    });
    Shape::upward([&](auto layer) { forward(layer, theta, a, slope); });
    constexpr int last = Shape::unit_offset(Shape::count);
    unrolled<outputs>([&](auto k) {
      const DoubleLanes y =
          gather<DoubleLanes>([&](std::size_t j) { return targets_[index(j) * outputs + k]; });
      delta[last + k] = multiply(counts, loss_.slope(a[last + k], y));
    });
    Shape::downward([&](auto layer) { backward(layer, theta, a, slope, delta, sums); });
  }

  template <class Layer, class Units>
  void forward(Layer, const Parameters& theta, Units& a, Units& slope) const {
    constexpr int in = Shape::width(Layer::value - 1), out = Shape::width(Layer::value);
    constexpr int below = Shape::unit_offset(Layer::value - 1);
    constexpr int above = Shape::unit_offset(Layer::value);
    constexpr int first = Shape::weight_offset(Layer::value);
    unrolled<out>([&](auto j) {
      DoubleLanes z = theta[first + in * out + j];
      unrolled<in>([&](auto k) { z = multiply_add(theta[first + in * j + k], a[below + k], z); });
      a[above + j] = z;
      if constexpr (Layer::value < Shape::count) {
        a[above + j] = activation_.value(z);
        slope[above + j] = activation_.slope(z, a[above + j]);
      }
    });
  }

  template <class Layer, class Units>
  void backward(Layer, const Parameters& theta, const Units& a, const Units& slope, Units& delta,
                Parameters& sums) const {
    constexpr int in = Shape::width(Layer::value - 1), out = Shape::width(Layer::value);
    constexpr int below = Shape::unit_offset(Layer::value - 1);
    constexpr int above = Shape::unit_offset(Layer::value);
    constexpr int first = Shape::weight_offset(Layer::value);
    unrolled<out>([&](auto j) {
      sums[first + in * out + j] += delta[above + j];
      unrolled<in>([&](auto k) {
        auto& sum = sums[first + in * j + k];
        sum = multiply_add(a[below + k], delta[above + j], sum);
      });
    });
    if constexpr (Layer::value > 1)
      unrolled<in>([&](auto k) {
        DoubleLanes back{};
        unrolled<out>([&](auto j) {
          back = multiply_add(theta[first + in * j + k], delta[above + j], back);
        });
        delta[below + k] = multiply(back, slope[below + k]);
      });
  }

  const double* inputs_;
  const double* targets_;
  const Activation& activation_;
  const Loss& loss_;
};

}  // namespace ness::detail
