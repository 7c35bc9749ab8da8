// expect: ness: no diffusion matrix is known for this training
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() {
  const ness::Objective objective(MyModel{});
  const ness::Training<ness::WithoutReplacement, ness::Plain, ness::Earthquake> training{
      .learning_rate = 0.1, .minibatch = {1}, .noise = {0.1}};
  const auto minimum = ness::minimize(objective, Eigen::VectorXd::Ones(2));
  return static_cast<int>(ness::predict(objective, minimum, training).rank());
}
