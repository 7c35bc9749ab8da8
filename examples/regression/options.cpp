#include "options.hpp"

#include <algorithm>

#include "../common/user_error.hpp"

void add_options(CommandLine& line, Options& options) {
  add_data_options(line, options);
  add_training_options(
      line, options,
      "How training is made stochastic: wr, minibatches drawn with replacement; wor, without; "
      "earthquake, the whole gradient at a point shaken by --zeta; iid, every sample of a batch "
      "among all; poisson, every sample or not by chance; drop-last, epochs whose last batch is "
      "left out where it is short; there-and-back, an order and then its reverse. Several, as in "
      "wr,wor, are set side by side",
      "");
  line.add("--momentum", options.momentum, "Momentum, in 0 ... 1, of minibatches; 0: none");
  line.add("--nesterov", options.nesterov, "Nesterov's momentum in place of a heavy ball");
  line.add("--phase", options.phase, "PHASE",
           "Where an epoch is looked at: end, or mean over all its updates");
  line.add("--zeta", options.zeta, "Size of the earthquakes");
  line.add(
      "--axes", options.axes,
      "The two parameters of Fig. 2, as 6,7; counted from 1, as theta_1 ... theta_7 of Eq. 30");
  line.add("--training-runs", options.training_runs, "Runs of Fig. 1C; 0 leaves the figure out");
  line.add("--training-steps", options.training_steps, "Parameter updates of each of them");
}

namespace {

void check_axes(const std::vector<std::int64_t>& axes) {
  constexpr std::int64_t parameters = 7;
  std::string given;
  for (const std::int64_t axis : axes) given += (given.empty() ? "" : ",") + std::to_string(axis);
  const bool in_range = std::all_of(
      axes.begin(), axes.end(), [](std::int64_t axis) { return axis >= 1 && axis <= parameters; });
  require_option(axes.size() == 2 && in_range && axes[0] != axes[1], "--axes",
                 "be two different numbers of 1 ... " + std::to_string(parameters), given,
                 "try 6,7");
}

void check_momentum(const Options& options) {
  require_option(options.momentum >= 0 && options.momentum < 1, "--momentum",
                 "be at least 0 and below 1", options.momentum, "try 0.9");
  require_option(options.phase == "end" || options.phase == "mean", "--phase", "be end or mean",
                 "'" + options.phase + "'", "use end");
  const auto& ways = options.sampling;
  const auto asked = [&](const char* way) { return std::count(ways.begin(), ways.end(), way) > 0; };
  require_option(options.phase == "end" || !asked("there-and-back"), "--phase",
                 "be end with there-and-back", options.phase, "leave there-and-back out");
  require_option(options.momentum == 0 || !asked("earthquake"), "--momentum",
                 "be 0 in the earthquake model", options.momentum, "leave earthquake out");
}

}  // namespace

void check(const Options& options) {
  check_training_options(
      options, {"wr", "wor", "earthquake", "iid", "poisson", "drop-last", "there-and-back"}, 1);
  check_momentum(options);
  check_data_options(options);
  require_positive_option("--zeta", options.zeta, "1e-4");
  check_axes(options.axes);
  require_count("--training-runs", options.training_runs, 0, many, "try 1000");
  require_count("--training-steps", options.training_steps, 1, endless, "try 2e5");
}
