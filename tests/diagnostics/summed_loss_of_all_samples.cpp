// expect: ness: your Model's summed_loss must be callable as
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
  double summed_loss(const Eigen::VectorXd&) const { return 0; }
};

int main() { ness::Objective objective(MyModel{}); }
