// How much σ and C of a long path scatter, as predicted and as batches show it.
#include <Eigen/Core>
#include <cmath>
#include <cstdint>

#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/fluctuation/kernel_entropy.hpp"
#include "ness/stationary/entropy_spectrum.hpp"
#include "ness/systems/linear.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"

TEST_CASE("standard errors of ⟨σ⟩ and C are those that the spectrum predicts") {
  const auto system = ness::brownian_gyrator(2, 1, 3, 1);
  const ness::StationaryState<double> predicted(
      ness::linear_chain(system, 0.3, ness::LyapunovForm::discrete));
  constexpr std::int64_t batches = 1200, length = 192 * 4;
  const auto [entropy, area] = ness::run_chains(
      {.steps = batches * length, .burn_in = 1920},
      [&](int k) {
        return ness::EulerMaruyama(system, 0.3, Eigen::Vector2d::Zero(),
                                   ness::Philox(8, static_cast<std::uint64_t>(k)));
      },
      predicted.mean(), ness::KernelEntropy(predicted, {1}, length), ness::Area<>(2, length));
  const ness::EntropySpectrum spectrum(predicted);
  // (measured/predicted)² is χ² over its degrees of freedom: 4 standard deviations of it.
  const auto check = [&](double measured, double rate) {
    const double ratio = measured * measured * static_cast<double>(batches * length) / rate;
    INFO("variance, measured / predicted: " << ratio);
    CHECK(std::abs(ratio - 1) < 4 * std::sqrt(2.0 / batches));
  };
  check(entropy.results()[0].entropy_production.standard_error, spectrum.variance_rate());
  check(area.circulation().standard_error(0, 1), spectrum.circulation_variance_rate()(0, 1));
  // Not that of a normal σ, 2.
  CHECK(spectrum.variance_rate() > 2.3 * spectrum.rate());
}
