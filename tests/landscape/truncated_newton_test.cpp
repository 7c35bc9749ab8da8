// A minimum by Hessian products alone, against the dense road and what is known.
#include "ness/landscape/truncated_newton.hpp"

#include <cmath>
#include <vector>

#include "ness/landscape/damped_newton.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/mlp.hpp"
#include "ness/model/softmax_regression.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;
using ness::MinimumStatus;

MatrixXd one_hot(Index classes, Index samples) {
  MatrixXd result = MatrixXd::Zero(classes, samples);
  for (Index i = 0; i < samples; ++i) result((i * i + i / 3) % classes, i) = 1;
  return result;
}

/// The same point, in units of the landscape: √(δθᵀHδθ) of √𝓛.
template <class M, class R>
void check_against_dense(const ness::Objective<M, R>& objective, const VectorXd& start,
                         double tolerance) {
  const auto found =
      ness::minimize(ness::StreamedObjective(objective), start, {.relative_gradient = 1e-12});
  INFO(found.explanation() << ", " << found.iterations << " iterations");
  CHECK(found.status == MinimumStatus::converged);
  CHECK(found.hessian.size() == 0);
  const auto dense = ness::minimize(objective, found.theta);
  REQUIRE(dense.status == MinimumStatus::converged);
  const VectorXd away = found.theta - dense.theta;
  CHECK(std::sqrt(away.dot(dense.hessian * away)) <= tolerance * std::sqrt(dense.value));
  CHECK(relative_error(found.value, dense.value) <= 1e-12);
  REQUIRE(found.hessian_eigenvalues.size() == 1);
  CHECK(found.hessian_eigenvalues[0] >= dense.hessian_eigenvalues[0] * (1 - 1e-9));
  REQUIRE(found.offset.size() == start.size());
  const VectorXd left =
      found.offset - ness::minimize(objective, found.theta, {.max_iterations = 0}).offset;
  CHECK(left.norm() <= 0.3 * found.offset.norm() + 1e-12 * found.theta.norm());
}

/// ⟨(θ₀² − 1)²⟩ + |θ|²: two minima with a saddle at 0.
struct TwoWells {
  Index n = 5;
  Index parameters() const { return n; }
  Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Index) const {
    auto sum = (theta[0] * theta[0] - 1.0) * (theta[0] * theta[0] - 1.0);
    for (Index k = 1; k < n; ++k) sum += static_cast<double>(k) * theta[k] * theta[k];
    return sum;
  }
};

/// Samples that are alike, about a minimum at √2 that no number is.
struct Alike {
  Index parameters() const { return 3; }
  Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Index) const {
    auto sum = (theta[0] * theta[0] - 2.0) * (theta[0] * theta[0] - 2.0);
    for (Index k = 1; k < 3; ++k) sum += (theta[k] - 0.3) * (theta[k] - 0.3);
    return sum;
  }
};

/// Curvatures up to 100, and a maximum of −0.004 along the first axis.
struct ShallowWells {
  Index parameters() const { return 200; }
  Index samples() const { return 4; }
  auto sample_loss(const auto& theta, Index i) const {
    const double noise = i % 2 == 0 ? 1 : -1;
    auto sum = 1e-3 * ((theta[0] * theta[0] - 1.0) * (theta[0] * theta[0] - 1.0));
    for (Index k = 1; k < 200; ++k)
      sum += (0.005 + 0.25 * static_cast<double>(k)) * (theta[k] - noise) * (theta[k] - noise);
    return sum;
  }
};

}  // namespace

TEST_CASE("Minima by Hessian products are those of the dense road") {
  const MatrixXd x = generic_values(6, 300, 1), y = generic_values(3, 300, 2);
  check_against_dense(ness::Objective(ness::LinearModel<>(x, y), ness::L2{1e-3}),
                      VectorXd::Zero(18), 1e-9);
  check_against_dense(
      ness::Objective(ness::SoftmaxRegression<>(generic_values(49, 400, 1), one_hot(10, 400)),
                      ness::L2{1e-3}),
      VectorXd::Zero(490), 1e-9);
  check_against_dense(
      ness::Objective(ness::Mlp<ness::DynamicLayers>(x, y, {6, 5, 3}), ness::L2{0.01}),
      0.3 * generic_values(53, 1, 3), 1e-9);
  check_against_dense(network(), network_minimum().theta + 0.01 * generic_values(7, 1, 3), 1e-9);
}

TEST_CASE("Stretched quadratic forms are solved, whatever the units of the loss") {
  MatrixXd x = generic_values(10, 200, 1);
  for (Index k = 0; k < 10; ++k) x.row(k) *= std::pow(10., -0.3 * static_cast<double>(k));
  const MatrixXd y = generic_values(1, 200, 2);
  ness::Minimum<double> one;
  for (const double scale : {1.0, 0x1p-27, 0x1p27}) {  // without rounding of their own
    const ness::Objective objective(ness::LinearModel<>(x, y, ness::SquaredLoss{scale}));
    const auto found = ness::minimize(ness::StreamedObjective(objective), VectorXd::Zero(10));
    CHECK(found.status == MinimumStatus::converged);
    if (scale == 1) one = found;
    CHECK(found.iterations == one.iterations);
    CHECK(relative_error(found.theta, one.theta) <= 1e-6);
  }
}

