// The earthquake model (Sec. 4.5): gradient descent on ground that shakes.
#pragma once

#include "ness/minibatch/full_batch.hpp"
#include "ness/random/normal.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// The gradient is taken at θ + ζz, z ~ N(0, I), drawn anew for each update (Eq. 31).
struct Earthquake {
  double zeta = 0;  ///< ζ

  /// Throws `std::invalid_argument` unless ζ > 0.
  void check(std::string_view function) const {
    detail::require_positive(zeta, function, "noise.zeta");
  }
  std::string description() const {
    return "gradients at points shaken by zeta = " + detail::in_words(zeta);
  }
  /// ζ²
  double evaluation_variance() const { return zeta * zeta; }

  /// The state of one run.
  template <class Vector>
  class Source {
   public:
    Source(const Earthquake& noise, const ChainShape& chain)
        : zeta_(noise.zeta), at_(chain.parameters) {}
    template <class Random>
    const Vector& evaluation_point(const Vector& theta, Random& random) {
      normal_.fill(random, at_);
      at_ = theta + static_cast<typename Vector::Scalar>(zeta_) * at_;
      return at_;
    }
    /// ζ does not depend on it.
    void set_learning_rate(double) {}
    template <class Archive>
    void serialize(Archive& archive) {
      archive(normal_);
    }

   private:
    double zeta_;
    Normal normal_;
    Vector at_;
  };
};

/// θ' = θ − η∇𝓛(θ + ζz) (Eq. 31): all samples in every step, the whole noise from the ground.
///   ness::EarthquakeModel training{.learning_rate = 1e-7, .noise = {1e-4}};
using EarthquakeModel = Training<FullBatch, Plain, Earthquake>;

}  // namespace ness
