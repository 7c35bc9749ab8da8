#include <ness/dynamics/chain.hpp>
#include <ness/fluctuation/kernel_entropy.hpp>
#include <ness/random/normal.hpp>
#include <type_traits>

#include "../common/progress.hpp"
#include "problem.hpp"

// Clones begin all over the predicted state: its slowest directions relax in many epochs.
Cumulants Study::clone(const std::string& sampling, const Prediction& predicted) const {
  const Options& options = problem_->options;
  const State& state = predicted.state;
  const auto seed = static_cast<std::uint64_t>(options.seed);
  const Eigen::MatrixXd root = ness::detail::SymmetricEigen<double>(state.covariance()).root();
  const int clones = static_cast<int>(options.clones);
  return with_training(options, sampling, [&](const auto& training) {
    const auto make_chain = [&](int i) {
      ness::Philox random(seed, static_cast<std::uint64_t>(i));
      ness::Normal normal;
      Eigen::VectorXd normals(state.mean().size());
      normal.fill(random, normals);
      const Eigen::VectorXd start = state.mean() + root * normals;
      return ness::Chain(problem_->objective, training, start, random);
    };
    ProgressBar bar("cloning " + sampling);
    const ness::CloningSettings settings{
        .steps = options.clone_steps,
        .burn_in = options.clone_steps / 4,
        .clones = clones,
        .populations = 1,
        .batches = 8,
        .threads = static_cast<int>(options.threads),
        .seed = seed,
        .progress = [&bar](std::int64_t done, std::int64_t all) { bar(done, all); }};
    return predict_cumulants(
        state,
        ness::measure_cumulant_function(settings, make_chain, state.mean(),
                                        ness::StepEntropy<double>(state), tilts({0.15, 0.25})),
        clones);
  });
}
