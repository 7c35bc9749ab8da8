// expect: ness: your Model needs `Eigen::Index parameters() const`
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() { ness::Objective objective(MyModel{}); }
