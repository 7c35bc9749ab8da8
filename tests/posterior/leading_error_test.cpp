// The leading error of samplers of epochs: against all orders, the exact error, and runs.
#include "ness/posterior/leading_error.hpp"

#include <Eigen/Core>
#include <Eigen/LU>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/minibatch/drop_last.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/choose_sampler.hpp"
#include "ness/posterior/kinetic_error.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/random/normal.hpp"
#include "ness/statistics/estimate.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_partition.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

constexpr Index n = 2, samples = 6, batch_size = 2, size = 2 * n + 1;

/// Losses of which gradients and Hessians differ by so much.
auto differing_by(double scale) {
  QuadraticLosses losses(n, samples, 5);
  MatrixXd mean = MatrixXd::Zero(n, n);
  for (const MatrixXd& each : losses.curvature) mean += each / samples;
  for (MatrixXd& each : losses.curvature) each = mean + scale * (each - mean);
  const VectorXd slope = losses.slope.rowwise().mean();
  losses.slope = (scale * (losses.slope.colwise() - slope)).colwise() + slope;
  // A minimum at 0, so that gradients there differ by the slopes alone.
  return ness::Objective(losses, QuadraticRegularizer{8 * MatrixXd::Identity(n, n), -slope});
}

/// A map of (θ, v, 1) with the covariance of what it adds.
struct Moved {
  MatrixXd map = MatrixXd::Identity(size, size), noise = MatrixXd::Zero(size, size);
  void by(const MatrixXd& m, const MatrixXd& c) {
    map = m * map;
    noise = m * noise * m.transpose() + c;
  }
};

/// Of (∂∂ℓ | ∇ℓ) of a batch.
void kick(double t, const MatrixXd& batch, MatrixXd& map, Index row) {
  map.block(row, 0, n, n) -= t * batch.leftCols(n);
  map.block(row, 2 * n, n, 1) -= t * batch.col(n);
}
template <class Scheme, class B>
void update(const ness::Training<B, ness::Kinetic<Scheme>>& sampler, const MatrixXd& batch,
            Moved& moved) {
  const auto move = [&](const ness::KineticMove& part) {
    const ness::KineticCoefficients c(part, sampler.learning_rate, sampler.update.friction);
    MatrixXd map = MatrixXd::Identity(size, size), noise = MatrixXd::Zero(size, size);
    map.block(0, n, n, n).diagonal().setConstant(c.drift);
    map.block(n, n, n, n).diagonal().setConstant(c.keep);
    if (c.kick != 0) kick(c.kick, batch, map, n);
    noise.block(0, 0, n, n).diagonal().setConstant(c.of_first * c.of_first);
    noise.block(0, n, n, n).diagonal().setConstant(c.of_first * c.first);
    noise.block(n, 0, n, n).diagonal().setConstant(c.of_first * c.first);
    noise.block(n, n, n, n).diagonal().setConstant(c.first * c.first + c.second * c.second);
    moved.by(map, noise);
  };
  for (const auto& part : Scheme::before) move(part);
  for (const auto& part : Scheme::after) move(part);
}
/// v is the last normal number.
template <class B, class Noise>
void update(const ness::Training<B, ness::Plain, Noise>& sampler, const MatrixXd& batch,
            Moved& moved) {
  const double eta = sampler.learning_rate, half = std::sqrt(eta / 2);
  MatrixXd map = MatrixXd::Identity(size, size), noise = MatrixXd::Zero(size, size);
  map.block(n, n, n, n).setZero();
  kick(eta, batch, map, 0);
  if constexpr (Noise::injection.shared) {
    map.block(0, n, n, n).diagonal().setConstant(half);
    noise.block(0, 0, n, n).diagonal().setConstant(half * half);
    noise.block(0, n, n, n).diagonal().setConstant(half);
    noise.block(n, 0, n, n).diagonal().setConstant(half);
    noise.block(n, n, n, n).diagonal().setConstant(1);
  } else {
    noise.block(0, 0, n, n).diagonal().setConstant(2 * eta);
  }
  moved.by(map, noise);
}

