// expect: ness: an automatic-differentiation scalar became a plain number
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return std::exp(theta[0]); }
};

int main() {
  const ness::Objective objective(MyModel{});
  return static_cast<int>(objective.gradient(Eigen::VectorXd::Ones(2))[0]);
}
