// States that were recorded elsewhere.
#include <ness/trajectory/replay.hpp>

#include "../common/user_error.hpp"
#include "chains.hpp"
#include "state_file.hpp"
#include "study.hpp"

namespace {

/// The same states, with a bar that says how far it is.
template <class Source>
class Shown {
 public:
  Shown(Source& source, std::string what, std::int64_t times)
      : source_(&source), bar_(std::move(what)), all_(times * source.rows()) {}
  Eigen::Index rows() const { return source_->rows(); }
  Eigen::Index cols() const { return source_->cols(); }
  void read(Eigen::Index first, Eigen::MatrixXd& block) {
    source_->read(first, block);
    bar_(done_ = std::min(all_, done_ + block.rows()), all_);
  }

 private:
  Source* source_;
  ProgressBar bar_;
  std::int64_t all_, done_ = 0;
};

}  // namespace

Results study_states(const Options& options) {
  StateFile file(options.states);
  ness::EveryNth states(file, options.every);
  const std::int64_t longest = *std::max_element(options.lags.begin(), options.lags.end());
  const std::int64_t least = 150 * longest;
  require_option(
      states.rows() >= least, "--states",
      "have at least " + std::to_string(least) + " states, of which every so many-th are taken",
      static_cast<std::int64_t>(states.rows()), "record more, or lower --every and --lags");
  const double time_step =
      (options.time_step > 0 ? options.time_step : 1.0) * static_cast<double>(options.every);
  Results results{.key = "states",
                  .title = options.states,
                  .unit = options.time_step > 0 ? "unit of time" : "row of the file",
                  .steps = states.rows() - 1,
                  .parameters = states.cols(),
                  .time_step = time_step};
  for (const std::int64_t lag : options.lags) {
    ness::EveryNth lagged(states, lag);
    Shown shown(lagged, "lag " + std::to_string(lag), 2);
    const auto found = ness::irreversibility(shown);
    const double time = time_step * static_cast<double>(lag);
    results.bounds.push_back({lag, per_time(found.uncertainty_bound, time),
                              per_time(found.entropy_bound, time), found.ceiling / time});
  }
  if (states.cols() < 2) return results;
  ness::EveryNth lagged(states, options.lags.front());
  const double time = time_step * static_cast<double>(options.lags.front());
  Shown shown(lagged, "cycling", 2);
  const ness::MeasuredCycling found = ness::cycling(shown);
  results.frequencies = {found.frequencies.value / time, found.frequencies.standard_error / time,
                         found.frequencies.degrees_of_freedom};
  if (options.plane.empty() && found.of_all.frequencies.size() == 0) return results;
  results.plane = plane_of(options, found.of_all, "column ");
  const Eigen::Matrix2d spread =
      results.plane.axes.transpose() * found.covariance * results.plane.axes;
  require_option(spread(0, 0) > 0 && spread(1, 1) > 0, "--plane", "name coordinates that move",
                 std::string("of one that does not"), "name others");
  const auto plane = [axes = results.plane.axes,
                      mean = found.centre](const Eigen::VectorXd& theta) -> Eigen::Vector2d {
    return axes.transpose() * (theta - mean);
  };
  Shown again(lagged, "current", 1);
  const auto map = std::get<0>(ness::replay(
      again, ness::CurrentMap(plane, axis_of(spread(0, 0), 24), axis_of(spread(1, 1), 24),
                              std::max<std::int64_t>(1, lagged.rows() / 32))));
  results.measured = Map{map.first_axis(), map.second_axis(), map.density().value,
                         map.current_x().value / time, map.current_y().value / time};
  return results;
}
