// expect: ness: your Model's batch_gradient must be callable as
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
  void batch_gradient(const Eigen::VectorXd&, ness::Batch, Eigen::VectorXd) const {}
};

int main() { ness::Objective objective(MyModel{}); }
