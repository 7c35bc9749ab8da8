// Which sampler to take: for a posterior, a budget and a tolerated bias (not in the paper).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/subspace.hpp"
#include "ness/posterior/autocorrelation_time.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/posterior/kinetic_error.hpp"
#include "ness/posterior/leading_error.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/update/kinetic.hpp"

namespace ness {

/// What `choose_sampler` chooses from. Use it by `std::visit`.
using AnySampler = std::variant<Sgld, SgworldLmUncorrected, SgworldLmThereAndBack,
                                UbuWithReplacement, SmsUbu, SmsBaoab, LangevinLm, KineticLangevin>;

/// What is asked of a sampler.
struct SamplerSearch {
  double bias = 0.01;   ///< tolerated, relative: see `SamplerOption::bias`
  double budget = 1e6;  ///< gradients of single samples
  /// To choose from; each divides M. Empty: up to six from 1 to M/2.
  std::vector<Index> batch_sizes = {};
  Index most_parameters_of_epochs = 12;  ///< of more, `leading_posterior_error` is taken: no N⁴
  Index most_parameters = 200;           ///< of more, epochs are left out: N³ numbers
  EpochMapSettings epoch_map = {.permutations = 4000};  ///< of what is reported

  /// Throws `std::invalid_argument` for a bias or budget that is not positive, or a batch size that
  /// does not divide M.
  void check(Index samples) const {
    detail::require_positive(bias, "choose_sampler", "bias");
    detail::require_positive(budget, "choose_sampler", "budget");
    for (const Index size : batch_sizes) detail::check_divisor(size, samples, "choose_sampler");
    epoch_map.check("choose_sampler");
  }
};

/// A sampler with its settings, and what it does of a posterior that is Gaussian, or taken for that
/// about its minimum.
struct SamplerOption {
  std::string_view name;  ///< as the library calls it
  AnySampler sampler;     ///< with its settings
  /// The largest of |x|, x the eigenvalues of Σ_po⁻¹(Σ − Σ_po), and of the shift of the mean in
  /// standard deviations: of any direction the variance is as wrong as that, at most. Its error is
  /// the standard error of `exact_posterior_error`, or what `leading_posterior_error` is off by in
  /// the eight directions that are most wrong.
  Estimate<double> bias;
  /// ½ + Σ_k ρ_k in Markov steps, of the slowest of all θ and θ² along eigenvectors of the Hessian.
  double autocorrelation_time = 0;
  double gradients_per_draw =
      0;                       ///< of single samples, for a draw that is worth an independent one
  double effective_draws = 0;  ///< of the budget
  /// Of a variance, relative, by so many draws: √(2/draws).
  double scatter() const { return std::sqrt(2 / effective_draws); }
};

/// Those that are not more wrong than is tolerated, the one with the most draws first.
struct SamplerChoice {
  std::vector<SamplerOption> options;  ///< the best first

  /// Throws `std::runtime_error` if there is none.
  const SamplerOption& best() const {
    if (options.empty())
      throw std::runtime_error(
          "ness: choose_sampler: no sampler is as good as the tolerated bias: tolerate more of it");
    return options.front();
  }
};

namespace detail {

/// `Stream` is std::ostream, a template argument only so that this is compiled where it is used.
template <class Stream>
void print(Stream& out, const SamplerChoice& choice);

}  // namespace detail

/// As a table.
template <std::same_as<SamplerChoice> Choice>  // so that it is compiled where it is printed
std::ostream& operator<<(std::ostream& out, const Choice& choice) {
  detail::print(out, choice);
  return out;
}

namespace detail {

/// `SamplerOption::bias`, with its standard error along the direction that is most wrong.
template <class Scalar>
Estimate<Scalar> bias_of(const PosteriorError<Scalar>& error,
                         const GaussianPosterior<Scalar>& posterior);

/// The eigenvectors of the Hessian along which Σ is most wrong, relative, so many at most.
template <class Scalar>
Eigenpairs<Scalar> most_wrong(const PosteriorError<Scalar>& error,
                              const GaussianPosterior<Scalar>& posterior, Index count);

/// Up to six divisors of M from 1 to M/2, about evenly in their logarithms.
template <class Integer>
std::vector<Integer> some_batch_sizes(Integer samples);

/// The search: for each batch size and friction the longest step whose bias is tolerated, which is
/// found by halving a step that is too long, and then by bisection.
template <class M, class R>
class SamplerChooser {
 public:
  SamplerChooser(const Objective<M, R>& objective, const Minimum<double>& minimum,
                 const SamplerSearch& search)
      : objective_(&objective),
        minimum_(&minimum),
        search_(&search),
        posterior_(posterior_about(minimum, "choose_sampler")),
        curvatures_(SymmetricEigen<double>(minimum.hessian).values),
        batch_sizes_(search.batch_sizes.empty() ? some_batch_sizes(objective.samples())
                                                : search.batch_sizes) {
    const Index size = curvatures_.size();
    if (size > search.most_parameters_of_epochs && size <= search.most_parameters)
      leading_.emplace(objective, minimum);
  }

