// Two linear systems with a known answer.
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/stationary/entropy_spectrum.hpp>
#include <ness/systems/linear.hpp>

#include "../common/user_error.hpp"
#include "chains.hpp"
#include "study.hpp"

Results study_linear(const Options& options) {
  const bool gyrator = options.system == "gyrator";
  const ness::LinearSystem<Eigen::Matrix2d> system =
      gyrator ? ness::brownian_gyrator(2, 1, 3, 1) : ness::driven_trap(1, 1, 1);
  const double time_step = options.time_step > 0 ? options.time_step : 0.005;
  require_option(time_step < 0.5, "--time-step", "be below 0.5, for steps to be stable", time_step,
                 "lower it");
  const std::int64_t updates = options.steps > 0 ? options.steps : 20'000'000;
  const ness::StationaryState state(
      ness::linear_chain(system, time_step, ness::LyapunovForm::discrete));
  Results results{.key = options.system,
                  .title = gyrator ? "Brownian gyrator" : "particle in a trap, driven round",
                  .unit = "unit of time",
                  .steps = 0,
                  .time_step = time_step};
  results.exact = ness::EntropySpectrum(state).rate() / time_step;
  results.continuous = ness::StationaryState(system).entropy_production();
  results.spectrum = spectrum_of(state);
  look(results, options, state, updates, 1 / state.decay_rates()[0], [&](int k, bool tried) {
    return ness::EulerMaruyama(system, time_step, Eigen::Vector2d(0, 0), stream(options, k, tried));
  });
  add_rows(results, 0);
  return results;
}
