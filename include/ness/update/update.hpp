// How a gradient moves θ: the fourth axis of a training.
//
// An update policy is a plain struct of settings. It states what it does to gradients, from which
// the stationary state follows, and its `State`, of one run, does it.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "ness/detail/check.hpp"

namespace ness {

namespace detail {

inline void check_momentum(double momentum, std::string_view function) {
  if (!(momentum >= 0 && momentum < 1))
    invalid(function, "update.momentum must be in [0, 1), but is ", momentum);
}

template <class Update, class Vector>
class BufferedState;

}  // namespace detail

/// What an update that is linear in the gradients g does, with a buffer b (in the convention of
/// PyTorch, where the buffer adds up gradients and η multiplies it on its way to θ):
///
///   b' = momentum · b + gain · g,   θ' = θ − η (direct · g + buffered · b').
///
/// Every g is the gradient at θ itself. With one gradient after another it is
///   θ_{k+1} − θ_k = momentum (θ_k − θ_{k−1}) − η (c₀ g_k + c₁ g_{k−1}),
/// c₀ = direct + buffered · gain, c₁ = −momentum · direct.
///
/// It is an update policy too, of any of them chosen when the program runs:
///   ness::Sgd<ness::WithReplacement, ness::LinearUpdate> training{
///       .learning_rate = 1e-3, .minibatch = {10}, .update = ness::Nesterov{0.9}.linear()};
struct LinearUpdate {
  double momentum = 0;  ///< β
  double gain = 1;      ///< of the gradient in the buffer
  double direct = 1;    ///< of the gradient in the update
  double buffered = 0;  ///< of the buffer in the update

  constexpr double of_gradient() const { return direct + buffered * gain; }  ///< c₀
  constexpr double of_last_gradient() const { return -momentum * direct; }   ///< c₁
  /// c₀ + c₁ over 1 − β: how far a constant gradient moves θ in an update, over η.
  constexpr double speed() const { return direct + buffered * gain / (1 - momentum); }
  /// Is what was drawn before of no consequence?
  constexpr bool forgets() const { return momentum == 0; }

  /// Throws `std::invalid_argument` unless 0 ≤ β < 1 and a constant gradient moves θ against it.
  void check(std::string_view function) const {
    detail::check_momentum(momentum, function);
    if (!(speed() > 0))
      detail::invalid(function,
                      "update.speed() = direct + buffered * gain / (1 - momentum) must be "
                      "positive, but is ",
                      speed());
  }
  std::string description() const {
    return "updates of momentum " + detail::in_words(momentum) + ", gain " +
           detail::in_words(gain) + ", direct " + detail::in_words(direct) + ", buffered " +
           detail::in_words(buffered);
  }
  constexpr LinearUpdate linear() const { return *this; }
  /// In `ness/update/momentum.hpp`.
  template <class Vector>
  using State = detail::BufferedState<LinearUpdate, Vector>;
};

/// An update policy that states what it is, `linear()`: its stationary state is predicted.
template <class Update>
concept LinearlyUpdates = requires(const Update& update) {
  { update.linear() } -> std::convertible_to<LinearUpdate>;
};

/// An update policy that says that what was drawn before is of no consequence to it, whatever its
/// settings: `static constexpr bool remembers_nothing = true`. What is derived for θ alone asks for
/// it: injected noise, corrections, the system of a training.
template <class Update>
concept RemembersNothing = requires { requires Update::remembers_nothing; };

/// What may stand for the update of a training: settings with a `State` that holds what one run
/// remembers and moves θ against a gradient.
template <class Update, class Vector>
concept UpdatePolicy = requires(const Update& update, Vector& theta, const Vector& gradient,
                                typename Update::template State<Vector>& state) {
  update.check(std::string_view{});
  { update.description() } -> std::convertible_to<std::string>;
  requires std::constructible_from<typename Update::template State<Vector>, const Update&, double,
                                   Eigen::Index>;
  state.move(theta, gradient);
};

/// θ' = θ − ηg: stochastic gradient descent (Eq. 11).
struct Plain {
  static constexpr bool remembers_nothing = true;
  void check(std::string_view) const {}
  std::string description() const { return "plain updates"; }
  constexpr LinearUpdate linear() const { return {}; }

  /// It remembers nothing.
  template <class Vector>
  class State {
   public:
    State(const Plain&, double learning_rate, Eigen::Index)
        : minus_learning_rate_(static_cast<Scalar>(-learning_rate)) {}
    void move(Vector& theta, const Vector& gradient) { theta += minus_learning_rate_ * gradient; }
    /// Of the updates to come.
    void set_learning_rate(double learning_rate) {
      minus_learning_rate_ = static_cast<Scalar>(-learning_rate);
    }
    template <class Archive>
    void serialize(Archive&) {}

   private:
    using Scalar = typename Vector::Scalar;
    Scalar minus_learning_rate_;
  };
};

}  // namespace ness
