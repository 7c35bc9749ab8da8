// The moments that policies state, against everything that they may draw.
#include "ness/minibatch/weight_moments.hpp"

#include <limits>
#include <utility>
#include <vector>

#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "support/catch.hpp"
#include "support/every_batch.hpp"
#include "support/generic_values.hpp"
#include "support/own_policies.hpp"

namespace {

constexpr auto mean_of_batch = [](ness::Batch batch) {
  return 1 / static_cast<double>(batch.size());
};

/// No sample is preferred; scatter is the variance of a weight less the covariance of two, and
/// total the variance of their sum over M².
void check_moments(const EnumeratedWeights& exact, const ness::WeightMoments& stated) {
  const auto samples = static_cast<double>(exact.mean.size());
  constexpr double rounding = 1e-14;
  CHECK((exact.mean.array() - 1 / samples).abs().maxCoeff() <= rounding);
  const double variance = exact.covariance(0, 0);
  const double common = exact.covariance.rows() > 1 ? exact.covariance(1, 0) : variance;
  for (Eigen::Index j = 0; j < exact.covariance.cols(); ++j)
    for (Eigen::Index i = 0; i < exact.covariance.rows(); ++i)
      CHECK(std::abs(exact.covariance(i, j) - (i == j ? variance : common)) <= rounding);
  CHECK(std::abs(stated.scatter - (variance - common)) <= rounding);
  CHECK(std::abs(stated.total - exact.covariance.sum() / (samples * samples)) <= rounding);
  CHECK(stated.vanish() == (exact.covariance.norm() <= rounding));
}

}  // namespace

TEST_CASE("The weights of m distinct samples have the moments that are stated") {
  for (std::uint32_t samples = 1; samples <= 6; ++samples)
    for (std::uint32_t m = 1; m <= samples; ++m) {
      INFO("M = " << samples << ", m = " << m);
      const ness::WithReplacement policy{m};
      check_moments({policy, samples, falling(samples, m), 0, mean_of_batch},
                    policy.weight_moments(samples));
    }
}

TEST_CASE("Each batch of an epoch has the weights of one with replacement") {
  for (const auto& [samples, m] : {std::pair{6U, 2U}, {6U, 3U}, {5U, 1U}, {4U, 4U}})
    for (std::uint32_t batch = 0; batch < samples / m; ++batch) {
      INFO("M = " << samples << ", m = " << m << ", batch " << batch);
      const ness::WithoutReplacement policy{m};
      check_moments({policy, samples, falling(samples, (batch + 1) * m), static_cast<int>(batch),
                     mean_of_batch},
                    policy.weight_moments(samples));
    }
}

TEST_CASE("The mean of an exponential over batches is that of all of them, however near to 1") {
  for (std::uint32_t samples = 1; samples <= 6; ++samples)
    for (std::uint32_t m = 1; m <= samples; ++m)
      for (double size : {1e-7, 0.1, 20.0}) {
        Eigen::VectorXd values = generic_values<Eigen::VectorXd>(samples, 1, m, size);
        values.array() -= 0.9 * values.mean();
        double exact = 0;
        double draws = 0;
        for_every_draw(falling(samples, m), [&](auto& random) {
          ness::WithReplacement::Sampler sampler({m}, samples);
          double sum = 0;
          for (const auto i : sampler.next(random)) sum += values[i] / m;
          exact += std::expm1(sum);
          ++draws;
        });
        exact /= draws;
        INFO("M = " << samples << ", m = " << m << ", values of size " << size);
        const double found = ness::WithReplacement{m}.mean_exponential(values);
        // Beyond a relative error: the rounding of the exponents, and of the largest of the
        // products of exponentials that make the mean.
        const double up = (values.array() - values.mean()).max(0).sum() / m;
        const double rounding =
            8 * std::numeric_limits<double>::epsilon() * (values.cwiseAbs().sum() + std::expm1(up));
        CHECK(std::abs(found - exact) <= 1e-12 * std::abs(exact) + rounding);
      }
  const Eigen::VectorXd five = generic_values<Eigen::VectorXd>(5, 1, 3);
  CHECK(ness::FullBatch{}.mean_exponential(five) == Approx(std::expm1(five.mean())));
}

TEST_CASE("The third and fourth moments of the weights are those of all batches") {
  for (std::uint32_t samples = 1; samples <= 7; ++samples)
    for (std::uint32_t m = 1; m <= samples; ++m) {
      Eigen::ArrayXd c = generic_values<Eigen::VectorXd>(samples, 1, m).array();
      c -= c.mean();
      double third = 0, fourth = 0, draws = 0;
      for_every_draw(falling(samples, m), [&](auto& random) {
        ness::WithReplacement::Sampler sampler({m}, samples);
        double sum = 0;
        for (const auto i : sampler.next(random)) sum += c[i] / m;
        third += std::pow(sum, 3);
        fourth += std::pow(sum, 4);
        ++draws;
      });
      const double square = c.square().sum();
      const auto stated = ness::WithReplacement{m}.higher_weight_moments(samples);
      INFO("M = " << samples << ", m = " << m);
      CHECK(std::abs(stated.third * c.pow(3).sum() - third / draws) <= 1e-14);
      CHECK(std::abs(stated.fourth * c.pow(4).sum() + stated.pairs * square * square -
                     fourth / draws) <= 1e-14);
    }
}

TEST_CASE("All samples at once have no noise") {
  check_moments({ness::FullBatch{}, 5, {}, 0, mean_of_batch}, ness::FullBatch{}.weight_moments(5));
}

TEST_CASE("Policies of one's own state their moments likewise") {
  for (std::uint32_t samples = 1; samples <= 5; ++samples)
    for (std::uint32_t m = 1; m <= std::min(samples, 4U); ++m) {
      INFO("M = " << samples << ", m = " << m);
      const WithRepeats repeats{m};
      if (samples > 1)
        check_moments({repeats, samples, std::vector<std::uint32_t>(m, samples), 0, mean_of_batch},
                      repeats.weight_moments(samples));
      const PoissonWeights poisson{m};
      check_moments({poisson, samples, std::vector<std::uint32_t>(samples, samples), 0,
                     [m = m](ness::Batch) { return 1.0 / m; }},
                    poisson.weight_moments(samples));
    }
}
