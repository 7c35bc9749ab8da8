// expect: ness: with an update that remembers, theta alone is no system
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 4; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() {
  const ness::Objective objective(MyModel{});
  const ness::Sgd<ness::WithReplacement, ness::HeavyBall> training{.learning_rate = 0.1,
                                                                   .minibatch = {1}};
  const ness::TrainingSystem system(objective, training);
}
