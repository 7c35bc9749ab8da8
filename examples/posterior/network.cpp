#include "network.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <ness/dynamics/chain.hpp>
#include <ness/landscape/minimize.hpp>
#include <ness/landscape/objective.hpp>
#include <ness/model/regression_network.hpp>
#include <ness/model/regularizer.hpp>
#include <ness/posterior/samplers.hpp>
#include <ness/random/normal.hpp>
#include <ness/random/philox.hpp>
#include <ness/statistics/estimate.hpp>
#include <ness/statistics/student.hpp>
#include <ness/statistics/threads.hpp>
#include <ness/trajectory/draws.hpp>
#include <ness/trajectory/run.hpp>
#include <numbers>
#include <optional>
#include <sstream>
#include <type_traits>
#include <utility>

#include "../common/progress.hpp"
#include "../common/ranks.hpp"
#include "../common/run_settings.hpp"
#include "../common/user_error.hpp"
#include "network_exact.hpp"

namespace network {
namespace {

using Eigen::Index;
using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

constexpr std::int64_t draws_of_a_chain = 2000;
constexpr int parts_of_a_chain = 4;  // whose means are taken for independent

/// f at several x for one θ, layer by layer.
class Function {
 public:
  Function(std::vector<int> widths, const std::vector<double>& x) : widths_(std::move(widths)) {
    inputs_ = Eigen::Map<const Eigen::RowVectorXd>(x.data(), static_cast<Index>(x.size()));
  }

  Eigen::RowVectorXd operator()(const Eigen::Ref<const Vector>& theta) const {
    Matrix units = inputs_;
    const double* at = theta.data();
    for (std::size_t layer = 1; layer < widths_.size(); ++layer) {
      const Index in = widths_[layer - 1], out = widths_[layer];
      const Eigen::Map<const Matrix> weights(at, in, out);
      const Eigen::Map<const Vector> biases(at + in * out, out);
      Matrix sums = weights.transpose() * units;
      sums.colwise() += biases;
      units = layer + 1 < widths_.size() ? Matrix(sums.array().tanh()) : sums;
      at += (in + 1) * out;
    }
    return units;
  }

 private:
  std::vector<int> widths_;
  Matrix inputs_;
};

std::vector<double> evenly(double from, double to, int count) {
  std::vector<double> x;
  for (int k = 0; k < count; ++k) x.push_back(from + (to - from) * k / (count - 1));
  return x;
}

Vector vector_of(const std::vector<double>& x) {
  return Eigen::Map<const Vector>(x.data(), static_cast<Index>(x.size()));
}

/// A divisor of M near M/parts.
Index share_of(Index samples, Index parts) {
  return ness::nearest_batch_sizes(samples, std::max<Index>(1, samples / parts)).first;
}

template <class Network>
class Study {
  using Objective = ness::Objective<Network, ness::L2>;

 public:
  Study(const Options& options, const NetworkOptions& of_network, Network network,
        const RegressionData& data)
      : options_(options),
        of_network_(of_network),
        data_(data),
        widths_(of_network.widths.begin(), of_network.widths.end()),
        objective_(std::move(network), ness::L2{options.lambda}),
        minimum_(find_minimum()) {
    const auto [least, most] = std::minmax_element(data.x.begin(), data.x.end());
    const double beyond = (*most - *least) / 6;
    places_ = evenly(*least - beyond, *most + beyond, 7);
    grid_ = evenly(*least - beyond, *most + beyond, 97);
    std::vector<double> all = data.x;
    all.insert(all.end(), grid_.begin(), grid_.end());
    all.insert(all.end(), places_.begin(), places_.end());
    function_.emplace(widths_, all);
  }

