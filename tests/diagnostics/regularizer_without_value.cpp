// expect: ness: your Regularizer needs `auto value(const auto& theta) const`
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

struct Nothing {};

int main() { ness::Objective objective(MyModel{}, Nothing{}); }
