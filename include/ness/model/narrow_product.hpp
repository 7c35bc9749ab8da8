// The gradient of a linear model on a minibatch, fused, for few outputs.
//
// A general matrix product copies its operands into packed form first, which for a matrix of ten
// rows costs as much as the product. Here the outputs, padded to whole vectors, stay in registers.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <type_traits>
#include <utility>

namespace ness::detail {

using Index = Eigen::Index;

/// All lanes of the machine's vectors.
template <class S>
struct FullPacket {
  using type = typename Eigen::internal::packet_traits<S>::type;
};
/// Half of them, where there is such a vector.
template <class S>
struct HalfPacket {
  using type = typename Eigen::internal::packet_traits<S>::half;
};

/// Both products for outputs padded to `Packets` vectors.
template <class S, template <class> class PacketOf, int Packets>
class NarrowProduct {
 public:
  using Data = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
  static constexpr Index lanes = sizeof(typename PacketOf<S>::type) / sizeof(S);
  static constexpr Index width = Packets * lanes;

  /// residuals.col(s) += weights · features.col(s)
  static void add_outputs(const Data& weights, const Data& features, Data& residuals) {
    for_rows(features.cols(),
             [&]<int Rows>(Index s) { add_outputs_of<Rows>(weights, features, s, residuals); });
  }

  /// gradient.col(f) = Σ_s features(f, s) · residuals.col(s)
  static void sum_gradient(const Data& features, const Data& residuals, Data& gradient) {
    for_rows(features.rows(),
             [&]<int Rows>(Index f) { sum_gradient_of<Rows>(features, residuals, f, gradient); });
  }

 private:
  // As many rows at a time as leave registers for one more row and a number.
  static constexpr int rows =
      std::clamp((int{EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS} - Packets - 1) / Packets, 1, 8);

  template <class Work>
  static void for_rows(Index count, const Work& work) {
    Index first = 0;
    for (; first + rows <= count; first += rows) work.template operator()<rows>(first);
    constexpr int half = std::max(1, rows / 2);
    for (; first + half <= count; first += half) work.template operator()<half>(first);
    for (; first < count; ++first) work.template operator()<1>(first);
  }

  template <int Rows>
  EIGEN_DONT_INLINE static void add_outputs_of(const Data& weights, const Data& features,
                                               Index first, Data& residuals) {
    using Packet = typename PacketOf<S>::type;
    namespace simd = Eigen::internal;
    const Index stride = features.rows();
    const S* const x = features.col(first).data();
    S* const out = residuals.col(first).data();
    Packet sum[Rows * Packets];
    unroll<Rows * Packets>([&](auto k) { sum[k] = simd::ploadu<Packet>(out + k * lanes); });
    const S* weight = weights.data();
    for (Index f = 0; f < stride; ++f, weight += width) {
      Packet w[Packets];
      unroll<Packets>([&](auto p) { w[p] = simd::ploadu<Packet>(weight + p * lanes); });
      unroll<Rows>([&](auto s) {
        const Packet value = simd::pset1<Packet>(x[s * stride + f]);
        unroll<Packets>(
            [&](auto p) { sum[s * Packets + p] = simd::pmadd(value, w[p], sum[s * Packets + p]); });
      });
    }
    unroll<Rows * Packets>([&](auto k) { simd::pstoreu(out + k * lanes, sum[k]); });
  }

  template <int Rows>
  EIGEN_DONT_INLINE static void sum_gradient_of(const Data& features, const Data& residuals,
                                                Index first, Data& gradient) {
    using Packet = typename PacketOf<S>::type;
    namespace simd = Eigen::internal;
    Packet sum[Rows * Packets];
    unroll<Rows * Packets>([&](auto k) { sum[k] = simd::pset1<Packet>(S(0)); });
    const S* x = features.data() + first;
    const S* residual = residuals.data();
    for (Index s = 0; s < features.cols(); ++s, x += features.rows(), residual += width) {
      Packet r[Packets];
      unroll<Packets>([&](auto p) { r[p] = simd::ploadu<Packet>(residual + p * lanes); });
      unroll<Rows>([&](auto f) {
        const Packet value = simd::pset1<Packet>(x[f]);
        unroll<Packets>(
            [&](auto p) { sum[f * Packets + p] = simd::pmadd(value, r[p], sum[f * Packets + p]); });
      });
    }
    S* const out = gradient.col(first).data();
    unroll<Rows * Packets>([&](auto k) { simd::pstoreu(out + k * lanes, sum[k]); });
  }

  // work(0) ... work(Count − 1) with numbers known to the compiler, or else it would keep the
  // vectors in memory.
  template <int Count, class Work>
  static void unroll(const Work& work) {
    [&]<int... K>(std::integer_sequence<int, K...>) {
      (work(std::integral_constant<int, K>{}), ...);
    }(std::make_integer_sequence<int, Count>{});
  }
};

/// Calls `work.template operator()<Product>()` with the narrowest product that holds `outputs`
/// outputs, and says whether there is one.
template <class S, class Work>
bool with_narrow_product(Index outputs, const Work& work) {
  const auto offer = [&]<class Product>() {
    if (outputs > Product::width) return false;
    work.template operator()<Product>();
    return true;
  };
  return offer.template operator()<NarrowProduct<S, FullPacket, 1>>() ||
         offer.template operator()<NarrowProduct<S, HalfPacket, 3>>() ||
         offer.template operator()<NarrowProduct<S, FullPacket, 2>>() ||
         offer.template operator()<NarrowProduct<S, FullPacket, 3>>();
}

/// The padded number of outputs; the number itself where no narrow product holds them.
template <class S>
Index narrow_width(Index outputs) {
  Index width = outputs;
  with_narrow_product<S>(outputs, [&]<class Product>() { width = Product::width; });
  return width;
}

}  // namespace ness::detail
