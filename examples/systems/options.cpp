#include "options.hpp"

#include <cmath>

#include "../common/user_error.hpp"

namespace {

void check_alleles(const std::string& option, const std::vector<double>& values) {
  require_option(values.size() == 3, option, "have three numbers, one for each allele",
                 static_cast<std::int64_t>(values.size()), "write them as in 1e-3,1e-3,2e-3");
}

}  // namespace

void add_options(CommandLine& line, Options& options) {
  line.add("--system", options.system,
           "polymer: beads and springs in a fluid; folding: one with a native structure; "
           "wright-fisher: evolution of three alleles; "
           "gyrator: two coordinates at two temperatures; sgd: the paper's regression network. One "
           "or several, as in polymer,sgd");
  add_run_options(line, options, ", or time steps");
  line.add("--beads", options.beads, "Beads of the polymer");
  line.add("--bead-radius", options.bead_radius,
           "Their radius in the fluid, over the length of a spring");
  line.add("--population", options.population, "Copies of a gene in the population");
  line.add("--mutation", options.mutation, "Mutation rates to each of three alleles");
  line.add("--selection", options.selection, "Selective advantage of each of them");
  line.add("--hot", options.hot, "Temperature of the gyrator's first coordinate");
  line.add("--cold", options.cold, "Temperature of its second");
  line.add("--eta", options.eta, "Learning rate of SGD");
  add_data_options(line, options);
}

void check(const Options& options) {
  check_names("--system", options.system, Options{}.system);
  check_run_options(options, 10'000);
  check_data_options(options);
  require_count("--beads", options.beads, 2, 1000, "try 10");
  require_positive_option("--bead-radius", options.bead_radius, "0.25");
  require_count("--population", options.population, 10, many, "try 1000");
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
