// The chooser of samplers: its parts against closed forms, and what it chose by running it.
#include "ness/posterior/choose_sampler.hpp"

#include <Eigen/Eigenvalues>

#include <cmath>
#include <cstdint>
#include <sstream>
#include <utility>
#include <variant>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/model/control_variates.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/posterior_estimator.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

// Samples of unequal curvature, in directions of which one is eight times as narrow.
const auto& objective() {
  static const auto result = [] {
    MatrixXd x = generic_values(2, 12, 1);
    x.row(0) *= 4;
    return ness::Objective(ness::LinearModel<>(x, generic_values(1, 12, 2), {6}), ness::L2{0.5});
  }();
  return result;
}
const auto& minimum() {
  static const auto result = ness::minimize(objective(), VectorXd(VectorXd::Zero(2)));
  return result;
}

/// Bias and autocorrelation time, as a run of so many independent draws shows them.
template <class T>
std::pair<ness::Estimate<double>, double> run(const T& sampler, double autocorrelation_time,
                                              double draws) {
  const auto posterior = ness::gaussian_posterior(minimum());
  // In batches that are long beside the slowest time.
  const auto tau = static_cast<std::int64_t>(std::ceil(autocorrelation_time));
  const std::int64_t steps = 2 * tau * static_cast<std::int64_t>(draws / 4);
  const auto [estimator] = ness::run_chains(
      {.steps = steps, .burn_in = 20 * tau, .chains = 4},
      [&](int k) {
        return ness::Chain(objective(), sampler, minimum().theta,
                           ness::Philox(9, static_cast<std::uint64_t>(k)));
      },
      minimum().theta, ness::PosteriorEstimator<>(posterior, 50 * tau));
  return {ness::detail::bias_of(estimator.result(), posterior),
          estimator.autocorrelation_time().maxCoeff()};
}

void check_by_running(const ness::SamplerOption& option) {
  std::visit(
      [&](const auto& sampler) {
        const double wanted = 0.04 * option.bias.value;  // a fifth of what it may be off
        const auto [bias, time] = run(sampler, option.autocorrelation_time, 2 / (wanted * wanted));
        INFO(option.name << ": " << bias.value << " +- " << bias.standard_error << ", predicted "
                         << option.bias.value << "; " << time << " of "
                         << option.autocorrelation_time);
        CHECK(std::abs(bias.value - option.bias.value) <= 0.2 * option.bias.value);
        CHECK(bias.standard_error <= 2.6 * wanted);
        CHECK(std::abs(time / option.autocorrelation_time - 1) <= 0.1);
        CHECK(option.effective_draws ==
              1e5 / (2 * option.autocorrelation_time *
                     static_cast<double>(ness::gradient_evaluations(sampler, objective()))));
      },
      option.sampler);
}

}  // namespace

TEST_CASE("the bias is that of the direction that is most wrong, whatever its units") {
  ness::Minimum<double> at;
  at.theta = VectorXd::Zero(2);
  at.hessian = Eigen::Vector2d(100, 0.25).asDiagonal();
  const auto posterior = ness::gaussian_posterior(at);
  ness::PosteriorError<double> error;
  error.mean_shift = {Eigen::Vector2d(0.003, 0), Eigen::Vector2d(0.001, 0)};
  error.covariance_excess = {Eigen::Vector2d(0.0001, -0.2).asDiagonal(),
                             Eigen::Vector2d(0.0003, 0.02).asDiagonal()};
  const auto variance = ness::detail::bias_of(error, posterior);
  CHECK(relative_error(variance.value, 0.2 * 0.25) <= 1e-13);
  CHECK(relative_error(variance.standard_error, 0.02 * 0.25) <= 1e-13);
  error.mean_shift.value[0] = 0.03;
  const auto shift = ness::detail::bias_of(error, posterior);
  CHECK(relative_error(shift.value, 0.03 * 10) <= 1e-13);
  CHECK(relative_error(shift.standard_error, 0.001 * 10) <= 1e-13);
  error.status = ness::SamplingStatus::no_stationary_state;
  CHECK(std::isinf(ness::detail::bias_of(error, posterior).value));
}

