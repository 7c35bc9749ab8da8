// expect: ness: the stationary state is known of updates that state `linear()`
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 4; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() {
  const ness::Objective objective(MyModel{});
  const auto minimum = ness::minimize(objective, Eigen::Vector2d(1, 1));
  const ness::SmsUbu sampler{.learning_rate = 0.1, .minibatch = {2}};
  const auto state = ness::predict(objective, minimum, sampler);
}
