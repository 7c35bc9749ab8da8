// expect: ness: your Model's hessian must be callable as
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
  Eigen::MatrixXd hessian(const Eigen::VectorXd&) const { return {}; }
};

int main() { ness::Objective objective(MyModel{}); }
