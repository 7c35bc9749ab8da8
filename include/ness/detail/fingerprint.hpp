// A number that tells numbers from others.
#pragma once

#include <Eigen/Core>
#include <bit>
#include <cstdint>

namespace ness::detail {

/// The 64-bit hash FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo and others, RFC 9923) of numbers as
/// doubles, the same on every machine for the same bits. It does not protect against intent.
class Fingerprint {
 public:
  /// Cost: 8 multiplications.
  void add(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);  // −0 counts as 0
    for (int shift = 0; shift < 64; shift += 8)
      hash_ = (hash_ ^ ((bits >> shift) & 0xFF)) * 0x100000001B3;
  }
  /// Column by column.
  template <class Derived>
  void add(const Eigen::DenseBase<Derived>& values) {
    for (Eigen::Index j = 0; j < values.cols(); ++j)
      for (Eigen::Index i = 0; i < values.rows(); ++i)
        add(static_cast<double>(values.derived().coeff(i, j)));
  }

  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace ness::detail
