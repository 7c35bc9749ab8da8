// expect: ness: your system's force cannot be had
#include <ness/ness.hpp>

struct MySystem {
  static constexpr Eigen::Index parameters() { return 1; }
  double potential(const Eigen::Matrix<double, 1, 1>& theta) const { return theta[0] * theta[0]; }
  Eigen::Matrix<double, 1, 1> diffusion() const { return Eigen::Matrix<double, 1, 1>(1.0); }
  double beta() const { return 1; }
};

int main() {
  const MySystem system;
  ness::SystemTerms terms(system);
}
