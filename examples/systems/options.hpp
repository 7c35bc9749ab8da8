// What the user asks for, and whether it can be done.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "../common/regression_data.hpp"
#include "../common/training_options.hpp"

struct Options : RunOptions, DataOptions {
  std::vector<std::string> system{"polymer", "wright-fisher", "gyrator", "sgd"};
  std::int64_t beads = 10;
  double bead_radius = 0.25;
  std::int64_t population = 1000;
  std::vector<double> mutation{1e-3, 7.5e-4, 1.25e-3};
  std::vector<double> selection{1e-3, 0, -1e-3};
  double hot = 3;
  double cold = 1;
  double eta = 1e-7;

  Options() {
    batch = 10;
    lambda = 10;
    steps = 4'000'000;
    chains = 8;
  }
};

inline const std::vector<std::string>& all_systems() {
  static const std::vector<std::string> names = Options{}.system;
  return names;
}

inline void add_options(CLI::App& app, Options& options) {
  app.add_option("--system", options.system,
                 "polymer: beads and springs in a fluid; wright-fisher: evolution of three "
                 "alleles; gyrator: two coordinates at two temperatures; sgd: the paper's "
                 "regression network. One or several, as in polymer,sgd")
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("NAME");
  add_run_options(app, options, ", or time steps");
  add_count(app, "--beads", options.beads, "Beads of the polymer");
  add_number(app, "--bead-radius", options.bead_radius,
             "Their radius in the fluid, over the length of a spring");
  add_count(app, "--population", options.population, "Copies of a gene in the population");
  const auto add_list = [&](const std::string& name, std::vector<double>& target,
                            const std::string& description) {
    app.add_option(name, target, description)
        ->delimiter(',')
        ->capture_default_str()
        ->type_name("NUMBER");
  };
  add_list("--mutation", options.mutation, "Mutation rates to each of three alleles");
  add_list("--selection", options.selection, "Selective advantage of each of them");
  add_number(app, "--hot", options.hot, "Temperature of the gyrator's first coordinate");
  add_number(app, "--cold", options.cold, "Temperature of its second");
  add_number(app, "--eta", options.eta, "Learning rate of SGD");
  add_data_options(app, options);
}

/// What is wrong whatever the data are. Throws `UserError`.
inline void check(const Options& options) {
  check_names("--system", options.system, all_systems());
  check_run_options(options, 10'000);
  check_data_options(options);
  require_count("--beads", options.beads, 2, 1000, "try 10");
  require_positive_option("--bead-radius", options.bead_radius, "0.25");
  require_count("--population", options.population, 10, many, "try 1000");
  const auto check_alleles = [](const std::string& name, const std::vector<double>& values) {
    require_option(values.size() == 3, name, "have three numbers, one for each allele",
                   values.size(), "write them as in 1e-3,1e-3,2e-3");
  };
  check_alleles("--mutation", options.mutation);
  check_alleles("--selection", options.selection);
  // Where 2N_e u < 1 the density is infinite at the boundary, and a bin says little of it.
  for (const double rate : options.mutation) {
    require_positive_option("--mutation", rate, "1e-3");
    require_option(2 * static_cast<double>(options.population) * rate >= 1, "--mutation",
                   "be at least 1/(2 * population), for the density to be finite", rate,
                   "raise it, or --population");
    require_option(rate <= 0.01, "--mutation", "be at most 0.01", rate, "try 1e-3");
  }
  for (const double advantage : options.selection)
    require_option(std::abs(advantage) <= 0.01, "--selection", "be at most 0.01 in size", advantage,
                   "try 1e-3");
  require_positive_option("--hot", options.hot, "3");
  require_positive_option("--cold", options.cold, "1");
  require_positive_option("--eta", options.eta, "1e-7");
}