  SamplerChoice choose() const {
    SamplerChoice choice;
    add<Sgld>("Sgld", choice);
    add<SgworldLmUncorrected>("SgworldLmUncorrected", choice);
    add<SgworldLmThereAndBack>("SgworldLmThereAndBack", choice);
    add<UbuWithReplacement>("UbuWithReplacement", choice);
    add<SmsUbu>("SmsUbu", choice);
    add<SmsBaoab>("SmsBaoab", choice);
    add<LangevinLm>("LangevinLm, of all samples", choice);
    add<KineticLangevin>("KineticLangevin, of all samples", choice);
    std::sort(choice.options.begin(), choice.options.end(), [](const auto& a, const auto& b) {
      return a.gradients_per_draw < b.gradients_per_draw;
    });
    return choice;
  }

 private:
  template <class T>
  static constexpr bool is_kinetic = KineticUpdate<typename T::Update>;

  template <class T>
  static T sampler_of(double step, Index batch_size, double friction) {
    T sampler;
    sampler.learning_rate = step;
    if constexpr (requires { sampler.minibatch.batch_size; })
      sampler.minibatch.batch_size = batch_size;
    if constexpr (is_kinetic<T>) sampler.update.friction = friction;
    return sampler;
  }

  template <class T>
  Estimate<double> bias(const T& sampler, const EpochMapSettings& epochs) const {
    if constexpr (DrawsEpochs<T>)
      if (leading_) return bias_of((*leading_)(sampler), posterior_);
    return bias_of(exact_posterior_error(*objective_, *minimum_, sampler, {.epoch_map = epochs}),
                   posterior_);
  }

  // Of few orders, always the same ones, so that it is smooth in the step.
  template <class T>
  bool is_tolerated(const T& sampler) const {
    const EpochMapSettings few{
        .permutations = 64, .threads = search_->epoch_map.threads, .seed = search_->epoch_map.seed};
    return bias(sampler, few).value <= search_->bias;
  }

  /// The longest step that is tolerated, 0 if none of 60 halvings is. All are stable with something
  /// to spare, for a target that is not quite Gaussian.
  template <class T>
  double longest_step(Index batch_size, double friction) const {
    const double fastest = curvatures_[curvatures_.size() - 1];
    const double longest = is_kinetic<T> ? 1 / std::sqrt(fastest) : 1 / fastest;
    double step = longest, too_long = longest;
    for (int halvings = 0; !is_tolerated(sampler_of<T>(step, batch_size, friction)); ++halvings) {
      if (halvings == 60) return 0;
      too_long = step;
      step /= 2;
    }
    if (step == longest) return step;
    for (int k = 0; k < 5; ++k) {
      const double middle = std::sqrt(step * too_long);
      (is_tolerated(sampler_of<T>(middle, batch_size, friction)) ? step : too_long) = middle;
    }
    return step;
  }

  /// The better of `best` and that with this batch size and friction.
  template <class T>
  void improve(Index batch_size, double friction, std::string_view name,
               SamplerOption& best) const {
    const double step = longest_step<T>(batch_size, friction);
    if (step == 0) return;
    const T sampler = sampler_of<T>(step, batch_size, friction);
    const SamplerOption found = option(sampler, name);
    if (best.gradients_per_draw > 0 && best.gradients_per_draw <= found.gradients_per_draw) return;
    best = found;
  }

  template <class T>
  SamplerOption option(const T& sampler, std::string_view name) const {
    const double tau = autocorrelation_time(*objective_, *minimum_, sampler);
    const auto gradients = static_cast<double>(gradient_evaluations(sampler, *objective_));
    return {
        .name = name,
        .sampler = sampler,
        .bias = {std::numeric_limits<double>::infinity(), 0},  // not known as well as it will be
        .autocorrelation_time = tau,
        .gradients_per_draw = 2 * tau * gradients,
        .effective_draws = search_->budget / (2 * tau * gradients)};
  }

