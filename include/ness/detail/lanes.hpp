// A register of the machine as one value, with arithmetic on all its lanes at once. What is
// computed in lanes has the same bits on every machine, however many there are.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>  // all of the other takes half as long to compile as Eigen
#endif

namespace ness::detail {

#if defined(__AVX512F__)
inline constexpr std::size_t lanes = 8;
#elif defined(__AVX2__)
inline constexpr std::size_t lanes = 4;
#else
inline constexpr std::size_t lanes = 2;
#endif

using DoubleLanes [[gnu::vector_size(8 * lanes)]] = double;
using WordLanes [[gnu::vector_size(8 * lanes)]] = std::uint64_t;

/// `value(j)` in lane j.
template <class Lanes, class Value>
Lanes gather(const Value& value) {
  if constexpr (lanes == 8)
    return Lanes{value(0), value(1), value(2), value(3), value(4), value(5), value(6), value(7)};
  else if constexpr (lanes == 4)
    return Lanes{value(0), value(1), value(2), value(3)};
  else
    return Lanes{value(0), value(1)};
}

template <class Lanes, class T>
void store_lanes(const Lanes& from, T* to) {
  std::memcpy(to, &from, sizeof(Lanes));
}

/// The product, in 64 bits, of the low halves.
constexpr std::uint64_t multiply_low(std::uint64_t a, std::uint64_t b) {
  return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
}

/// The same in each lane.
inline WordLanes multiply_low(const WordLanes& a, const WordLanes& b) {
#if defined(__AVX512F__)  // masked by nothing: g++ 12 warns of the other
  return WordLanes(_mm512_maskz_mul_epu32(0xFF, __m512i(a), __m512i(b)));
#elif defined(__AVX2__)
  return WordLanes(_mm256_mul_epu32(__m256i(a), __m256i(b)));
#elif defined(__SSE2__)
  return WordLanes(_mm_mul_epu32(__m128i(a), __m128i(b)));
#else
  return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
#endif
}

/// a · b, rounded. A compiler may make one instruction of a product and a sum, which rounds once
/// and not twice; not of this.
inline DoubleLanes multiply(const DoubleLanes& a, const DoubleLanes& b) {
#if __has_builtin(__builtin_assoc_barrier)
  return __builtin_assoc_barrier(a * b);
#else
  return a * b;  // clang++ fuses within an expression alone
#endif
}

/// a · b + c, rounded once where the machine can, twice elsewhere: the same wherever it is called.
inline DoubleLanes multiply_add(const DoubleLanes& a, const DoubleLanes& b, const DoubleLanes& c) {
#if defined(__AVX512F__)
  return DoubleLanes(_mm512_fmadd_pd(__m512d(a), __m512d(b), __m512d(c)));
#elif defined(__AVX2__) && defined(__FMA__)
  return DoubleLanes(_mm256_fmadd_pd(__m256d(a), __m256d(b), __m256d(c)));
#else
  return multiply(a, b) + c;
#endif
}

/// What is in the lane `shift` further, in each.
template <std::size_t shift>
DoubleLanes rotated(const DoubleLanes& x) {
  return [&]<std::size_t... J>(std::index_sequence<J...>) {
    return DoubleLanes(__builtin_shufflevector(x, x, ((J + shift) % lanes)...));
  }(std::make_index_sequence<lanes>{});
}

/// The sum of all lanes, of halves that are added up to one.
template <std::size_t half = lanes / 2>
double sum_of_lanes(const DoubleLanes& x) {
  if constexpr (half == 0)
    return x[0];
  else
    return sum_of_lanes<half / 2>(x + rotated<half>(x));
}

inline DoubleLanes square_root(const DoubleLanes& x) {
#if defined(__AVX512F__)
  return DoubleLanes(_mm512_maskz_sqrt_pd(0xFF, __m512d(x)));
#elif defined(__AVX2__)
  return DoubleLanes(_mm256_sqrt_pd(__m256d(x)));
#elif defined(__SSE2__)
  return DoubleLanes(_mm_sqrt_pd(__m128d(x)));
#else
  return DoubleLanes{__builtin_sqrt(x[0]), __builtin_sqrt(x[1])};
#endif
}

/// An integer below 2^52 as a number.
inline DoubleLanes small_integer(const WordLanes& k) {
  constexpr std::uint64_t bits = 0x4330000000000000;  // of 2^52
  return DoubleLanes(k | bits) - 0x1p52;
}

/// Σ c_k x^{k − first} of `some` coefficients, by z², z⁴ … as `powers`: halves of a sum do not wait
/// for each other (G. Estrin, Proc. WJCC, 1960).
template <std::size_t first, std::size_t some, std::size_t count, class Powers>
[[gnu::always_inline]] inline DoubleLanes part_of_polynomial(const Powers& powers,
                                                             const std::array<double, count>& c) {
  if constexpr (some == 1) {
    return DoubleLanes{} + c[first];
  } else {
    constexpr std::size_t half = std::bit_floor(some - 1);
    return part_of_polynomial<first, half>(powers, c) +
           multiply(powers[std::bit_width(half) - 1],
                    part_of_polynomial<first + half, some - half>(powers, c));
  }
}

/// Σ c_k z^k, of 8 coefficients at most.
template <std::size_t count>
[[gnu::always_inline]] inline DoubleLanes polynomial(const DoubleLanes& z,
                                                     const std::array<double, count>& c) {
  static_assert(count <= 8);
  const DoubleLanes square = z * z;
  const std::array powers{z, square, square * square};
  return part_of_polynomial<0, count>(powers, c);
}

/// A polynomial of fewer coefficients, as near as can be on [0, end]: the highest powers go by
/// Chebyshev's polynomials, T_d(2z/end − 1) = (−1)^d ₂F₁(−d, d; ½; z/end) (C. Lanczos, Applied
/// Analysis, 1956, VII).
template <std::size_t fewer, std::size_t count>
consteval std::array<double, fewer> economized(std::array<double, count> c, double end) {
  for (std::size_t d = count - 1; d >= fewer; --d) {
    std::array<double, count> t{1};
    for (std::size_t k = 0; k < d; ++k) {
      const auto n = static_cast<double>(k), degree = static_cast<double>(d);
      t[k + 1] = t[k] * (n - degree) * (n + degree) / ((n + 0.5) * (n + 1) * end);
    }
    const double factor = c[d] / t[d];
    for (std::size_t k = 0; k < d; ++k) c[k] -= factor * t[k];
  }
  std::array<double, fewer> result{};
  for (std::size_t k = 0; k < fewer; ++k) result[k] = c[k];
  return result;
}

}  // namespace ness::detail
