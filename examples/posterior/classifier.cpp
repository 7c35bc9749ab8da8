#include "classifier.hpp"

#include <algorithm>
#include <cmath>
#include <ness/dynamics/chain.hpp>
#include <ness/landscape/objective.hpp>
#include <ness/landscape/preconditioned.hpp>
#include <ness/model/regularizer.hpp>
#include <ness/model/softmax_regression.hpp>
#include <ness/posterior/samplers.hpp>
#include <ness/random/normal.hpp>
#include <ness/random/philox.hpp>
#include <ness/trajectory/directional_variance.hpp>
#include <ness/trajectory/run.hpp>
#include <utility>

#include "../common/digits.hpp"
#include "../common/progress.hpp"
#include "../common/run_settings.hpp"
#include "../common/user_error.hpp"

namespace classifier {
namespace {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;
using Model = ness::SoftmaxRegression<>;
using Objective = ness::Objective<Model, ness::L2>;
using Minimum = ness::Minimum<>;
using Round = decltype(ness::precondition(std::declval<const Objective&>(), Vector(), Matrix()));

struct Data {
  Matrix features;  ///< 50 × M: 7 × 7 block means and 1
  std::vector<std::uint8_t> labels;
};

/// Averages the probabilities that the states of a trajectory predict, for `run_chains`.
class Prediction {
 public:
  Prediction(const Round& round, const Matrix& inputs, Eigen::Index stride)
      : round_(&round),
        inputs_(&inputs),
        stride_(stride),
        sum_(Matrix::Zero(round.model().model().classes(), inputs.cols())) {}

  void add(const ness::TrajectoryBlock<double>& block) {
    for (Eigen::Index k = 0; k < block.steps(); ++k)
      if (step_++ % stride_ == 0)
        add_state(block.reference() + block.deviations().row(k).transpose());
  }
  void add_state(const Vector& w) {
    round_->model().model().probabilities(round_->model().theta(w), *inputs_, probabilities_);
    sum_ += probabilities_;
    ++count_;
  }
  void merge(const Prediction& other) {
    sum_ += other.sum_;
    count_ += other.count_;
  }
  Matrix mean() const { return sum_ / static_cast<double>(count_); }

 private:
  const Round* round_;
  const Matrix* inputs_;
  Eigen::Index stride_;
  std::int64_t step_ = 0;
  std::int64_t count_ = 0;
  Matrix probabilities_, sum_;
};

Data with_offset(const Digits& digits) {
  const Eigen::Index samples = digits.features.cols();
  Data data{Matrix(digit_features + 1, samples), digits.labels};
  data.features << digits.features, Eigen::RowVectorXd::Ones(samples);
  return data;
}

class Study {
 public:
  /// Throws `UserError`.
  Study(const ClassifierOptions& options, const RunOptions& run)
      : options_(options),
        run_(run),
        test_(with_offset(options.synthetic
                              ? synthetic_digits(2000, 1)
                              : read_digits(options.test_images, options.test_labels))),
        objective_(make_objective(options)),
        minimum_(find_minimum()),
        round_(ness::precondition(objective_, minimum_.theta, minimum_.hessian)) {}

  Results run() {
    Results results{.minimum = minimum_,
                    .samples = samples(),
                    .reference = {},
                    .samplers = {},
                    .point = quality_of(Prediction(round_, test_.features, 1), 1),
                    .laplace = quality_of(Prediction(round_, test_.features, 1), 400)};
    // VVᵀ ≈ I here, so the noise of batches raises the variances by a relative ηn/2 with
    // replacement and (ηn)³/24 without; Euler's steps raise them by η/2. The rates below make
    // biases of 10 %, 2.5 %, 0.5 %, 5 % and none, and relaxation times of n/(ηn) updates.
    const auto n = static_cast<double>(samples()) / static_cast<double>(batch());
    results.reference = draw("reference", "full-batch Langevin-LM, long", options_.reference_budget,
                             ness::LangevinLm{.learning_rate = 0.5});
    const auto add = [&](const std::string& key, const std::string& title, const auto& sampler) {
      results.samplers.push_back(draw(key, title, options_.budget, sampler));
    };
    add("sgld", "SGLD", ness::Sgld{.learning_rate = 0.2 / n, .minibatch = {batch()}});
    add("sgld_slow", "SGLD, a quarter of the rate",
        ness::Sgld{.learning_rate = 0.05 / n, .minibatch = {batch()}});
    add("sgworld_lm", "SGWORLD-LM",
        ness::SgworldLm{.learning_rate = 0.5 / n,
                        .minibatch = {batch()},
                        .correction = {.samples = std::max<Eigen::Index>(2, samples() / 200)}});
    add("sgworld_lm_uncorrected", "SGWORLD-LM, uncorrected",
        ness::SgworldLmUncorrected{.learning_rate = 0.5 / n, .minibatch = {batch()}});
    add("full_batch", "full-batch Langevin", ness::Langevin{.learning_rate = 0.1});
    add("full_batch_lm", "full-batch Langevin-LM", ness::LangevinLm{.learning_rate = 0.5});
    // With friction 1 a variance relaxes in 1/h updates, whatever the batches.
    add("baoab_there_and_back", "BAOAB, there and back",
        ness::SmsBaoab{.learning_rate = 0.125, .minibatch = {fifth()}, .update = {.friction = 1}});
    add("kinetic_langevin", "full-batch BAOAB",
        ness::KineticLangevin{.learning_rate = 1, .minibatch = {}, .update = {.friction = 1}});
    return results;
  }