TEST_CASE("A quadratic form keeps its promises, so that the steps to its minimum double") {
  MatrixXd x = generic_values(10, 200, 1);
  for (Index k = 0; k < 10; ++k) x.row(k) *= std::pow(10., -0.4 * static_cast<double>(k));
  const ness::Objective objective(ness::LinearModel<>(x, generic_values(1, 200, 2)));
  const VectorXd gradient = objective.gradient(VectorXd::Zero(10));
  const VectorXd image = objective.hessian(VectorXd::Zero(10)) * gradient;
  const double first = std::pow(gradient.norm(), 3) / gradient.dot(image);  // the step along it
  const auto found = ness::minimize(ness::StreamedObjective(objective), VectorXd::Zero(10));
  CHECK(found.status == MinimumStatus::converged);
  const double doublings = std::log2(found.theta.norm() / first);
  CHECK(doublings > 8);
  CHECK(found.iterations <= doublings + 8);
}

TEST_CASE("A saddle is left along negative curvature, also from its very point") {
  const ness::Objective objective(TwoWells{});
  const ness::StreamedObjective streamed(objective);
  VectorXd beside = VectorXd::Zero(5);
  beside[2] = 1;
  for (const VectorXd& start : {VectorXd(VectorXd::Zero(5)), beside}) {
    const auto found = ness::minimize(streamed, start);
    CHECK(found.status == MinimumStatus::converged);
    CHECK(std::abs(std::abs(found.theta[0]) - 1) <= 1e-7);
    CHECK(found.theta.tail(4).norm() <= 1e-7);
  }
}

TEST_CASE("The same bits for any number of threads, and a start from where a search was stopped") {
  const MatrixXd x = generic_values(6, 1200, 1), y = generic_values(3, 1200, 2);
  const ness::Objective objective(ness::Mlp<ness::DynamicLayers>(x, y, {6, 5, 3}), ness::L2{0.01});
  const VectorXd start = 0.3 * generic_values(53, 1, 3);
  const auto one = ness::minimize(ness::StreamedObjective(objective, 1), start);
  for (const int threads : {2, 3})
    CHECK(ness::minimize(ness::StreamedObjective(objective, threads), start).theta == one.theta);

  // Of a landscape with one minimum: where it is does not depend on the way.
  const ness::Objective convex(
      ness::SoftmaxRegression<>(generic_values(6, 300, 1), one_hot(3, 300)), ness::L2{0.01});
  VectorXd kept;
  const auto cut =
      ness::minimize(ness::StreamedObjective(convex), VectorXd(3 * generic_values(18, 1, 3)),
                     {.max_iterations = 2, .progress = [&](const auto& now) { kept = now.theta; }});
  CHECK(cut.status == MinimumStatus::iteration_limit);
  CHECK(kept == cut.theta);
  const auto on = ness::minimize(ness::StreamedObjective(convex), kept);
  CHECK(on.status == MinimumStatus::converged);
  CHECK(on.value < cut.value);
  CHECK(relative_error(on.value, ness::minimize(convex, VectorXd::Zero(18)).value) <= 1e-12);
}

TEST_CASE("What is no minimum is called by its name") {
  // Classes that a plane separates, without a regularizer.
  MatrixXd x = generic_values(3, 100, 1);
  MatrixXd labels = MatrixXd::Zero(2, 100);
  for (Index i = 0; i < 100; ++i) labels(x(0, i) > 0 ? 1 : 0, i) = 1;
  x.row(0).array() += x.row(0).array().sign();
  const ness::Objective separable(ness::SoftmaxRegression<>(x, labels));
  const auto falls = ness::minimize(ness::StreamedObjective(separable), VectorXd::Zero(6));
  INFO(falls.explanation());
  CHECK(falls.status == MinimumStatus::no_minimum);
  CHECK_THAT(falls.explanation(), contains("falls for ever along"));

  struct Wrong {
    Index parameters() const { return 4; }
    Index samples() const { return 5; }
    double sample_loss(const VectorXd& theta, Index) const { return theta.squaredNorm(); }
    void sample_gradients(const VectorXd& theta, Index, MatrixXd& out) const {
      out.colwise() = VectorXd(-2 * theta + VectorXd::Ones(4));
    }
    void sample_hessian_products(const VectorXd&, Index, const MatrixXd& in, MatrixXd& out) const {
      out = 2 * in;
    }
  };
  const ness::Objective wrong(Wrong{});
  CHECK(ness::minimize(ness::StreamedObjective(wrong), VectorXd::Ones(4)).status ==
        MinimumStatus::inconsistent);
}