  Results run() {
    Results results;
    results.widths = widths_;
    results.parameters = objective_.parameters();
    results.samples = samples();
    results.noise = ness::regression_noise;
    results.minimum = minimum_.value;
    results.curvature_least = minimum_.hessian_eigenvalues.minCoeff();
    results.curvature_most = minimum_.hessian_eigenvalues.maxCoeff();
    results.places = vector_of(places_);
    results.grid = vector_of(grid_);
    results.x = data_.x;
    results.y = data_.y;
    add_laplace(results);
    if (widths_ == std::vector<int>{1, 2, 1})
      results.exact = exact_band(
          {vector_of(data_.x), vector_of(data_.y), ness::regression_noise, options_.lambda},
          minimum_.theta, minimum_.hessian, results.places);

    const double fastest = std::sqrt(results.curvature_most);
    const double friction = 2 * std::sqrt(std::max(results.curvature_least, 2 * options_.lambda));
    const double of_epoch = results.curvature_most * static_cast<double>(samples()) /
                            static_cast<double>(options_.batch);
    results.reference = draw(
        "reference", "full-batch BAOAB, long", 4,
        ness::KineticLangevin{
            .learning_rate = 0.25 / fastest, .minibatch = {}, .update = {.friction = friction}},
        &results);
    if (!results.reference.failure.empty()) return results;
    centre_ = results.reference.mean.value;
    add_squares(results.reference);
    const auto add = [&](const std::string& key, const std::string& title, const auto& sampler) {
      results.samplers.push_back(draw(key, title, 1, sampler));
      add_squares(results.samplers.back());
    };
    add("kinetic_langevin", "full-batch BAOAB",
        ness::KineticLangevin{
            .learning_rate = 0.5 / fastest, .minibatch = {}, .update = {.friction = friction}});
    add("ubu_there_and_back", "UBU, there and back",
        ness::SmsUbu{.learning_rate = 0.15 / fastest,
                     .minibatch = {share_of(samples(), 2)},
                     .update = {.friction = friction}});
    add("baoab_there_and_back", "BAOAB, there and back",
        ness::SmsBaoab{.learning_rate = 0.15 / fastest,
                       .minibatch = {share_of(samples(), 2)},
                       .update = {.friction = friction}});
    add("sgworld_lm_uncorrected", "SGWORLD-LM, uncorrected",
        ness::SgworldLmUncorrected{.learning_rate = 0.5 / of_epoch, .minibatch = {options_.batch}});
    add("sgld", "SGLD, the same rate",
        ness::Sgld{.learning_rate = 0.5 / of_epoch, .minibatch = {options_.batch}});
    return results;
  }

 private:
  Index samples() const { return objective_.samples(); }
  Index quantities() const { return static_cast<Index>(places_.size()) + 2; }

  ness::Minimum<> find_minimum() const {
    constexpr auto converged = ness::MinimumStatus::converged;
    ness::Philox random(7);
    ness::Normal normal;
    ness::Minimum<> best;
    const int attempts = objective_.parameters() <= 20 ? 20 : 3;
    for (int attempt = 0; attempt < attempts; ++attempt) {
      Vector start(objective_.parameters());
      normal.fill(random, start);
      if (objective_.parameters() > 20) start *= prior_deviation();
      auto minimum = ness::minimize(objective_, start);
      if (minimum.status != converged) continue;
      if (best.status != converged || minimum.value < best.value) best = std::move(minimum);
    }
    if (best.status != converged)
      throw UserError("no maximum of the posterior was found from " + std::to_string(attempts) +
                      " random starts: raise --lambda or check the data");
    return best;
  }

  double prior_deviation() const { return 1 / std::sqrt(2 * options_.lambda); }

  // From the prior.
  Vector start_of(int chain) const {
    ness::Philox random(static_cast<std::uint64_t>(options_.seed),
                        (std::uint64_t{1} << 33) + static_cast<std::uint64_t>(chain));
    ness::Normal normal;
    Vector theta(objective_.parameters());
    normal.fill(random, theta);
    theta *= prior_deviation();
    return theta;
  }

