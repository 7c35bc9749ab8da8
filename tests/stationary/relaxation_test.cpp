// The way to the stationary state, predicted: step by step, in closed form, in other coordinates.
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <ness/stationary/relaxation.hpp>
#include <ness/stationary/stationary_state.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::LyapunovForm;
using Chain = ness::LinearChain<double>;

/// Rates of 0.02 to 1.7 a step: the fastest changes its sign in each.
Chain symmetric_chain(LyapunovForm form) {
  return ness::linear_chain(generic_values<VectorXd>(4, 1, 1), positive_definite(4, 2, 0.2, 17),
                            positive_definite(4, 3, 0.02, 0.2), 0.1, form);
}

/// The same chain in coordinates T θ, in which K is not symmetric.
Chain in_coordinates(const Chain& chain, const MatrixXd& t) {
  Chain other = chain;
  other.mean = t * chain.mean;
  other.relaxation = t * chain.relaxation * t.inverse();
  other.diffusion = t * chain.diffusion * t.transpose();
  other.solve = &ness::detail::covariance_of_any_chain<double>;
  return other;
}

const MatrixXd skewed = generic_values(4, 4, 5) + 3 * MatrixXd::Identity(4, 4);

ness::Ensemble<> start() {
  return {generic_values<VectorXd>(4, 1, 7), positive_definite(4, 8, 0.1, 2)};
}

void check_same(const ness::Ensemble<>& found, const ness::Ensemble<>& expected, double tolerance) {
  CHECK(relative_error(found.mean, expected.mean) <= tolerance);
  CHECK(relative_error(found.covariance, expected.covariance) <= tolerance);
}

}  // namespace

TEST_CASE("in finite steps it is what the steps do, one after the other") {
  const Chain symmetric = symmetric_chain(LyapunovForm::discrete);
  for (const Chain& chain : {symmetric, in_coordinates(symmetric, skewed)}) {
    const ness::Relaxation<> relaxation(chain, start());
    const MatrixXd a = MatrixXd::Identity(4, 4) - chain.relaxation;
    ness::Ensemble<> now = start();
    for (int t = 0; t <= 37; ++t) {
      CAPTURE(t);
      check_same(relaxation.at(t), now, 1e-13);
      now.mean = chain.mean + a * (now.mean - chain.mean);
      now.covariance = a * now.covariance * a.transpose() + 2 * chain.diffusion;
    }
  }
}

TEST_CASE("in continuous time it solves dμ/dt = −Kμ and dΣ/dt = −KΣ − ΣKᵀ + 2D") {
  const Chain symmetric = symmetric_chain(LyapunovForm::continuous);
  for (const Chain& chain : {symmetric, in_coordinates(symmetric, skewed)}) {
    const ness::Relaxation<> relaxation(chain, start());
    const MatrixXd& k = chain.relaxation;
    for (const double t : {0.3, 2.0, 40.0}) {
      CAPTURE(t);
      const auto now = relaxation.at(t);
      const double h = 1e-3;
      const auto slope = [&](const auto& of) {  // of fourth order
        return ((8 * (of(t + h) - of(t - h)) - (of(t + 2 * h) - of(t - 2 * h))) / (12 * h)).eval();
      };
      const VectorXd mean = slope([&](double s) { return relaxation.at(s).mean; });
      const MatrixXd sigma = slope([&](double s) { return relaxation.at(s).covariance; });
      const MatrixXd flow = -k * now.covariance - now.covariance * k.transpose();
      CHECK((mean + k * (now.mean - chain.mean)).norm() <= 1e-9 * k.norm());
      CHECK((sigma - flow - 2 * chain.diffusion).norm() <= 1e-9 * flow.norm());
    }
  }
}

TEST_CASE("coordinates change nothing, and the stationary state is the end of it") {
  for (const LyapunovForm form : {LyapunovForm::discrete, LyapunovForm::continuous}) {
    const Chain chain = symmetric_chain(form);
    const Chain other = in_coordinates(chain, skewed);
    const ness::Relaxation<> relaxation(chain, start());
    const ness::Relaxation<> same(
        other, {skewed * start().mean, skewed * start().covariance * skewed.transpose()});
    for (const double t : {1.0, 2.0, 7.0, 100.0, 5000.0}) {
      CAPTURE(t);
      const auto there = relaxation.at(t);
      check_same(same.at(t), {skewed * there.mean, skewed * there.covariance * skewed.transpose()},
                 1e-12);
    }
    const ness::StationaryState<> state(chain);
    check_same(relaxation.at(5000), {state.mean(), state.covariance()}, 1e-12);
    // What is stationary stays.
    check_same(ness::Relaxation<>(chain, {state.mean(), state.covariance()}).at(13),
               {state.mean(), state.covariance()}, 1e-12);
  }
}

TEST_CASE("slow directions and short times lose no digits") {
  Chain chain;
  chain.mean = VectorXd::Zero(2);
  chain.relaxation = Eigen::Vector2d(1e-13, 0.5).asDiagonal();
  chain.diffusion = MatrixXd::Identity(2, 2);
  const ness::Ensemble<> from{Eigen::Vector2d(1, 1), MatrixXd::Zero(2, 2)};
  for (const LyapunovForm form : {LyapunovForm::discrete, LyapunovForm::continuous})
    for (const double skew : {0.0, 0.1}) {  // by eigenvectors, and by doubling
      CAPTURE(skew);
      chain.form = form;
      chain.relaxation(0, 1) = skew;
      const ness::Relaxation<> relaxation(chain, from);
      if (form == LyapunovForm::continuous) {
        const auto at = relaxation.at(1e-9);
        CHECK(relative_error(at.covariance, MatrixXd(2e-9 * MatrixXd::Identity(2, 2))) <= 2e-9);
      }
      // A million million steps: e^{−1/10} of a rate that 1 − K would hold to three digits.
      const auto at = relaxation.at(1e12);
      if (skew == 0) {
        CHECK(relative_error(at.mean[0], std::exp(-0.1)) <= 1e-13);
        CHECK(relative_error(at.covariance(0, 0), (1 - std::exp(-0.2)) / 1e-13) <= 1e-12);
      } else {
        CHECK(relative_error(at.mean[0], (1 - skew / 0.5) * std::exp(-0.1)) <= 1e-12);
      }
    }
}

TEST_CASE("what does not fit is refused") {
  const Chain chain = symmetric_chain(LyapunovForm::discrete);
  const ness::Relaxation<> relaxation(chain, start());
  CHECK_THROWS_WITH(relaxation.at(-1), contains("steps must not be negative, but is -1"));
  CHECK_THROWS_WITH(relaxation.at(0.5), contains("whole number") && contains("0.5"));
  CHECK_THROWS_WITH(ness::Relaxation<>(chain, {VectorXd::Zero(3), start().covariance}),
                    contains("start.mean must be 4 x 1, but is 3 x 1"));
  CHECK_THROWS_WITH(ness::Relaxation<>(chain, {start().mean, -start().covariance}),
                    contains("start.covariance must be positive semidefinite"));
}
