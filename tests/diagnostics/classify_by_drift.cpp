// expect: ness: to tell what stationary state a system has
#include <ness/ness.hpp>

struct MySystem {
  using Vector = Eigen::Matrix<double, 1, 1>;
  static constexpr Eigen::Index parameters() { return 1; }
  void drift(const Vector& theta, Vector& drift) const { drift = -theta; }
  Vector diffusion() const { return Vector(1.0); }
};

int main() {
  const MySystem system;
  const auto found = ness::classify(system, Eigen::Matrix<double, 1, Eigen::Dynamic>::Ones(1, 2));
  return found.kind == ness::StationaryKind::boltzmann;
}
