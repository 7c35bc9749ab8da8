// expect: ness: your Model's sample_hessians must be callable as
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
  void sample_hessians(const Eigen::VectorXd&, Eigen::Index, Eigen::MatrixXd) const {}
};

int main() { ness::Objective objective(MyModel{}); }