  void add_laplace(Results& results) const {
    const Eigen::SelfAdjointEigenSolver<Matrix> eigen(minimum_.hessian);
    const Matrix root =
        eigen.eigenvectors() * eigen.eigenvalues().cwiseSqrt().cwiseInverse().asDiagonal();
    const auto at_grid = [&](const Eigen::RowVectorXd& f) -> Vector {
      return f.segment(samples(), static_cast<Index>(grid_.size())).transpose();
    };
    const Function& f = *function_;
    ness::Philox random(static_cast<std::uint64_t>(options_.seed), std::uint64_t{1} << 34);
    ness::Normal normal;
    constexpr Index count = 8000;
    Vector z(objective_.parameters());
    Vector sum = Vector::Zero(results.grid.size()), squares = sum;
    results.laplace_draws.resize(count, results.places.size());
    for (Index k = 0; k < count; ++k) {
      normal.fill(random, z);
      const Eigen::RowVectorXd values = f(minimum_.theta + root * z);
      sum += at_grid(values);
      squares += at_grid(values).cwiseAbs2();
      results.laplace_draws.row(k) = values.tail(results.places.size());
    }
    results.laplace.mean = sum / count;
    results.laplace.deviation = (squares / count - results.laplace.mean.cwiseAbs2()).cwiseSqrt();
    results.linear.mean = at_grid(f(minimum_.theta));
    Vector variance = Vector::Zero(results.grid.size());
    constexpr double apart = 1e-4;  // in standard deviations
    for (Index k = 0; k < root.cols(); ++k)
      variance += ((at_grid(f(minimum_.theta + apart * root.col(k))) -
                    at_grid(f(minimum_.theta - apart * root.col(k)))) /
                   (2 * apart))
                      .cwiseAbs2();
    results.linear.deviation = variance.cwiseSqrt();
  }

  // `length` in budgets. Of the reference, `results` get what its θ say.
  template <class Sampler>
  Draws draw(const std::string& key, const std::string& title, std::int64_t length,
             const Sampler& sampler, Results* results = nullptr) const {
    Draws draws;
    draws.key = key;
    draws.title = title;
    draws.step = sampler.learning_rate;
    draws.batch = samples();
    if constexpr (requires { sampler.minibatch.batch_size; })
      draws.batch = sampler.minibatch.batch_size;
    if constexpr (ness::KineticUpdate<typename Sampler::Update>)
      draws.friction = sampler.update.friction;
    const std::int64_t per_step = sampler.updates_per_markov_step(samples());
    const std::int64_t cost = ness::gradient_evaluations(sampler, objective_);
    const std::int64_t steps =
        std::max<std::int64_t>(10, length * options_.steps * options_.batch / cost);
    const std::int64_t burn_in = steps / 5;
    const std::int64_t stride = std::max<std::int64_t>(1, (steps - burn_in) / draws_of_a_chain);
    draws.gradients = static_cast<double>(steps * cost * options_.chains);
    ProgressBar bar(title);
    const ness::RunSettings settings =
        run_settings(options_, (steps - burn_in) * per_step, burn_in * per_step, bar);
    try {
      const auto [states] = ness::run_chains(
          settings,
          [&](int k) {
            return ness::Chain(objective_, sampler, start_of(k),
                               ness::Philox(settings.seed, static_cast<std::uint64_t>(k)));
          },
          Vector(Vector::Zero(objective_.parameters())),
          ness::Draws(objective_.parameters(), stride));
      const ness::NpyArray theta = states.array();
      evaluate(theta, draws);
      if (results) add_parameters(theta, *results);
    } catch (const ness::Diverged& diverged) {
      draws.failure = diverged.what();
    }
    return draws;
  }

