// expect: ness: your Model needs `Eigen::Index samples() const`
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

int main() { ness::Objective objective(MyModel{}); }
