#include <ness/diffusion/noise_cumulants.hpp>
#include <ness/minibatch/with_replacement.hpp>

#include "support/catch.hpp"
#include "support/generic_values.hpp"
#include "support/given_gradients.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Sgd = ness::Sgd<ness::WithReplacement>;

}  // namespace

TEST_CASE("skewness and kurtosis of the noise are those of all subsets") {
  constexpr Eigen::Index samples = 7;
  const MatrixXd gradients = generic_values(3, samples, 4).array() + 5;
  const ness::Objective objective(GivenGradients{gradients}, ness::L2{3.0});
  const MatrixXd directions = generic_values(3, 2, 6);
  for (Eigen::Index m = 1; m < samples; ++m) {
    const Sgd training{.learning_rate = 0.3, .minibatch = {m}};
    const auto found =
        ness::noise_cumulants(objective, VectorXd::Ones(3).eval(), training, directions);
    for (Eigen::Index k = 0; k < 2; ++k) {
      const VectorXd along =
          (gradients.colwise() - gradients.rowwise().mean().eval()).transpose() * directions.col(k);
      double subsets = 0, second = 0, third = 0, fourth = 0;
      for (unsigned bits = 0; bits < (1U << samples); ++bits) {
        if (__builtin_popcount(bits) != m) continue;
        double noise = 0;
        for (Eigen::Index i = 0; i < samples; ++i)
          if ((bits >> i & 1U) != 0) noise -= 0.3 * along[i] / static_cast<double>(m);
        ++subsets;
        second += noise * noise;
        third += std::pow(noise, 3);
        fourth += std::pow(noise, 4);
      }
      const double variance = second / subsets;
      INFO("m = " << m << ", direction " << k);
      CHECK(std::abs(found.skewness[k] - third / subsets / std::pow(variance, 1.5)) <= 1e-12);
      CHECK(std::abs(found.excess_kurtosis[k] - (fourth / subsets / (variance * variance) - 3)) <=
            1e-11);
    }
  }
}

TEST_CASE("bad input of the cumulants is refused") {
  const ness::Objective objective(GivenGradients{generic_values(3, 5, 4)});
  CHECK_THROWS_WITH(ness::noise_cumulants(objective, VectorXd::Ones(3).eval(), Sgd{0.1, {2}},
                                          MatrixXd::Identity(2, 2)),
                    contains("directions must be 3 x 2, but is 2 x 2"));
  CHECK_THROWS_WITH(ness::noise_cumulants(objective, VectorXd::Ones(3).eval(), Sgd{0.1, {9}},
                                          MatrixXd::Identity(3, 3)),
                    contains("batch_size"));
}
