// expect: ness: an automatic-differentiation scalar became a plain number
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const {
    const double first = theta[0];
    return theta[1] * first;
  }
};

int main() {
  const ness::Objective objective(MyModel{});
  return static_cast<int>(objective.gradient(Eigen::VectorXd::Ones(2))[0]);
}
