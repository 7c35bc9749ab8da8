// The entropy production by frequency, against closed forms and against the spectrum as defined.
#include "ness/stationary/entropy_spectrum.hpp"

#include <Eigen/LU>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "ness/stationary/momentum.hpp"
#include "ness/systems/linear.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Complex = std::complex<double>;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

const MatrixXd hessian = positive_definite(4, 3, 0.05, 1.2);
const MatrixXd diffusion = positive_definite(4, 8, 0.1, 3);

ness::StationaryState<double> state(const ness::LinearUpdate& update, double eta = 0.7) {
  auto chain =
      ness::linear_chain(VectorXd::Zero(4), hessian, diffusion, eta, ness::LyapunovForm::discrete);
  if (!update.forgets()) ness::remember(update, chain);
  return ness::StationaryState<double>(chain);
}

/// (1/4π) tr[S(−ω)⁻¹S(ω) − 1] of ω and −ω, as it is defined.
double by_definition(const MatrixXd& relaxation, const MatrixXd& d, Complex z, Complex c) {
  const MatrixXcd t = z * MatrixXcd::Identity(d.rows(), d.cols()) + c * relaxation;
  const MatrixXcd inverse = t.inverse();
  const MatrixXcd s = inverse * d.cast<Complex>() * inverse.adjoint();
  const Complex trace = (s.conjugate().inverse() * s).trace();
  return (trace.real() - static_cast<double>(d.rows())) / (2 * std::numbers::pi);
}

const std::vector<ness::LinearUpdate> updates{{},
                                              ness::HeavyBall{0.9}.linear(),
                                              ness::HeavyBall{0.99}.linear(),
                                              ness::HeavyBall{0.5, 0.3}.linear(),
                                              ness::Nesterov{0.9}.linear(),
                                              ness::QuasiHyperbolic{0.9, 0.7}.linear()};

}  // namespace

TEST_CASE("the density of irreversibility is that of S(−ω)⁻¹S(ω)") {
  for (const ness::LinearUpdate& update : updates) {
    INFO(update.description());
    const auto predicted = state(update);
    const ness::EntropySpectrum spectrum(predicted);
    for (const double omega : {0.01, 0.3, 1.0, 2.5, 3.1}) {
      const Complex back = std::polar(1.0, -omega);
      const Complex z = 1.0 / back - 1.0 - update.momentum * (1.0 - back);
      const Complex c = update.of_gradient() + update.of_last_gradient() * back;
      const double expected = by_definition(0.7 * hessian, predicted.diffusion(), z, c);
      CHECK(std::abs(spectrum.density(omega) - expected) <= 1e-10 * (1 + expected));
    }
  }
}

TEST_CASE("integrated over all frequencies it is the closed form of ⟨σ⟩, with any memory") {
  for (const ness::LinearUpdate& update : updates)
    for (const double eta : {0.7, 0.07, 1e-5}) {
      INFO(update.description() << ", eta = " << eta);
      const auto predicted = state(update, eta);
      CHECK(relative_error(ness::EntropySpectrum(predicted).rate(),
                           predicted.entropy_production()) <= 1e-10);
    }
}

TEST_CASE("of systems whose relaxation is not symmetric too, in steps and in continuous time") {
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  const ness::StationaryState<double> continuous(gyrator);
  const ness::EntropySpectrum spectrum(continuous);
  CHECK(relative_error(spectrum.rate(), 1.0 / 3) <= 1e-10);
  for (const double omega : {0.01, 1.0, 30.0})
    CHECK(relative_error(spectrum.density(omega),
                         by_definition(continuous.relaxation(), continuous.diffusion(),
                                       Complex(0, omega), 1)) <= 1e-10);
  const ness::StationaryState<double> steps(
      ness::linear_chain(gyrator, 0.05, ness::LyapunovForm::discrete));
  CHECK(relative_error(ness::EntropySpectrum(steps).rate(), steps.entropy_production()) <= 1e-10);
  // A force that turns: K has complex eigenvalues.
  MatrixXd turning(3, 3), noise = positive_definite(3, 5, 0.3, 2);
  turning << 1, -2, 0.1, 2, 1.5, 0.3, -0.2, 0.4, 0.7;
  const ness::LinearSystem<MatrixXd> system(VectorXd::Zero(3), turning, MatrixXd::Identity(3, 3),
                                            noise);
  for (const auto form : {ness::LyapunovForm::continuous, ness::LyapunovForm::discrete}) {
    const ness::StationaryState<double> turned(ness::linear_chain(system, 0.1, form));
    CHECK(relative_error(ness::EntropySpectrum(turned).rate(), turned.entropy_production()) <=
          1e-10);
  }
}

TEST_CASE("pairs of directions add up to the rate, and only those that relax differently turn") {
  const auto predicted = state(ness::HeavyBall{0.9}.linear());
  const ness::EntropySpectrum spectrum(predicted);
  const MatrixXd pairs = spectrum.pairs();
  CHECK(relative_error(pairs.sum(), predicted.entropy_production()) <= 1e-10);
  CHECK(relative_error(pairs, MatrixXd(pairs.transpose())) <= 1e-14);
  CHECK(pairs.diagonal().isZero(0));
  // Noise that couples the first two alone has no other pair.
  const MatrixXd u = spectrum.directions();
  MatrixXd inside = MatrixXd::Identity(4, 4);
  inside(0, 1) = inside(1, 0) = 0.6;
  auto chain = ness::linear_chain(VectorXd::Zero(4), hessian, u * inside * u.transpose(), 0.7,
                                  ness::LyapunovForm::discrete);
  const ness::StationaryState<double> coupled(chain);
  const MatrixXd of_two = ness::EntropySpectrum(coupled).pairs();
  CHECK(relative_error(2 * of_two(0, 1), coupled.entropy_production()) <= 1e-10);
  CHECK(of_two.bottomRightCorner(2, 2).norm() <= 1e-12 * of_two.norm());
}

TEST_CASE("what has no spectrum of irreversibility is refused") {
  const MatrixXd singular = VectorXd::LinSpaced(4, 0, 1).asDiagonal();
  const ness::StationaryState<double> flat(
      ness::linear_chain(VectorXd::Zero(4), hessian, singular, 0.7));
  CHECK_THROWS_WITH(ness::EntropySpectrum(flat),
                    contains("diffusion must have full rank 4, but has 3"));
  const ness::StationaryState<double> gyrator(ness::brownian_gyrator(2, 1, 3, 1));
  CHECK_NOTHROW(ness::EntropySpectrum(gyrator).rate());
}
