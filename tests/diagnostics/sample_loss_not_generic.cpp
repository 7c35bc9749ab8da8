// expect: ness: your Model's gradients cannot be had: make sample_loss generic
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  double sample_loss(const Eigen::VectorXd& theta, Eigen::Index) const {
    return theta.squaredNorm();
  }
};

int main() { ness::Objective objective(MyModel{}); }