  template <class T>
  void add(std::string_view name, SamplerChoice& choice) const {
    if constexpr (DrawsEpochs<T>)
      if (!leading_ && curvatures_.size() > search_->most_parameters_of_epochs) return;
    const double slow = std::sqrt(curvatures_[0]);
    SamplerOption best;
    if constexpr (DrawsIndependently<T> && !requires(T t) { t.minibatch.batch_size; })
      improve<T>(0, 2 * slow, name, best);
    else
      for (const Index size : batch_sizes_) improve<T>(size, 2 * slow, name, best);
    if (best.gradients_per_draw == 0) return;
    if constexpr (is_kinetic<T>) {
      Index size = 0;
      if constexpr (requires(T t) { t.minibatch.batch_size; })
        size = std::get<T>(best.sampler).minibatch.batch_size;
      for (const double times : {1.0, 1.4, 3.0}) improve<T>(size, times * slow, name, best);
    }
    // Few orders may have said too little of its bias.
    T sampler = std::get<T>(best.sampler);
    for (int k = 0; k < 60; ++k, sampler.learning_rate *= 0.95) {
      Estimate<double> found = bias(sampler, search_->epoch_map);
      if (!(found.value <= search_->bias)) continue;
      if constexpr (DrawsEpochs<T>)
        if (leading_) found.standard_error = found.value * left_out(sampler);
      if (!std::isfinite(found.standard_error)) continue;  // exactly, it runs away
      choice.options.push_back(option(sampler, name));
      choice.options.back().bias = found;
      return;
    }
  }

  /// What the leading error is off by, relative, in the few directions that are most wrong: there
  /// the exact one is had.
  template <class T>
  double left_out(const T& sampler) const {
    constexpr Index count = 8;
    const Eigenpairs<double> pairs = most_wrong<double>((*leading_)(sampler), posterior_, count);
    const auto few = in_subspace(*objective_, minimum_->theta, pairs.vectors);
    const Minimum<double> at = in_subspace(*minimum_, pairs);
    const EpochMapSettings epochs{
        .permutations = std::min<std::int64_t>(search_->epoch_map.permutations, std::int64_t{512}),
        .threads = search_->epoch_map.threads,
        .seed = search_->epoch_map.seed};
    const auto posterior = gaussian_posterior(at);
    const auto exact =
        bias_of(exact_posterior_error(few, at, sampler, {.epoch_map = epochs}), posterior);
    const auto leading = bias_of(leading_posterior_error(few, at, sampler), posterior);
    if (exact.value == 0) return 0;
    return (std::abs(leading.value - exact.value) + exact.standard_error) / exact.value;
  }