/// ⟨θ⟩ and Σ − Σ_po of all orders.
template <class O, class T>
std::pair<VectorXd, MatrixXd> of_all_orders(const O& objective, const T& sampler) {
  MatrixXd system = MatrixXd::Zero(size * size, size * size), noise = MatrixXd::Zero(size, size);
  constexpr Index batches = samples / batch_size;
  double count = 0;
  for_every_partition(samples, batch_size, [&](const std::vector<int>& batch_of) {
    MatrixXd each(n, n + 1);
    each << objective.regularizer_hessian(VectorXd::Zero(n)),
        objective.regularizer_gradient(VectorXd::Zero(n));
    std::vector<MatrixXd> of_batch(batches, each);
    for (std::size_t i = 0; i < samples; ++i) {
      MatrixXd& batch = of_batch[static_cast<std::size_t>(batch_of[i])];
      batch.leftCols(n) += objective.model().curvature[i] / batch_size;
      batch.col(n) += objective.model().slope.col(static_cast<Index>(i)) / batch_size;
    }
    Moved epoch;
    for (const MatrixXd& batch : of_batch) update(sampler, batch, epoch);
    if (sampler.minibatch.epoch_correlation(samples).mirrored)
      for (auto batch = of_batch.rbegin(); batch != of_batch.rend(); ++batch)
        update(sampler, *batch, epoch);
    for (Index b = 0; b < size; ++b)
      for (Index a = 0; a < size; ++a)
        system.block(a * size, b * size, size, size) -= epoch.map(a, b) * epoch.map;
    noise += epoch.noise;
    ++count;
  });
  CHECK(count == 90);
  system /= count;
  system.diagonal().array() += 1;
  VectorXd right = noise.reshaped() / count;
  const Index last = size * size - 1;  // ⟨1⟩ = 1
  system.row(last).setZero();
  system(last, last) = right[last] = 1;
  const MatrixXd second = VectorXd(system.fullPivLu().solve(right)).reshaped(size, size);
  const VectorXd mean = second.col(size - 1).head(n);
  const MatrixXd hessian = objective.hessian(VectorXd::Zero(n));
  return {mean, second.topLeftCorner(n, n) - mean * mean.transpose() - hessian.inverse()};
}

/// What is left out is smaller by one order of what batches differ in, at least.
template <class T>
void check_order(const T& sampler) {
  INFO(sampler.description());
  const auto at = [&](double scale) {
    const auto objective = differing_by(scale);
    const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(n)));
    const auto found = leading_posterior_error(objective, minimum, sampler);
    CHECK(found.status == ness::SamplingStatus::stationary);
    const auto [mean, excess] = of_all_orders(objective, sampler);
    return std::pair{relative_error(found.mean_shift.value, mean),
                     relative_error(found.covariance_excess.value, excess)};
  };
  const auto [far_mean, far] = at(0.1);
  const auto [near_mean, near] = at(0.05);
  CHECK(far_mean <= 0.05);
  CHECK(far <= 0.05);
  CHECK(near_mean <= 0.6 * far_mean);
  CHECK(near <= 0.6 * far);
}

/// Some features, more and more narrow, and targets that are noise.
auto regression(Index parameters, Index count) {
  ness::Philox random(3);
  ness::Normal normal;
  MatrixXd x(parameters, count), y(1, count);
  for (Index i = 0; i < count; ++i) {
    for (Index k = 0; k < parameters; ++k)
      x(k, i) =
          normal(random) * std::pow(10, -static_cast<double>(k) / static_cast<double>(parameters));
    y(0, i) = normal(random);
  }
  return ness::Objective(ness::LinearModel<>(x, y, {static_cast<double>(count) / 2}),
                         ness::L2{0.5});
}

/// All samples in each update, with random numbers drawn as by `Policy`.
template <class Policy>
struct AllInStepWith {
  Policy policy;
  void check(Index count, std::string_view function) const { policy.check(count, function); }
  std::string description() const { return "all samples"; }
  Index batches_per_epoch(Index count) const { return policy.batches_per_epoch(count); }
  ness::WeightMoments weight_moments(Index) const { return {}; }
  ness::EpochCorrelation epoch_correlation(Index count) const {
    return {.batches = batches_per_epoch(count)};
  }

