// Updates with a memory: heavy ball, Nesterov, quasi-hyperbolic (not in the paper).
#pragma once

#include <string>
#include <string_view>

#include "ness/update/update.hpp"

namespace ness {

namespace detail {

/// The buffer of a `LinearUpdate`, which begins with the first gradient itself, as in PyTorch.
template <class Update, class Vector>
class BufferedState {
 public:
  BufferedState(const Update& update, double learning_rate, Eigen::Index parameters)
      : update_(update.linear()),
        momentum_(static_cast<Scalar>(update_.momentum)),
        gain_(static_cast<Scalar>(update_.gain)),
        buffer_(Vector::Zero(parameters)) {
    set_learning_rate(learning_rate);
  }

  /// The buffer is of gradients, and stays as it is.
  void set_learning_rate(double learning_rate) {
    direct_ = static_cast<Scalar>(-learning_rate * update_.direct);
    buffered_ = static_cast<Scalar>(-learning_rate * update_.buffered);
  }

  void move(Vector& theta, const Vector& gradient) {
    if (begun_)
      buffer_ = momentum_ * buffer_ + gain_ * gradient;
    else
      buffer_ = gradient;
    begun_ = true;
    if (direct_ != 0)
      theta += direct_ * gradient + buffered_ * buffer_;
    else
      theta += buffered_ * buffer_;
  }
  const Vector& buffer() const { return buffer_; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(buffer_, begun_);
  }

 private:
  using Scalar = typename Vector::Scalar;
  LinearUpdate update_;
  Scalar momentum_, gain_, direct_{}, buffered_{};
  bool begun_ = false;
  Vector buffer_;
};

}  // namespace detail

/// b' = βb + (1 − τ)g, θ' = θ − ηb' (B. T. Polyak, 1964, doi:10.1016/0041-5553(64)90137-5; as
/// torch.optim.SGD has it).
struct HeavyBall {
  double momentum = 0.9;  ///< β
  double dampening = 0;   ///< τ

  /// Throws `std::invalid_argument` unless 0 ≤ β < 1 and 0 ≤ τ < 1.
  void check(std::string_view function) const {
    detail::check_momentum(momentum, function);
    if (!(dampening >= 0 && dampening < 1))
      detail::invalid(function, "update.dampening must be in [0, 1), but is ", dampening);
  }
  std::string description() const {
    return "heavy ball of momentum " + detail::in_words(momentum) +
           (dampening == 0 ? "" : " and dampening " + detail::in_words(dampening));
  }
  constexpr LinearUpdate linear() const {
    return {.momentum = momentum, .gain = 1 - dampening, .direct = 0, .buffered = 1};
  }
  template <class Vector>
  using State = detail::BufferedState<HeavyBall, Vector>;
};

/// b' = βb + g, θ' = θ − η(g + βb'): what torch.optim.SGD has as nesterov=True. Its θ is
/// Y. Nesterov's (1983) point of evaluation, y = x + βv, so that all gradients are at θ.
struct Nesterov {
  double momentum = 0.9;  ///< β

  /// Throws `std::invalid_argument` unless 0 ≤ β < 1.
  void check(std::string_view function) const { detail::check_momentum(momentum, function); }
  std::string description() const { return "Nesterov's momentum " + detail::in_words(momentum); }
  constexpr LinearUpdate linear() const {
    return {.momentum = momentum, .gain = 1, .direct = 1, .buffered = momentum};
  }
  template <class Vector>
  using State = detail::BufferedState<Nesterov, Vector>;
};

/// b' = βb + (1 − β)g, θ' = θ − η((1 − ν)g + νb') (J. Ma and D. Yarats, 2018, arXiv 1810.06801).
struct QuasiHyperbolic {
  double momentum = 0.999;  ///< β
  double weight = 0.7;      ///< ν

  /// Throws `std::invalid_argument` unless 0 ≤ β < 1 and 0 ≤ ν ≤ 1.
  void check(std::string_view function) const {
    detail::check_momentum(momentum, function);
    if (!(weight >= 0 && weight <= 1))
      detail::invalid(function, "update.weight must be in [0, 1], but is ", weight);
  }
  std::string description() const {
    return "quasi-hyperbolic momentum " + detail::in_words(momentum) + " of weight " +
           detail::in_words(weight);
  }
  constexpr LinearUpdate linear() const {
    return {.momentum = momentum, .gain = 1 - momentum, .direct = 1 - weight, .buffered = weight};
  }
  template <class Vector>
  using State = detail::BufferedState<QuasiHyperbolic, Vector>;
};

}  // namespace ness
