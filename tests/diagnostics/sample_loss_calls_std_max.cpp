// expect: ness: std::max, std::min and std::clamp take one type alone
#include <algorithm>
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return std::max(0.0, theta[0]); }
};

int main() {
  const ness::Objective objective(MyModel{});
  return static_cast<int>(objective.gradient(Eigen::VectorXd::Ones(2))[0]);
}