  class Sampler {
   public:
    Sampler(const AllInStepWith& all, Index count)
        : inner_(all.policy, count), numbers_(static_cast<std::size_t>(count)) {
      std::iota(numbers_.begin(), numbers_.end(), 0U);
    }
    template <class Random>
    ness::Batch next(Random& random) {
      inner_.next(random);
      return numbers_;
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(inner_);
    }

   private:
    typename Policy::Sampler inner_;
    std::vector<std::uint32_t> numbers_;
  };
};

/// Runs what was chosen beside a chain of all samples that is moved by the same normal numbers.
/// With X = H^½(Σ − Σ_po)H^½ as predicted, z = H^½ δθ, ⟨zᵀXz⟩ less that of all samples is tr X(X −
/// X'), X' that of all samples: the ratio of the two is told, and its standard error.
template <class O, class T>
std::pair<double, double> found_over_predicted(const O& objective,
                                               const ness::Minimum<double>& minimum,
                                               const T& sampler, int batches, int steps) {
  using B = typename T::Minibatch;
  using All = ness::Training<AllInStepWith<B>, typename T::Update, typename T::Noise>;
  const All all{sampler.learning_rate, {sampler.minibatch}, sampler.update, sampler.noise};
  const ness::detail::SymmetricEigen<double> hessian(minimum.hessian);
  const MatrixXd root = hessian.function(hessian.values.cwiseSqrt());
  const auto relative = [&](const auto& of) -> MatrixXd {
    return root * leading_posterior_error(objective, minimum, of).covariance_excess.value * root;
  };
  const MatrixXd x = relative(sampler);
  const double expected = (x * (x - relative(all))).trace();
  ness::Chain chain(objective, sampler, minimum.theta, ness::Philox(4));
  ness::Chain beside(objective, all, minimum.theta, ness::Philox(4));
  const auto value = [&](const VectorXd& theta) {
    const VectorXd z = root * (theta - minimum.theta);
    return z.dot(x * z);
  };
  ness::BatchMeans<double> means(1, 1, 1);
  for (int batch = -1; batch < batches; ++batch) {
    ness::DynamicMatrix<double> sum = MatrixXd::Zero(1, 1);
    for (int k = 0; k < steps; ++k) {
      chain.step();
      beside.step();
      sum(0, 0) += value(chain.theta()) - value(beside.theta());
    }
    if (batch >= 0) means.add(sum / (steps * expected), 1);  // the first one burns in
  }
  const auto found = means.estimate();
  return {found.value(0, 0), found.standard_error(0, 0)};
}

}  // namespace

TEST_CASE(
    "the leading error is that of all orders, up to the next order of what batches differ in") {
  const auto kinetic = [](auto sampler) {
    sampler.learning_rate = 0.25;
    sampler.minibatch = {batch_size};
    sampler.update.friction = 1.5;
    check_order(sampler);
  };
  kinetic(ness::SmsUbu{});
  kinetic(ness::SmsBaoab{});
  kinetic(ness::Training<ness::WithoutReplacement, ness::Kinetic<ness::Ubu>>{});
  kinetic(ness::Training<ness::WithoutReplacement, ness::Kinetic<ness::Aboba>>{});
  check_order(ness::SgworldLmUncorrected{.learning_rate = 0.05, .minibatch = {batch_size}});
  check_order(ness::SgworldLmThereAndBack{.learning_rate = 0.05, .minibatch = {batch_size}});
  check_order(ness::SgldWithoutReplacement{.learning_rate = 0.05, .minibatch = {batch_size}});
}

TEST_CASE(
    "the leading error of short steps is that of theory.md: −h²(n + 1)/6 H⁻¹⟨(H_B − H)²⟩H⁻¹") {
  const auto objective = differing_by(1);
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(n)));
  const MatrixXd inverse = minimum.hessian.inverse();
  MatrixXd square = MatrixXd::Zero(n, n);  // of one sample
  for (const MatrixXd& each : objective.model().curvature) {
    const MatrixXd q = each + objective.regularizer_hessian(minimum.theta) - minimum.hessian;
    square += q * q / samples;
  }
  const double batches = samples / batch_size,
               scatter = (samples - batch_size) / (batch_size * (samples - 1.0));
  for (const double h : {1e-2, 1e-3}) {
    const ness::SmsBaoab sampler{
        .learning_rate = h, .minibatch = {batch_size}, .update = {.friction = 2}};
    const MatrixXd expected = -h * h * (batches + 1) / 6 * scatter * inverse * square * inverse;
    CHECK(
        relative_error(leading_posterior_error(objective, minimum, sampler).covariance_excess.value,
                       expected) <= 300 * h * h);
  }
}

