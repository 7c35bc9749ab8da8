#include <ness/dynamics/chain.hpp>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/fluctuation/kernel_entropy.hpp>
#include <ness/random/normal.hpp>
#include <string>
#include <type_traits>

#include "../common/progress.hpp"
#include "../common/user_error.hpp"
#include "problem.hpp"

// Clones begin all over the predicted state: its slowest directions relax in many epochs. What so
// few err by is measured where μ is known.
Cumulants Study::clone(const std::string& sampling, const Prediction& predicted) const {
  const Options& options = problem_->options;
  const State& state = predicted.state;
  if (state.rank() < state.mean().size())
    throw UserError("--clones: noise must reach all " + std::to_string(state.mean().size()) +
                    " directions for a path to have a reverse, but reaches " +
                    std::to_string(state.rank()) +
                    ": some pixels are dark in all images; leave --clones out");
  const auto seed = static_cast<std::uint64_t>(options.seed);
  const Eigen::MatrixXd root = ness::detail::SymmetricEigen<double>(state.covariance()).root();
  const auto settings = [&](int populations, ProgressBar& bar) {
    return ness::CloningSettings{
        .steps = options.clone_steps,
        .burn_in = options.clone_steps / 4,
        .clones = static_cast<int>(options.clones),
        .populations = populations,
        .batches = 8,
        .threads = static_cast<int>(options.threads),
        .seed = seed,
        .progress = [&bar](std::int64_t done, std::int64_t all) { bar(done, all); }};
  };
  const auto clone = [&](const std::string& what, int populations, const auto& chain_from) {
    ProgressBar bar(what);
    const auto make_chain = [&](int i) {
      ness::Philox random(seed, static_cast<std::uint64_t>(i));
      ness::Normal normal;
      Eigen::VectorXd normals(state.mean().size());
      normal.fill(random, normals);
      return chain_from(Eigen::VectorXd(state.mean() + root * normals), random);
    };
    return ness::measure_cumulant_function(settings(populations, bar), make_chain, state.mean(),
                                           ness::StepEntropy<double>(state), tilts({0.15, 0.25}));
  };
  const auto gaussian = state.linear_system();
  const auto control = clone("cloning the Gaussian chain", 4,
                             [&](const Eigen::VectorXd& start, ness::Philox random) {
                               return ness::EulerMaruyama(gaussian, 1, start, random);
                             });
  return with_training(options, sampling, [&](const auto& training) {
    return predict_cumulants(state,
                             clone("cloning " + sampling, 1,
                                   [&](const Eigen::VectorXd& start, ness::Philox random) {
                                     return ness::Chain(problem_->objective, training, start,
                                                        random);
                                   }),
                             control, static_cast<int>(options.clones));
  });
}