TEST_CASE("batch sizes to choose from divide M and are spread evenly") {
  using Sizes = std::vector<Index>;
  CHECK(ness::detail::some_batch_sizes<Index>(12) == Sizes{1, 2, 3, 4, 6});
  CHECK(ness::detail::some_batch_sizes<Index>(13) == Sizes{1});
  CHECK(ness::detail::some_batch_sizes<Index>(1) == Sizes{1});
  CHECK(ness::detail::some_batch_sizes<Index>(200) == Sizes{1, 2, 5, 20, 40, 100});
  CHECK(ness::detail::some_batch_sizes<Index>(60'000).size() == 6);
}

TEST_CASE("what the chooser predicts is what a run shows") {
  const auto choice = ness::choose_sampler(objective(), minimum(), {.bias = 0.08, .budget = 1e5});
  INFO(choice);
  REQUIRE(choice.options.size() == 8);
  for (std::size_t k = 0; k < choice.options.size(); ++k) {
    const auto& option = choice.options[k];
    CHECK(option.bias.value <= 0.08);
    CHECK(option.bias.standard_error <= 0.1 * option.bias.value);
    if (k > 0) CHECK(option.gradients_per_draw >= choice.options[k - 1].gradients_per_draw);
    if (option.bias.value > 0.04) check_by_running(option);  // else it takes too long to see it
  }
  CHECK(choice.best().name == choice.options.front().name);
}

TEST_CASE("a sampler has the longest step that its bias and stability leave") {
  const auto choice =
      ness::choose_sampler(objective(), minimum(),
                           {.bias = 0.05, .batch_sizes = {3}, .epoch_map = {.permutations = 500}});
  const double fastest =
      Eigen::SelfAdjointEigenSolver<MatrixXd>(minimum().hessian).eigenvalues()[1];
  int found = 0;
  for (const auto& option : choice.options) {
    INFO(option.name);
    const double step =
        std::visit([](const auto& sampler) { return sampler.learning_rate; }, option.sampler);
    if (option.name.starts_with("KineticLangevin")) {
      CHECK(relative_error(step * std::sqrt(fastest), 1.0) <= 1e-12);
      ++found;
    } else if (option.name.starts_with("LangevinLm")) {
      CHECK(relative_error(step * fastest, 1.0) <= 1e-12);
      ++found;
    } else if (option.name == "Sgld") {  // of first order in the step, which is found within 3 %
      CHECK(option.bias.value >= 0.95 * 0.05);
      ++found;
    }
  }
  CHECK(found == 3);
}

TEST_CASE("the less bias is tolerated, the more a draw costs") {
  double last = 0;
  for (const double bias : {0.3, 0.03, 0.003}) {
    const auto choice = ness::choose_sampler(
        objective(), minimum(),
        {.bias = bias, .batch_sizes = {3}, .epoch_map = {.permutations = 500}});
    double cost = 0;
    for (const auto& option : choice.options)
      if (option.name == "Sgld") cost = option.gradients_per_draw;
    CHECK(cost > 3 * last);
    last = cost;
  }
}

TEST_CASE("gradients with control variates count twice, and noise is less") {
  const ness::Objective controlled(ness::ControlVariates(objective().model(), minimum().theta),
                                   ness::L2{0.5});
  const ness::SamplerSearch search{
      .bias = 0.05, .batch_sizes = {3}, .epoch_map = {.permutations = 500}};
  const auto of = [&](const auto& target) {
    const auto choice = ness::choose_sampler(target, minimum(), search);
    for (const auto& option : choice.options)
      if (option.name == "Sgld") return option;
    return choice.best();
  };
  const auto before = of(objective()), after = of(controlled);
  CHECK(std::get<ness::Sgld>(after.sampler).learning_rate >
        std::get<ness::Sgld>(before.sampler).learning_rate);
  CHECK(relative_error(after.gradients_per_draw, 2 * after.autocorrelation_time * 6) <= 1e-14);
}

TEST_CASE("a table of samplers, and what is refused") {
  const auto choice = ness::choose_sampler(
      objective(), minimum(), {.batch_sizes = {4}, .epoch_map = {.permutations = 100}});
  std::ostringstream out;
  out << choice;
  CHECK_THAT(out.str(), contains("gradients/draw") && contains("SmsUbu") && contains(" all "));
  CHECK_THROWS_WITH(ness::SamplerChoice{}.best(), contains("tolerate more"));
  const auto with = [](const ness::SamplerSearch& search) {
    return ness::choose_sampler(objective(), minimum(), search);
  };
  CHECK_THROWS_WITH(with({.bias = 0}), contains("bias"));
  CHECK_THROWS_WITH(with({.budget = -1}), contains("budget"));
  CHECK_THROWS_WITH(with({.batch_sizes = {5}}), contains("5"));
}
