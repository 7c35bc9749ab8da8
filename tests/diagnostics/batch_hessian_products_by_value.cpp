// expect: ness: your Model's batch_hessian_products must be callable as
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
  void batch_hessian_products(const Eigen::VectorXd&, ness::Batch, const Eigen::MatrixXd&,
                              Eigen::MatrixXd) const {}
};

int main() { ness::Objective objective(MyModel{}); }
