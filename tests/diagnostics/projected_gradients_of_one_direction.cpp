// expect: ness: your Model's projected_gradients must be callable as
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
  void projected_gradients(const Eigen::VectorXd&, Eigen::Index, const Eigen::VectorXd&,
                           Eigen::VectorXd&) const {}
};

int main() { ness::Objective objective(MyModel{}); }
