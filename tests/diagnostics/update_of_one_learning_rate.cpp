// expect: ness: the learning rate of a running chain is changed by set_learning_rate(double) of the
// State
#include <ness/ness.hpp>
#include <string>
#include <string_view>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 4; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

struct MyUpdate {
  void check(std::string_view) const {}
  std::string description() const { return "mine"; }
  template <class Vector>
  struct State {
    double eta;
    State(const MyUpdate&, double learning_rate, Eigen::Index) : eta(learning_rate) {}
    void move(Vector& theta, const Vector& gradient) { theta -= eta * gradient; }
    void serialize(auto&) {}
  };
};

int main() {
  const ness::Objective objective(MyModel{});
  const ness::Sgd<ness::WithReplacement, MyUpdate> training{.learning_rate = 0.1, .minibatch = {1}};
  ness::Chain chain(objective, training, Eigen::VectorXd(Eigen::VectorXd::Ones(2)));
  chain.step();  // as before
  chain.set_learning_rate(0.05);
}