  const Objective<M, R>* objective_;
  const Minimum<double>* minimum_;
  const SamplerSearch* search_;
  GaussianPosterior<double> posterior_;
  DynamicVector<double> curvatures_;
  std::vector<Index> batch_sizes_;
  std::optional<LeadingErrors<M, R>> leading_;  // of too many parameters for the exact ones
};

}  // namespace detail

/// For a posterior e^{−𝓛}, a tolerated bias and a budget of gradients: of each sampler the step,
/// batch size and friction with which a draw costs least, with its bias, autocorrelation time and
/// effective draws, the best sampler first. All of it before anything is run:
///
///   const auto choice = ness::choose_sampler(objective, minimum, {.bias = 0.01, .budget = 1e7});
///   std::visit([&](const auto& sampler) { /* run it */ }, choice.best().sampler);
///
/// The bias is that of `exact_posterior_error`, exact where losses are quadratic in θ (else taken
/// for quadratic about θ₀), to all orders in the step; of epochs of more than some ten parameters
/// that of `leading_posterior_error`, which is off by about its square. What falls as draws⁻½
/// beside it is `scatter`. Frictions are 1 to 3 √h_min; steps the longest whose bias is tolerated,
/// to some per cent, up to 1/h_max, or 1/√h_max of a kinetic sampler: those of all samples are
/// exact for Gaussians at any step, and would not be if the target is another.
///
/// Cost: some hundred `exact_posterior_error`s of each sampler, of epochs by 64 orders: seconds for
/// some ten parameters and hundreds of samples, and in proportion to those; of more parameters some
/// hundred `leading_posterior_error`s of epochs. Throws `std::invalid_argument` for
/// settings that do not fit, or without a minimum.
template <class M, class R>
SamplerChoice choose_sampler(const Objective<M, R>& objective, const Minimum<double>& minimum,
                             const SamplerSearch& search = {}) {
  search.check(objective.samples());
  return detail::SamplerChooser<M, R>(objective, minimum, search).choose();
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <sstream>

namespace ness::detail {

template <class Stream>
void print(Stream& out, const SamplerChoice& choice) {
  std::ostringstream table;  // the stream keeps its own format
  table.precision(3);
  const auto cell = [&](int width, const auto& what) {
    table.width(width);
    table << what;
  };
  const auto name = [&](std::string_view what) {
    table << std::left;
    cell(36, what);
    table << std::right;
  };
  name("sampler");
  cell(11, "step");
  cell(11, "friction");
  cell(9, "batch");
  cell(11, "bias");
  cell(17, "gradients/draw");
  cell(11, "draws");
  cell(11, "scatter");
  table << '\n';
  for (const auto& option : choice.options) {
    name(option.name);
    std::visit(
        [&](const auto& sampler) {
          cell(11, sampler.learning_rate);
          if constexpr (requires { sampler.update.friction; })
            cell(11, sampler.update.friction);
          else
            cell(11, '-');
          if constexpr (requires { sampler.minibatch.batch_size; })
            cell(9, sampler.minibatch.batch_size);
          else
            cell(9, "all");
        },
        option.sampler);
    cell(11, option.bias.value);
    cell(17, option.gradients_per_draw);
    cell(11, option.effective_draws);
    cell(11, option.scatter());
    table << '\n';
  }
  out << table.str();
}

template <class Scalar>
Estimate<Scalar> bias_of(const PosteriorError<Scalar>& error,
                         const GaussianPosterior<Scalar>& posterior) {
  using Matrix = DynamicMatrix<Scalar>;
  if (error.status != SamplingStatus::stationary)
    return {std::numeric_limits<Scalar>::infinity(), 0};
  // Of (θ − θ₀)ᵀH(θ − θ₀), in coordinates where H is 1.
  const SymmetricEigen<Scalar> hessian(posterior.precision);
  const Matrix root = hessian.function(hessian.values.cwiseSqrt());
  const SymmetricEigen<Scalar> excess(product(root, product(error.covariance_excess.value, root)));
  Eigen::Index most = 0;
  const Scalar largest = excess.values.cwiseAbs().maxCoeff(&most);
  const Scalar shift = (root * error.mean_shift.value).norm();
  if (shift > largest) return {shift, (root * error.mean_shift.standard_error).norm()};
  const DynamicVector<Scalar> along = root * excess.vectors.col(most);
  Scalar variance(0);
  for (Eigen::Index j = 0; j < along.size(); ++j)
    for (Eigen::Index i = 0; i < along.size(); ++i)
      variance += std::pow(along[i] * along[j] * error.covariance_excess.standard_error(i, j), 2);
  return {largest, std::sqrt(variance)};
}

template <class Scalar>
Eigenpairs<Scalar> most_wrong(const PosteriorError<Scalar>& error,
                              const GaussianPosterior<Scalar>& posterior, Index count) {
  const SymmetricEigen<Scalar> hessian(posterior.precision);
  const DynamicMatrix<Scalar> excess =
      product(transposed(hessian.vectors), product(error.covariance_excess.value, hessian.vectors));
  const DynamicVector<Scalar> wrong = hessian.values.cwiseProduct(excess.diagonal()).cwiseAbs();
  std::vector<Index> order(static_cast<std::size_t>(wrong.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return wrong[a] > wrong[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  std::sort(order.begin(), order.end(), std::greater<>());  // the largest eigenvalue first
  return {.values = hessian.values(order),
          .vectors = hessian.vectors(Eigen::all, order),
          .residuals = DynamicVector<Scalar>::Zero(static_cast<Index>(order.size())),
          .converged = true};
}

template <class Integer>
std::vector<Integer> some_batch_sizes(Integer samples) {
  std::vector<Integer> divisors;
  for (Integer size = 1; 2 * size <= samples; ++size)
    if (samples % size == 0) divisors.push_back(size);
  if (divisors.empty()) return {1};
  constexpr std::size_t most = 6;
  if (divisors.size() <= most) return divisors;
  std::vector<Integer> result;
  const double longest = std::log(static_cast<double>(divisors.back()));
  for (std::size_t k = 0; k < most; ++k) {
    const double wanted = longest * static_cast<double>(k) / (most - 1);
    const auto distance = [&](Integer size) {
      return std::abs(std::log(static_cast<double>(size)) - wanted);
    };
    const Integer nearest =
        *std::min_element(divisors.begin(), divisors.end(),
                          [&](Integer a, Integer b) { return distance(a) < distance(b); });
    if (result.empty() || result.back() != nearest) result.push_back(nearest);
  }
  return result;
}

}  // namespace ness::detail
#endif
