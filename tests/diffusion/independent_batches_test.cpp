#include <ness/diffusion/independent_batches.hpp>
#include <ness/minibatch/full_batch.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <numeric>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/given_gradients.hpp"
#include "support/scaled_gradients.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Sgd = ness::Sgd<ness::WithReplacement>;

/// ½⟨ξξᵀ⟩ of one step by every subset of m of the M samples, each equally likely.
MatrixXd enumerated(const MatrixXd& gradients, Eigen::Index m, double eta) {
  const Eigen::Index samples = gradients.cols();
  const VectorXd mean = gradients.rowwise().mean();
  MatrixXd sum = MatrixXd::Zero(gradients.rows(), gradients.rows());
  double subsets = 0;
  for (unsigned bits = 0; bits < (1U << samples); ++bits) {
    if (__builtin_popcount(bits) != m) continue;
    VectorXd batch = VectorXd::Zero(gradients.rows());
    for (Eigen::Index i = 0; i < samples; ++i)
      if ((bits >> i & 1U) != 0) batch += gradients.col(i);
    const VectorXd noise = -eta * (batch / static_cast<double>(m) - mean);
    sum += noise * noise.transpose();
    ++subsets;
  }
  return sum / (2 * subsets);
}

}  // namespace

TEST_CASE("Eq. 14 is half the second moment of the noise over all subsets") {
  constexpr double eta = 0.37;
  for (Eigen::Index samples : {2, 5, 6, 9})
    for (Eigen::Index m = 1; m <= samples; ++m)
      for (Eigen::Index n : {1, 3}) {
        const MatrixXd gradients = generic_values(n, samples, 11 + m);
        const ness::Objective objective(GivenGradients{gradients}, ness::L2{3.0});
        const Sgd training{.learning_rate = eta, .minibatch = {m}};
        const MatrixXd d = ness::diffusion(objective, VectorXd::Ones(n).eval(), training);
        const MatrixXd exact = enumerated(gradients, m, eta);
        INFO("M = " << samples << ", m = " << m << ", N = " << n);
        CHECK((d - exact).norm() <= 1e-14 * (1 + exact.norm()));
      }
}

TEST_CASE("D is exact far from a minimum, where the mean gradient is 1e8 times the scatter") {
  const MatrixXd scatter = generic_values(3, 8, 5);
  const MatrixXd shifted = scatter.colwise() + VectorXd::Constant(3, 1e8);
  const ness::Objective objective(GivenGradients{shifted});
  const Sgd training{.learning_rate = 1, .minibatch = {3}};
  const MatrixXd d = ness::diffusion(objective, VectorXd::Zero(3).eval(), training);
  CHECK(relative_error(d, enumerated(shifted.colwise() - shifted.col(0).eval(), 3, 1)) <= 1e-8);
}

TEST_CASE("D of many blocks is that of all samples at once") {
  const MatrixXd gradients = generic_values(4, 1000, 6);
  const ness::Objective objective(GivenGradients{gradients});
  const Sgd training{.learning_rate = 0.1, .minibatch = {30}};
  const VectorXd theta = VectorXd::Zero(4);
  const MatrixXd v = scaled_gradients(objective, theta);
  CHECK(relative_error(v, gradients / 1000) <= 1e-15);
  const VectorXd gradient = v.rowwise().sum();
  const double n = 1000.0 / 30;  // m need not divide M
  const MatrixXd exact =
      0.01 * (n - 1) / (2 * 999) * (1000 * v * v.transpose() - gradient * gradient.transpose());
  CHECK(relative_error(ness::diffusion(objective, theta, training), exact) <= 1e-13);
}

TEST_CASE("a full batch makes no noise") {
  const ness::Objective objective(GivenGradients{generic_values(3, 7, 2)});
  const VectorXd theta = VectorXd::Zero(3);
  CHECK(ness::diffusion(objective, theta, Sgd{0.1, {7}}).norm() == 0);
  CHECK(ness::diffusion(objective, theta, ness::Sgd<ness::FullBatch>{0.1, {}}).norm() == 0);
}

TEST_CASE("bad input of D is refused with its value") {
  const ness::Objective objective(GivenGradients{generic_values(2, 5, 1)});
  const VectorXd theta = VectorXd::Zero(2);
  const auto d = [&](double eta, Eigen::Index m, const VectorXd& at) {
    return ness::diffusion(objective, at, Sgd{eta, {m}});
  };
  CHECK_THROWS_WITH(d(0.1, 0, theta), contains("1 ... M = 5, but is 0"));
  CHECK_THROWS_WITH(d(0.1, 6, theta), contains("1 ... M = 5, but is 6"));
  CHECK_THROWS_WITH(d(0, 2, theta), contains("learning_rate must be positive"));
  CHECK_THROWS_WITH(d(-1, 2, theta), contains("but is -1"));
  CHECK_THROWS_WITH(d(std::nan(""), 2, theta), contains("but is nan"));
  CHECK_THROWS_WITH(d(0.1, 2, VectorXd::Zero(3)), contains("theta must be 2 x 1, but is 3 x 1"));
  CHECK_THROWS_WITH(d(0.1, 2, VectorXd::Constant(2, INFINITY)), contains("theta must be finite"));
}