TEST_CASE("A minimum of many parameters refuses bad input") {
  const ness::Objective objective(TwoWells{});
  const ness::StreamedObjective streamed(objective);
  CHECK_THROWS_WITH(ness::minimize(streamed, VectorXd(VectorXd::Zero(4))),
                    contains("theta must be 5 x 1"));
  CHECK_THROWS_WITH(ness::minimize(streamed, VectorXd(VectorXd::Constant(5, std::nan("")))),
                    contains("must be finite"));
  CHECK_THROWS_WITH(ness::minimize(streamed, VectorXd(VectorXd::Constant(5, 1e200))),
                    contains("must be finite at the start"));
  CHECK_THROWS_WITH(ness::minimize(streamed, VectorXd::Zero(5), {.max_iterations = -1}),
                    contains("max_iterations"));
  CHECK_THROWS_WITH(ness::minimize(streamed, VectorXd::Zero(5), {.relative_gradient = 0}),
                    contains("relative_gradient"));
}

TEST_CASE("An exact fit, and samples that are alike, are minima to the rounding of the gradient") {
  const MatrixXd x = generic_values(6, 300, 1), solution = generic_values(3, 6, 7);
  const ness::Objective fit(ness::LinearModel<>(x, solution * x));
  const auto found = ness::minimize(ness::StreamedObjective(fit), VectorXd::Zero(18));
  INFO(found.explanation());
  CHECK(found.status == MinimumStatus::converged);
  CHECK(found.gradient_norm <= 16 * found.gradient_rounding);
  CHECK((found.theta - ness::minimize(fit, found.theta).theta).norm() <= 1e-14);

  const ness::Objective alike(Alike{});
  const auto root = ness::minimize(ness::StreamedObjective(alike), VectorXd::Constant(3, 0.7));
  INFO(root.explanation());
  CHECK(root.status == MinimumStatus::converged);
  CHECK(std::abs(root.theta[0] - std::sqrt(2.0)) <= 1e-15);
  CHECK(root.gradient_rounding <= 1e-14);
}

TEST_CASE("Little negative curvature beside much of the other is seen and followed") {
  const ness::Objective objective(ShallowWells{});
  const auto found = ness::minimize(ness::StreamedObjective(objective), VectorXd::Zero(200));
  CHECK(found.status == MinimumStatus::converged);
  CHECK(std::abs(std::abs(found.theta[0]) - 1) <= 1e-3);
  CHECK(found.hessian_eigenvalues[0] > 0);
}

TEST_CASE("A step goes down negative curvature, and not up to where the form is stationary") {
  // ½θᵀHθ with one direction of −1 near the start, closed by a fourth power: from (1, 0.1) the way
  // to the stationary point of the quadratic form is the way to the saddle at 0.
  const ness::Objective objective(TwoWells{2});
  VectorXd start(2);
  start << 0.05, 1;
  std::vector<double> values;
  const auto found = ness::minimize(
      ness::StreamedObjective(objective), start,
      {.progress = [&](const ness::MinimizeProgress& now) { values.push_back(now.value); }});
  CHECK(found.status == MinimumStatus::converged);
  CHECK(std::abs(std::abs(found.theta[0]) - 1) <= 1e-7);
  // 𝓛 never rises, as it does towards the saddle, where it is 1.
  REQUIRE(values.size() >= 3);
  for (std::size_t k = 1; k < values.size(); ++k) CHECK(values[k] <= values[k - 1]);
}

TEST_CASE("A direction that the data do not tell is flat, as on the dense road") {
  MatrixXd x = generic_values(6, 300, 1);
  x.row(5) = x.row(4);
  const ness::Objective objective(ness::LinearModel<>(x, generic_values(3, 300, 2)));
  const auto found = ness::minimize(ness::StreamedObjective(objective), VectorXd::Zero(18));
  CHECK(found.status == MinimumStatus::flat);
  CHECK(ness::minimize(objective, VectorXd::Zero(18)).status == MinimumStatus::flat);
  CHECK(found.offset.size() == 0);
  REQUIRE(found.direction.size() == 18);
  CHECK(objective.hessian_product(found.theta, found.direction).norm() <= 1e-7);
}

TEST_CASE("A search that stops early says so, and a start at the minimum takes no iteration") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(6, 300, 1), generic_values(3, 300, 2)), ness::L2{1e-3});
  const ness::StreamedObjective streamed(objective);
  for (const Index products : {0, 1, 2, 5, 8}) {
    const auto cut = ness::minimize(streamed, VectorXd::Zero(18), {.max_products = products});
    INFO(products << " products: " << cut.explanation());
    CHECK(cut.status == MinimumStatus::iteration_limit);
    CHECK(cut.offset.size() == 0);
    CHECK_THAT(cut.explanation(), contains("raise max_iterations or max_products"));
  }
  const auto all = ness::minimize(streamed, VectorXd::Zero(18));
  const auto enough =
      ness::minimize(streamed, VectorXd::Zero(18), {.max_iterations = all.iterations});
  CHECK(enough.status == MinimumStatus::converged);
  const auto again = ness::minimize(streamed, all.theta, {.max_iterations = 0});
  CHECK(again.status == MinimumStatus::converged);
  CHECK(again.theta == all.theta);
}
