#include <algorithm>
#include <cmath>
#include <ness/landscape/minimize.hpp>
#include <ness/model/regression_network.hpp>
#include <ness/posterior/posterior_error.hpp>
#include <utility>
#include <vector>

#include "../common/user_error.hpp"
#include "problem.hpp"

namespace {

/// ψ(x) = (tanh(½ − x), tanh(½ + x), 1) (39)
Eigen::Vector3d features(double x) { return {std::tanh(0.5 - x), std::tanh(0.5 + x), 1}; }

/// ℓ_i = (M/2ε²)(y_i − θᵀψ(x_i))², so that e^{−L} is the likelihood of noise of size ε (40).
Objective make_objective(const Options& options) {
  const RegressionData data = regression_data(options);
  const auto samples = static_cast<Eigen::Index>(data.x.size());
  check_batch(options, samples, true);
  Eigen::MatrixXd psi(3, samples);
  for (Eigen::Index i = 0; i < samples; ++i)
    psi.col(i) = features(data.x[static_cast<std::size_t>(i)]);
  return Objective(
      Model(psi, Eigen::RowVectorXd::Map(data.y.data(), samples), ness::regression_loss(samples)),
      ness::L2{options.lambda});
}

ness::Minimum<> find_minimum(const Objective& objective) {
  const auto minimum = ness::minimize(objective, Eigen::Vector3d(0, 0, 0));
  if (minimum.status != ness::MinimumStatus::converged)
    throw UserError("the posterior has no maximum (raise --lambda or check the data): " +
                    minimum.explanation());
  return minimum;
}

/// Learning rates from the least to the largest of those asked for, evenly spaced in their
/// logarithm.
std::vector<double> fine_grid(const Options& options) {
  const auto [least, most] = std::minmax_element(options.eta.begin(), options.eta.end());
  constexpr int count = 49;
  std::vector<double> grid;
  for (int k = 0; k < count; ++k)
    grid.push_back(*least * std::pow(*most / *least, k / (count - 1.0)));
  return grid;
}

/// Does the theory of continuous time know it?
template <class Sampler>
constexpr bool has_theory = ness::RemembersNothing<typename Sampler::Update> &&
                            (!ness::DrawsEpochs<Sampler> || ness::DrawsOrders<Sampler>);

template <class Sampler>
SamplerResults predict(const Options& options, const Objective& objective,
                       const ness::Minimum<>& minimum, const std::string& key,
                       const std::string& title, const Sampler& open) {
  SamplerResults results{key, title, 0, {}, {}};
  const auto point = [&](double eta) {
    const Sampler sampler = at(open, eta, options, minimum);
    results.gradients_per_step = ness::gradient_evaluations(sampler, objective);
    Point at_eta{.eta = eta, .theory = {}, .exact = {}, .run = {}};
    at_eta.theory.divergence = {NAN, 0};
    if constexpr (has_theory<Sampler>)
      at_eta.theory = ness::predict_posterior_error(objective, minimum, sampler);
    return at_eta;
  };
  for (const double eta : options.eta) results.points.push_back(point(eta));
  for (const double eta : fine_grid(options)) results.curve.push_back(point(eta));
  return results;
}

}  // namespace

Study::Study(const Options& options) {
  const Objective objective = make_objective(options);
  problem_ = std::make_unique<const Problem>(Problem{options, objective, find_minimum(objective)});
}

Study::~Study() = default;

Results Study::predict() const {
  Results results{problem_->objective.samples(), problem_->minimum, {}};
  for_each_sampler([&](const std::string& key, const std::string& title, const auto& sampler) {
    results.samplers.push_back(
        ::predict(problem_->options, problem_->objective, problem_->minimum, key, title, sampler));
  });
  return results;
}