  void evaluate(const ness::NpyArray& theta, Draws& draws) const {
    const auto chains = static_cast<int>(theta.shape[0]);
    const Index count = theta.shape[1], n = theta.shape[2], q = quantities();
    const auto grid = static_cast<Index>(grid_.size());
    draws.quantities = {{chains, count, q},
                        std::vector<double>(static_cast<std::size_t>(chains * count * q))};
    Matrix sums = Matrix::Zero(grid, chains), squares = sums;
    Vector log_density(chains);
    const Vector y = vector_of(data_.y);
    const double variance = ness::regression_noise * ness::regression_noise;
    ness::parallel_for(chains, static_cast<int>(options_.threads), [&](int chain) {
      const Function& f = *function_;
      Vector inverse = Vector::Zero(samples());  // Σ 1/p, but for the factor of a residual 0
      for (Index k = 0; k < count; ++k) {
        const Eigen::Map<const Vector> at(theta.values.data() + (chain * count + k) * n, n);
        const Eigen::RowVectorXd values = f(at);
        const Vector loss = (values.head(samples()).transpose() - y).cwiseAbs2() / (2 * variance);
        inverse += loss.array().exp().matrix();
        sums.col(chain) += values.segment(samples(), grid).transpose();
        squares.col(chain) += values.segment(samples(), grid).cwiseAbs2().transpose();
        Eigen::Map<Vector> out(draws.quantities.values.data() + (chain * count + k) * q, q);
        out.head(q - 2) = values.tail(q - 2).transpose();
        out[q - 2] = loss.sum() + options_.lambda * at.squaredNorm();
        out[q - 1] = at.squaredNorm();
      }
      log_density[chain] = -(inverse / static_cast<double>(count)).array().log().mean() -
                           0.5 * std::log(2 * std::numbers::pi * variance);
    });
    const double all = static_cast<double>(chains) * static_cast<double>(count);
    draws.band.mean = sums.rowwise().sum() / all;
    draws.band.deviation =
        (squares.rowwise().sum() / all - draws.band.mean.cwiseAbs2()).cwiseMax(0).cwiseSqrt();
    const double mean = log_density.mean();
    draws.log_density = {mean,
                         chains > 1 ? std::sqrt((log_density.array() - mean).square().sum() /
                                                (chains * (chains - 1.)))
                                    : std::numeric_limits<double>::quiet_NaN(),
                         chains - 1.};
    draws.converged = ness::convergence(draws.quantities);
    draws.mean = by_parts(draws.quantities, Vector::Zero(q), 1);
  }

  void add_squares(Draws& draws) const {
    if (draws.failure.empty()) draws.square = by_parts(draws.quantities, centre_, 2);
  }

  // The mean of (quantity − centre)^power, and its error by the scatter of the parts of chains.
  static ness::Estimate<Vector> by_parts(const ness::NpyArray& values, const Vector& centre,
                                         int power) {
    const Index chains = values.shape[0], count = values.shape[1], q = values.shape[2];
    const Index length = std::max<Index>(1, count / parts_of_a_chain);
    ness::BatchMeans<> means(q, 1, length);
    Matrix sum(q, 1);
    for (Index chain = 0; chain < chains; ++chain)
      for (Index part = 0; part < count / length; ++part) {
        sum.setZero();
        for (Index k = part * length; k < (part + 1) * length; ++k) {
          const Eigen::Map<const Vector> at(values.values.data() + (chain * count + k) * q, q);
          sum.array() += (at - centre).array().pow(power);
        }
        means.add(sum, length);
      }
    return means.estimate<Vector>();
  }

  // What θ itself says of the reference, of at most a thousand draws of a chain.
  void add_parameters(const ness::NpyArray& theta, Results& results) const {
    const Index chains = theta.shape[0], count = theta.shape[1], n = theta.shape[2];
    const Index stride = std::max<Index>(1, count / 1000);
    ness::NpyArray some{{chains, (count + stride - 1) / stride, n}, {}};
    for (Index chain = 0; chain < chains; ++chain)
      for (Index k = 0; k < count; k += stride) {
        const double* const at = theta.values.data() + (chain * count + k) * n;
        some.values.insert(some.values.end(), at, at + n);
      }
    Vector r_hat = ness::convergence(some).r_hat;
    r_hat.maxCoeff(&results.parameter);
    const Index every = std::max<Index>(1, some.shape[1] / 250);
    results.parameter_draws.resize((some.shape[1] + every - 1) / every, chains);
    for (Index chain = 0; chain < chains; ++chain)
      for (Index k = 0; k < some.shape[1]; k += every)
        results.parameter_draws(k / every, chain) = some.values[static_cast<std::size_t>(
            (chain * some.shape[1] + k) * n + results.parameter)];
    std::sort(r_hat.begin(), r_hat.end());
    results.parameters_r_hat = r_hat[n - 1];
    results.parameters_r_hat_median = r_hat[n / 2];
    if (!of_network_.draws.empty() && is_first_rank()) ness::write_npy(of_network_.draws, theta);
  }

