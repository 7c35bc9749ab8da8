// expect: ness: your Model needs `auto sample_loss(const auto& theta, Eigen::Index i) const`
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) { return theta.squaredNorm(); }
};

int main() { ness::Objective objective(MyModel{}); }
