// Messages for bad input: function, argument, rule and the value that broke it.
#pragma once

// With -ffast-math, -Ofast and -ffinite-math-only a compiler takes every number for finite, and
// leaves out what refuses one that is not.
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error \
    "ness: not a number must be told from a number: add -fno-finite-math-only after -ffast-math or -Ofast"
#endif

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ness::detail {

/// The fewest digits that read back as this number, the same in every locale.
template <std::floating_point Value>
std::string in_words(Value value) {
  const Value size = std::abs(value);
  const bool plain = size == 0 || (size >= Value(1e-4) && size < Value(1e17));
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {text.data(), end.ptr};
}

/// What a message shows of one of its parts.
template <class Part>
decltype(auto) shown(const Part& part) {
  if constexpr (std::floating_point<Part>)
    return in_words(part);
  else
    return (part);
}

/// Throws `std::invalid_argument` with the parts written one after the other.
template <class... Parts>
[[noreturn]] void invalid(std::string_view function, const Parts&... parts) {
  std::ostringstream message;
  message << "ness::" << function << ": ";
  (message << ... << shown(parts));
  throw std::invalid_argument(message.str());
}

/// Throws "ness::function: rule, but is value" unless `holds`.
template <class Value>
void require(bool holds, std::string_view function, std::string_view rule, const Value& value) {
  if (!holds) [[unlikely]]
    invalid(function, rule, ", but is ", value);
}

/// Throws unless every element is finite; names the first one that is not.
template <class Derived>
void require_finite(const Eigen::DenseBase<Derived>& values, std::string_view function,
                    std::string_view name) {
  // By elements, which compiles faster than Eigen's reductions.
  for (Eigen::Index j = 0; j < values.cols(); ++j)
    for (Eigen::Index i = 0; i < values.rows(); ++i)
      if (const auto value = static_cast<double>(values.derived().coeff(i, j));
          !std::isfinite(value)) [[unlikely]]
        invalid(function, name, " must be finite, but element (", i, ", ", j, ") is ", value);
}

/// Throws unless `values` has `rows` rows and `cols` columns.
template <class Derived>
void require_size(const Eigen::EigenBase<Derived>& values, Eigen::Index rows, Eigen::Index cols,
                  std::string_view function, std::string_view name) {
  if (values.rows() != rows || values.cols() != cols) [[unlikely]]
    invalid(function, name, " must be ", rows, " x ", cols, ", but is ", values.rows(), " x ",
            values.cols());
}

/// Throws unless `values` has an element.
template <class Derived>
void require_not_empty(const Eigen::EigenBase<Derived>& values, std::string_view function,
                       std::string_view name) {
  if (values.size() == 0) [[unlikely]]
    invalid(function, name, " must not be empty, but is ", values.rows(), " x ", values.cols());
}

/// Throws unless a square matrix is symmetric, to what differences leave of a Hessian; names the
/// first element that is not that of the transpose. An element is judged against √|A_iiA_jj|, so
/// that the units of the coordinates do not matter, or its own size where that is larger.
template <class Derived>
void require_symmetric(const Eigen::MatrixBase<Derived>& matrix, std::string_view function,
                       std::string_view name) {
  using Scalar = typename Derived::Scalar;
  const auto is_symmetric = [&](Eigen::Index i, Eigen::Index j) {
    const Scalar a = matrix(i, j), b = matrix(j, i);
    const Scalar units = std::sqrt(std::abs(matrix(i, i))) * std::sqrt(std::abs(matrix(j, j)));
    return std::abs(a - b) <= Scalar(1e-4) * std::max({units, std::abs(a), std::abs(b)});
  };
  for (Eigen::Index j = 0; j < matrix.cols(); ++j)
    for (Eigen::Index i = j + 1; i < matrix.rows(); ++i)
      if (!is_symmetric(i, j)) [[unlikely]]
        invalid(function, name, " must be symmetric, but element (", i, ", ", j, ") is ",
                matrix(i, j), " and (", j, ", ", i, ") is ", matrix(j, i));
}

/// Throws unless `value` is positive and finite.
inline void require_positive(double value, std::string_view function, std::string_view name) {
  if (!(value > 0) || !std::isfinite(value)) [[unlikely]]
    invalid(function, name, " must be positive and finite, but is ", value);
}

}  // namespace ness::detail
