// expect: ness: your Model's hessian_product must be callable as
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
  void hessian_product(const Eigen::VectorXd&, const Eigen::VectorXd&, Eigen::VectorXd) const {}
};

int main() { ness::Objective objective(MyModel{}); }
