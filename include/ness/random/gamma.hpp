// Gamma numbers (G. Marsaglia and W. W. Tsang, ACM TOMS 26, 2000, doi:10.1145/358407.358414), the
// same with every standard library.
#pragma once

#include <cmath>

#include "ness/random/normal.hpp"
#include "ness/random/uniform.hpp"

namespace ness {

/// A source of independent numbers of density x^{α−1} e^{−x} / Γ(α).
///
/// Precondition: the shape α is positive. Very small shapes give numbers that are 0 to rounding.
/// Cost: a normal and a uniform number, and one more in 20 at most; below α = 1 two uniform ones.
class Gamma {
 public:
  /// A number of this shape and scale 1.
  template <RandomBits Random>
  double operator()(Random& random, double shape) {
    if (shape < 1) return (*this)(random, shape + 1) * std::pow(uniform_real(random), 1 / shape);
    const double d = shape - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double z = normal_(random);
      const double root = 1 + c * z;
      if (root <= 0) continue;
      const double v = root * root * root;
      if (std::log(uniform_real(random)) < z * z / 2 + d * (1 - v + std::log(v))) return d * v;
    }
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(normal_);
  }

 private:
  Normal normal_;
};

}  // namespace ness
