// expect: ness: your Model's summed_hessian_products must be callable as
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
  void summed_hessian_products(const Eigen::VectorXd&, Eigen::Index, Eigen::Index,
                               const Eigen::MatrixXd&, Eigen::MatrixXd) const {}
};

int main() { ness::Objective objective(MyModel{}); }
