// What a hidden unit does to its input z. An activation has `value(z)`, generic over its scalar,
// and its first two derivatives, `slope(z, a)` and `curvature(z, a)`, where a = value(z).
#pragma once

#include <cmath>
#include <concepts>

#include "ness/detail/vector_math.hpp"

namespace ness {

/// tanh z
struct Tanh {
  /// Also of `detail::DoubleLanes`, the same whatever stands in other lanes.
  static constexpr bool in_lanes = true;
  /// tanh in each lane.
  detail::DoubleLanes value(const detail::DoubleLanes& z) const { return detail::tanh(z); }
  /// 1 − a² in each.
  detail::DoubleLanes slope(const detail::DoubleLanes&, const detail::DoubleLanes& a) const {
    return detail::multiply_add(-a, a, detail::DoubleLanes{} + 1.0);
  }

  template <class Scalar>
  Scalar value(const Scalar& z) const {
    using std::tanh;
    if constexpr (std::floating_point<Scalar>)
      return static_cast<Scalar>(detail::tanh(z));  // becomes vector instructions in a loop
    else
      return tanh(z);
  }
  template <class Scalar>
  Scalar slope(Scalar, Scalar a) const {
    return 1 - a * a;
  }
  template <class Scalar>
  Scalar curvature(Scalar, Scalar a) const {
    return -2 * a * (1 - a * a);
  }
};

/// 1 / (1 + e^{−z})
struct Sigmoid {
  template <class Scalar>
  Scalar value(const Scalar& z) const {
    return Scalar(0.5) + Scalar(0.5) * Tanh{}.value(Scalar(Scalar(0.5) * z));
  }
  template <class Scalar>
  Scalar slope(Scalar, Scalar a) const {
    return a * (1 - a);
  }
  template <class Scalar>
  Scalar curvature(Scalar, Scalar a) const {
    return a * (1 - a) * (1 - 2 * a);
  }
};

/// log(1 + e^z), written so that neither end overflows.
struct Softplus {
  template <class Scalar>
  Scalar value(const Scalar& z) const {
    using std::exp, std::log1p;
    return z > 0 ? Scalar(z + log1p(exp(-z))) : Scalar(log1p(exp(z)));
  }
  template <class Scalar>
  Scalar slope(Scalar z, Scalar) const {
    return Sigmoid{}.value(z);
  }
  template <class Scalar>
  Scalar curvature(Scalar z, Scalar a) const {
    return Sigmoid{}.slope(z, slope(z, a));
  }
};

/// max(z, 0). Its curvature is 0 wherever it has one: minima on a kink have no Gaussian theory.
struct Relu {
  template <class Scalar>
  Scalar value(const Scalar& z) const {
    return z > 0 ? z : Scalar(0);
  }
  template <class Scalar>
  Scalar slope(Scalar z, Scalar) const {
    return z > 0 ? Scalar(1) : Scalar(0);
  }
  template <class Scalar>
  Scalar curvature(Scalar, Scalar) const {
    return Scalar(0);
  }
};

/// z: a layer that is linear.
struct Identity {
  template <class Scalar>
  Scalar value(const Scalar& z) const {
    return z;
  }
  template <class Scalar>
  Scalar slope(Scalar, Scalar) const {
    return Scalar(1);
  }
  template <class Scalar>
  Scalar curvature(Scalar, Scalar) const {
    return Scalar(0);
  }
};

}  // namespace ness