 private:
  Eigen::Index samples() const { return objective_.samples(); }

  // A divisor of M near M/120: so that steps are short beside an epoch.
  Eigen::Index batch() const {
    return ness::nearest_batch_sizes(samples(), std::max<Eigen::Index>(1, samples() / 120)).first;
  }

  // A divisor of M near M/5: what batches there and back leave is of the number of batches, not of
  // samples.
  Eigen::Index fifth() const {
    return ness::nearest_batch_sizes(samples(), std::max<Eigen::Index>(1, samples() / 5)).first;
  }

  static Objective make_objective(const ClassifierOptions& options) {
    const Data data = with_offset(
        options.synthetic ? synthetic_digits(options.samples > 0 ? options.samples : 60'000)
                          : read_digits(options.images, options.labels, options.samples));
    const auto m = static_cast<double>(data.features.cols());
    return Objective(Model(data.features, one_hot(data.labels), {m}),
                     ness::L2{0.5 / (options.prior * options.prior)});
  }

  Minimum find_minimum() const {
    auto minimum = ness::minimize(objective_, Vector(Vector::Zero(objective_.parameters())));
    if (minimum.status != ness::MinimumStatus::converged)
      throw UserError("the posterior has no maximum (lower --prior): " + minimum.explanation());
    return minimum;
  }

  // From `count` draws of N(0, I), or from w = 0 alone.
  PredictionQuality quality_of(Prediction prediction, int count) const {
    ness::Philox random(static_cast<std::uint64_t>(run_.seed), std::uint64_t{1} << 34);
    ness::Normal normal;
    Vector w = Vector::Zero(objective_.parameters());
    for (int k = 0; k < count; ++k) {
      if (count > 1) normal.fill(random, w);
      prediction.add_state(w);
    }
    return prediction_quality(prediction.mean(), test_.labels);
  }

  template <class Sampler>
  Draws draw(const std::string& key, const std::string& title, std::int64_t budget,
             const Sampler& sampler) const {
    ProgressBar bar(title);
    const auto chains = static_cast<int>(run_.chains);
    const Eigen::Index updates = sampler.updates_per_markov_step(samples());
    const auto cost = static_cast<double>(ness::gradient_evaluations(sampler, round_));
    const auto in_all = static_cast<std::int64_t>(static_cast<double>(budget * samples()) /
                                                  (cost * static_cast<double>(chains)));
    double rate = sampler.learning_rate * static_cast<double>(updates);
    if constexpr (ness::KineticUpdate<typename Sampler::Update>) rate *= 0.5;  // half the friction
    const auto burn_in = std::min(static_cast<std::int64_t>(std::ceil(5 / rate)), in_all / 2);
    const std::int64_t steps = std::max<std::int64_t>(1, in_all - burn_in);
    const ness::RunSettings settings = run_settings(run_, steps * updates, burn_in * updates, bar);
    const Vector start = Vector::Zero(objective_.parameters());
    // The draws that predict are half a relaxation time apart, those of the moments a tenth.
    const auto apart = [&](double part) {
      return std::max<Eigen::Index>(1, static_cast<Eigen::Index>(part / rate));
    };
    const Eigen::Index stride =
        ness::block_steps / std::max<Eigen::Index>(1, ness::block_steps / apart(0.1));
    const ness::DirectionalVariance<> along(Matrix(Matrix::Identity(start.size(), start.size())),
                                            ness::batch_length(steps, chains, 32),
                                            std::min(stride, steps));
    const auto [directions, prediction] = ness::run_chains(
        settings,
        [&](int k) {
          return ness::Chain(round_, sampler, start,
                             ness::Philox(settings.seed, static_cast<std::uint64_t>(k)));
        },
        start, along, Prediction(round_, test_.features, apart(0.5)));
    Vector times = directions.autocorrelation_time();
    std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
    const double effective =
        static_cast<double>(steps * chains) / (2 * std::max(times[times.size() / 2], 0.5));
    // About its own mean a series of n draws has a variance that is low by a relative 1/n.
    ness::Estimate<Vector> variance = directions.variance();
    variance.value /= 1 - 1 / std::max(effective, 2.0);
    return {.key = key,
            .title = title,
            .learning_rate = sampler.learning_rate,
            .gradient_evaluations =
                static_cast<double>(burn_in + steps) * static_cast<double>(chains) * cost,
            .effective_samples = effective,
            .mean = directions.mean(),
            .variance = variance,
            .quality = prediction_quality(prediction.mean(), test_.labels)};
  }

  ClassifierOptions options_;
  RunOptions run_;
  Data test_;
  Objective objective_;
  Minimum minimum_;
  Round round_;
};

}  // namespace

Results study(const ClassifierOptions& options, const RunOptions& run) {
  return Study(options, run).run();
}

}  // namespace classifier
