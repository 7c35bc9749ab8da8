// Updates that scale each parameter's gradient by its size so far: Adam, AdamW, RMSProp (not in the
// paper).
#pragma once

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

#include "ness/update/update.hpp"

namespace ness {

/// m' = β₁m + (1 − β₁)g, v' = β₂v + (1 − β₂)g² from m = v = 0, element by element, and with λ the
/// decay
///
///   θ' = (1 − ηλ)θ − η m̂/(√v̂ + ε),  m̂ = m'/(1 − β₁^k), v̂ = v'/(1 − β₂^k) at update k = 1, 2, …
///
/// or m̂ = m', v̂ = v' without correction of the bias, as torch.optim has them:
///   ness::Sgd<ness::WithReplacement, ness::Adaptive> training{
///       .learning_rate = 1e-3, .minibatch = {10}, .update = ness::Adaptive::adam()};
///
/// It is not linear in the gradients, so that it states no `linear()`; what theory needs of it is
/// what it is made of, `adaptive()`. Cost: a root and a division for each parameter.
struct Adaptive {
  double momentum = 0.9;         ///< β₁
  double square_memory = 0.999;  ///< β₂
  double floor = 1e-8;           ///< ε, in the unit of the gradients
  double decay = 0;              ///< λ, apart from the gradients: ηλ of θ goes in an update
  bool corrects_bias = true;     ///< is m/(1 − β₁^k) taken for m, and so of v?

  /// D. P. Kingma and J. Ba, 2014, arXiv 1412.6980, as torch.optim.Adam has it.
  static constexpr Adaptive adam() { return {}; }
  /// I. Loshchilov and F. Hutter, 2017, arXiv 1711.05101, as torch.optim.AdamW has it.
  static constexpr Adaptive adam_w(double decay = 0.01) { return {.decay = decay}; }
  /// T. Tieleman and G. Hinton, 2012, as torch.optim.RMSprop has it.
  static constexpr Adaptive rms_prop(double square_memory = 0.99) {
    return {.momentum = 0, .square_memory = square_memory, .corrects_bias = false};
  }

  /// Throws `std::invalid_argument` unless 0 ≤ β₁, β₂ < 1, and ε > 0 and λ ≥ 0 are finite.
  void check(std::string_view function) const {
    detail::check_momentum(momentum, function);
    detail::require(square_memory >= 0 && square_memory < 1, function,
                    "update.square_memory must be in [0, 1)", square_memory);
    detail::require_positive(floor, function, "update.floor");
    detail::require(decay >= 0 && std::isfinite(decay), function,
                    "update.decay must be finite and not negative", decay);
  }
  std::string description() const {
    return "adaptive updates of momentum " + detail::in_words(momentum) + ", square memory " +
           detail::in_words(square_memory) + ", floor " + detail::in_words(floor) + ", decay " +
           detail::in_words(decay) + (corrects_bias ? ", bias corrected" : ", bias not corrected");
  }
  constexpr Adaptive adaptive() const { return *this; }

  /// m, v, and what their weights do not yet add up to.
  template <class Vector>
  class State {
   public:
    State(const Adaptive& update, double learning_rate, Eigen::Index parameters)
        : momentum_(update.momentum),
          square_memory_(update.square_memory),
          floor_(static_cast<Scalar>(update.floor)),
          decay_(update.decay),
          corrects_bias_(update.corrects_bias),
          mean_(Vector::Zero(parameters)),
          square_(Vector::Zero(parameters)) {
      set_learning_rate(learning_rate);
    }

    /// m and v are of gradients, and stay as they are.
    void set_learning_rate(double learning_rate) {
      learning_rate_ = learning_rate;
      kept_ = static_cast<Scalar>(1 - learning_rate * decay_);
    }
    void move(Vector& theta, const Vector& gradient) {
      const auto b1 = static_cast<Scalar>(momentum_);
      const auto b2 = static_cast<Scalar>(square_memory_);
      mean_ = b1 * mean_ + (1 - b1) * gradient;
      square_ = b2 * square_ + (1 - b2) * gradient.cwiseAbs2();
      mean_lack_ *= momentum_;
      square_lack_ *= square_memory_;
      const auto step = static_cast<Scalar>(learning_rate_ / weight(mean_lack_));
      const auto root = static_cast<Scalar>(1 / std::sqrt(weight(square_lack_)));
      if (kept_ != 1) theta *= kept_;
      theta.array() -= step * mean_.array() / (root * square_.array().sqrt() + floor_);
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(mean_, square_, mean_lack_, square_lack_);
    }

   private:
    using Scalar = typename Vector::Scalar;
    // What the weights of the gradients so far add up to, or 1 where that is not asked for.
    double weight(double lack) const { return corrects_bias_ ? 1 - lack : 1; }

    double learning_rate_ = 0, momentum_, square_memory_;
    Scalar floor_, kept_{};  // kept of θ: 1 − ηλ
    double decay_;
    bool corrects_bias_;
    double mean_lack_ = 1, square_lack_ = 1;  // β₁^k and β₂^k
    Vector mean_, square_;
  };
};

/// An update policy that states what it is as `adaptive()`.
template <class Update>
concept AdaptivelyUpdates = requires(const Update& update) {
  { update.adaptive() } -> std::convertible_to<Adaptive>;
};

}  // namespace ness
