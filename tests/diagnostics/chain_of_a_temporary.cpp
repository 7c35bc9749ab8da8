// expect: deleted
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() {
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.1, .minibatch = {1}};
  ness::Chain chain(ness::Objective(MyModel{}), training, Eigen::VectorXd::Ones(2).eval());
}
