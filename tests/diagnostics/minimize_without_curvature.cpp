// expect: ness: minimize needs second derivatives
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  double sample_loss(const Eigen::VectorXd& theta, Eigen::Index) const {
    return theta.squaredNorm();
  }
  void sample_gradients(const Eigen::VectorXd&, Eigen::Index, Eigen::MatrixXd& g) const {
    g.setZero();
  }
};

int main() {
  const ness::Objective objective(MyModel{});
  return ness::minimize(objective, Eigen::VectorXd::Ones(2)).iterations;
}
