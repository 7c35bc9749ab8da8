// expect: ness: injected noise and corrections are those of an update that remembers nothing
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 4; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() {
  const ness::Objective objective(MyModel{});
  const ness::Training<ness::WithReplacement, ness::HeavyBall, ness::LangevinNoise> training{
      .learning_rate = 0.1, .minibatch = {1}};
  ness::Chain chain(objective, training, Eigen::VectorXd(Eigen::VectorXd::Ones(2)));
}
