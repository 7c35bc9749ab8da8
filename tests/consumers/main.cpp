// A program of a user: it needs the library, Eigen and threads, and names only the first.
#include <iostream>
#include <ness/ness.hpp>

int main() {
  ness::Philox random(1);
  const ness::Objective objective(ness::regression_network(random), ness::L2{10});
  const ness::vector_t<ness::RegressionNetwork> start{1.2, -1.2, 0.7, 0.5, 0.9, 0.9, 0.0};
  const auto minimum = ness::minimize(objective, start);
  std::cout << ness::to_string(minimum.status) << '\n';
  return minimum.status == ness::MinimumStatus::converged ? 0 : 1;
}
