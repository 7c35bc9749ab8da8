// expect: ness: your system needs its mobility
#include <ness/ness.hpp>

struct MySystem {
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& theta) const { return theta[0] * theta[0]; }
  Eigen::Matrix<double, 1, 1> diffusion() const { return Eigen::Matrix<double, 1, 1>(1.0); }
};

int main() {
  const MySystem system;
  ness::SystemTerms terms(system);
}
