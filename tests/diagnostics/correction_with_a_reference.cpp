// expect: ness: a correction is for the noise that batches have without a reference
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 4; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() {
  const ness::Objective objective(MyModel{});
  const ness::SgworldLm training{.learning_rate = 0.1, .minibatch = {2}};
  ness::VarianceReduced chain(
      ness::Chain(objective, training, Eigen::VectorXd(Eigen::VectorXd::Ones(2))), 5);
}
