// expect: ness: a sampler has injected noise: use ness::Sgld
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() {
  const ness::Objective objective(MyModel{});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.1, .minibatch = {1}};
  const auto minimum = ness::minimize(objective, Eigen::VectorXd(Eigen::VectorXd::Ones(2)));
  return static_cast<int>(ness::predict_posterior_error(objective, minimum, training).chance);
}
