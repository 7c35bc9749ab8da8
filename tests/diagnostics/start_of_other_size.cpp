// expect: ness: theta must have as many elements as parameters() of the model says
#include <ness/ness.hpp>

struct MyModel {
  static constexpr Eigen::Index parameters() { return 3; }
  Eigen::Index samples() const { return 2; }
  auto sample_loss(const auto& theta, Eigen::Index) const {
    return theta[0] * theta[0] + theta[1] * theta[2];
  }
};

int main() {
  const ness::Objective objective(MyModel{});
  (void)ness::minimize(objective, Eigen::Vector2d(1, 1));
}