TEST_CASE("of a posterior of twelve parameters the leading choice is the exact one") {
  const auto objective = regression(12, 60);
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(12)));
  const auto choice = ness::choose_sampler(objective, minimum,
                                           {.bias = 0.05,
                                            .batch_sizes = {10, 30},
                                            .most_parameters_of_epochs = 0,
                                            .epoch_map = {.permutations = 200}});
  INFO(choice);
  REQUIRE(choice.options.size() == 8);
  const auto posterior = ness::gaussian_posterior(minimum);
  for (const auto& option : choice.options)
    std::visit(
        [&]<class T>(const T& sampler) {
          if constexpr (ness::DrawsEpochs<T>) {
            const auto exact = ness::detail::bias_of(
                ness::exact_posterior_error(objective, minimum, sampler,
                                            {.epoch_map = {.permutations = 128}}),
                posterior);
            INFO(option.name << " " << option.bias.value << " +- " << option.bias.standard_error
                             << ", exactly " << exact.value << " +- " << exact.standard_error);
            CHECK(std::abs(option.bias.value - exact.value) <=
                  0.1 * exact.value + 3 * exact.standard_error);
            CHECK(option.bias.standard_error <= 0.5 * exact.value);
          }
        },
        option.sampler);
}

TEST_CASE("what is chosen for thirty and for a hundred parameters runs as it is said") {
  const auto check = [](Index parameters, std::string_view name, double bias, int batches) {
    const auto objective = regression(parameters, 2 * parameters);
    const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(parameters)));
    const auto choice = ness::choose_sampler(
        objective, minimum,
        {.bias = bias, .batch_sizes = {parameters / 2}, .epoch_map = {.permutations = 200}});
    REQUIRE(choice.options.size() == 8);
    for (const auto& option : choice.options) {
      if (option.name != name) continue;
      CHECK(option.bias.value <= bias);
      CHECK(option.bias.value >= 0.8 * bias);
      CHECK(option.bias.standard_error <= 0.2 * bias);
      std::visit(
          [&]<class T>(const T& sampler) {
            if constexpr (ness::DrawsEpochs<T>) {
              const int steps = 20 * static_cast<int>(std::ceil(option.autocorrelation_time));
              const auto [ratio, error] =
                  found_over_predicted(objective, minimum, sampler, batches, steps);
              INFO(name << " of " << parameters << ": " << ratio << " +- " << error);
              CHECK(std::abs(ratio - 1) <= 0.2);
              CHECK(error <= 0.08);
            }
          },
          option.sampler);
    }
  };
  check(30, "SgworldLmUncorrected", 0.06, 10);
  check(100, "SgworldLmUncorrected", 0.06, 5);
  check(30, "SmsBaoab", 0.12, 100);
  check(100, "SmsBaoab", 0.12, 30);
}

TEST_CASE("more parameters than are asked for are left out, and batches of two sizes refused") {
  const auto objective = regression(6, 20);
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(6)));
  const auto choice = ness::choose_sampler(
      objective, minimum,
      {.batch_sizes = {5}, .most_parameters_of_epochs = 4, .most_parameters = 5});
  CHECK(choice.options.size() == 4);
  using Smaller = ness::Training<ness::SmallerLast, ness::Kinetic<ness::Ubu>>;
  const Smaller sampler{.learning_rate = 0.01, .minibatch = {3}, .update = {.friction = 1}};
  CHECK_THROWS_WITH(leading_posterior_error(objective, minimum, sampler),
                    contains("all batches must be of one size"));
  const ness::SmsUbu wild{.learning_rate = 3, .minibatch = {5}, .update = {.friction = 1}};
  CHECK(leading_posterior_error(objective, minimum, wild).status ==
        ness::SamplingStatus::no_stationary_state);
}
