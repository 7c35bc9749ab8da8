// expect: ness: your system needs its diffusion matrix
#include <ness/ness.hpp>

struct MySystem {
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& theta) const { return theta[0] * theta[0]; }
  double beta() const { return 1; }
};

int main() {
  const MySystem system;
  ness::SystemTerms terms(system);
}