  Options options_;
  NetworkOptions of_network_;
  RegressionData data_;
  std::vector<int> widths_;
  Objective objective_;
  ness::Minimum<> minimum_;
  std::vector<double> places_, grid_;
  std::optional<Function> function_;
  Vector centre_;
};

}  // namespace

Results study(const Options& options, const NetworkOptions& of_network) {
  const RegressionData data = regression_data(options);
  const auto count = static_cast<Index>(data.x.size());
  check_batch(options, count, true);
  const Matrix x = vector_of(data.x).transpose(), y = vector_of(data.y).transpose();
  const ness::SquaredLoss loss = ness::regression_loss(count);
  if (of_network.widths == std::vector<std::int64_t>{1, 2, 1})
    return Study(options, of_network, ness::RegressionNetwork(x, y, {}, loss), data).run();
  const std::vector<int> widths(of_network.widths.begin(), of_network.widths.end());
  return Study(options, of_network, ness::Mlp<ness::DynamicLayers>(x, y, widths, loss), data).run();
}

double Draws::r_hat() const { return converged.r_hat.maxCoeff(); }
double Draws::bulk_draws() const { return converged.bulk_draws.minCoeff(); }
double Draws::tail_draws() const { return converged.tail_draws.minCoeff(); }

bool Draws::has_converged() const {
  const double least = 25 * static_cast<double>(quantities.shape[0]);
  return r_hat() <= 1.05 && bulk_draws() >= least && tail_draws() >= least;
}

std::string Results::name(Index quantity) const {
  if (quantity == places.size()) return "objective";
  if (quantity > places.size()) return "|theta|^2";
  std::ostringstream text;
  text << std::setprecision(3) << "f(" << places[quantity] << ")";
  return text.str();
}

namespace {

/// Keeps the less likely of `furthest` and what deviates so far, with so many degrees of freedom.
void keep_furthest(Comparison& furthest, double deviation, double freedom,
                   const std::string& name) {
  const double chance = ness::student_tail(std::abs(deviation), freedom);
  if (chance < furthest.chance) furthest = {deviation, chance, name};
}

}  // namespace

Comparison Results::compare(const Draws& draws) const {
  Comparison furthest;
  const auto look = [&](const ness::Estimate<Vector>& a, const ness::Estimate<Vector>& b,
                        const std::string& what) {
    for (Index k = 0; k < a.value.size(); ++k) {
      const double of_a = std::pow(a.standard_error[k], 2);
      const double of_b = std::pow(b.standard_error[k], 2);
      const double both = of_a + of_b;
      keep_furthest(
          furthest, (a.value[k] - b.value[k]) / std::sqrt(both),
          both * both / (of_a * of_a / a.degrees_of_freedom + of_b * of_b / b.degrees_of_freedom),
          what + name(k));
    }
  };
  look(draws.mean, reference.mean, "mean of ");
  look(draws.square, reference.square, "variance of ");
  return furthest;
}

Comparison Results::compare_with_exact() const {
  Comparison furthest;
  for (Index k = 0; k < places.size(); ++k) {
    const double mean = reference.mean.value[k];
    keep_furthest(furthest, (mean - exact->mean[k]) / reference.mean.standard_error[k],
                  reference.mean.degrees_of_freedom, "mean of " + name(k));
    keep_furthest(furthest,
                  (reference.square.value[k] - std::pow(exact->deviation[k], 2)) /
                      reference.square.standard_error[k],
                  reference.square.degrees_of_freedom, "variance of " + name(k));
  }
  return furthest;
}

double Results::level() const {
  return 1e-3 / static_cast<double>(2 * (places.size() + 2) * static_cast<Index>(samplers.size()));
}

}  // namespace network
