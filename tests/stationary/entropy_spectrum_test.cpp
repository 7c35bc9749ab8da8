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

namespace {

/// log⟨e^{kσ}⟩ of `steps` steps of a plain update, σ = Σ log p(θ'|θ)/p̃(θ'|θ), p̃ the kernel of the
/// reversed process: ψ(θ) = ∫p^{1+k} p̃^{−k} ψ(θ')dθ' of ψ = exp(weight + ½δθᵀPδθ), step by step.
double growth(const ness::StationaryState<double>& state, double k, int steps) {
  const Eigen::Index n = state.mean().size();
  const MatrixXd one = MatrixXd::Identity(n, n), sigma = state.covariance();
  const MatrixXd there = one - state.relaxation();
  const MatrixXd back = sigma * there.transpose() * sigma.inverse();
  const MatrixXd r = 2 * state.diffusion(), r_back = sigma - back * sigma * back.transpose();
  const MatrixXd w = (1 + k) * r.inverse(), w_back = -k * r_back.inverse();
  MatrixXd p = MatrixXd::Zero(n, n);
  double weight = 0, last = 0;
  for (int step = 0; step < steps; ++step) {
    const MatrixXd a = w + w_back - p;
    const MatrixXd b = w * there + w_back * back;
    last = weight;
    weight -= ((1 + k) * std::log(r.determinant()) - k * std::log(r_back.determinant()) +
               std::log(a.determinant())) /
              2;
    p = b.transpose() * a.inverse() * b - there.transpose() * w * there -
        back.transpose() * w_back * back;
  }
  return weight - last;
}

/// Σ over all lags of the covariance of ½(θ_iθ'_j − θ_jθ'_i), by Wick's theorem.
double circulation_variance(const ness::StationaryState<double>& state, Eigen::Index i,
                            Eigen::Index j, int lags) {
  const ness::LinearUpdate& update = state.update();
  const MatrixXd forward =
      (1 + update.momentum) * MatrixXd::Identity(4, 4) - update.of_gradient() * state.relaxation();
  std::vector<MatrixXd> lagged{state.covariance(), state.covariance() - state.drift()};
  for (int l = 1; l <= lags; ++l)
    lagged.push_back(forward * lagged.back() - update.momentum * lagged[lagged.size() - 2]);
  const auto cov = [&](int lag, Eigen::Index a, Eigen::Index b) {  // ⟨θ_a(t + lag) θ_b(t)⟩
    const auto at = static_cast<std::size_t>(std::abs(lag));
    return lag < 0 ? lagged[at](b, a) : lagged[at](a, b);
  };
  double sum = 0;
  for (int l = -lags; l <= lags; ++l) {
    const auto wick = [&](Eigen::Index a, Eigen::Index b, Eigen::Index c, Eigen::Index d) {
      return cov(l, c, a) * cov(l, d, b) + cov(l + 1, d, a) * cov(l - 1, c, b);
    };
    sum += wick(i, j, i, j) + wick(j, i, j, i) - wick(i, j, j, i) - wick(j, i, i, j);
  }
  return sum / 4;
}

}  // namespace

TEST_CASE("the cumulant function of a plain update is what tilted steps grow by") {
  const auto predicted = state({}, 0.7);
  const ness::EntropySpectrum spectrum(predicted);
  for (const double k : {-1.0, -0.7, -0.5, -0.1, 0.0}) {
    INFO("k = " << k);
    CHECK(std::abs(spectrum.cumulant_function(k) - growth(predicted, k, 600)) <=
          1e-10 * predicted.entropy_production());
  }
}

TEST_CASE("the cumulant function is symmetric about −½, and knows the rate and how it scatters") {
  const auto system = ness::brownian_gyrator(2, 1, 3, 1);
  std::vector<ness::StationaryState<double>> states{ness::StationaryState<double>(system)};
  for (const ness::LinearUpdate& update : updates) states.push_back(state(update));
  for (const auto& predicted : states) {
    INFO(predicted.update().description());
    const ness::EntropySpectrum spectrum(predicted);
    const double d = 3e-4, rate = predicted.entropy_production();
    VectorXd k(10);
    k << 0, -1, -0.3, -0.7, d, -1 - d, -d, 0.01, -1.01, -0.5;
    const VectorXd mu = spectrum.cumulant_function(k);
    CHECK(mu[0] == 0);
    CHECK(mu[1] == 0);
    for (const int at : {2, 4, 7}) CHECK(relative_error(mu[at + 1], mu[at]) <= 1e-10);
    CHECK(relative_error((mu[4] - mu[6]) / (2 * d), rate) <= 1e-4);
    CHECK(relative_error((mu[4] + mu[6]) / (d * d), spectrum.variance_rate()) <= 1e-4);
    CHECK(spectrum.variance_rate() >= 2 * rate);
    CHECK(relative_error(spectrum.cumulant_function(-0.3), mu[2]) <= 1e-10);
    const double reach = spectrum.convergence();
    CHECK(reach > 0.5);
    CHECK(std::isfinite(spectrum.cumulant_function(-0.5 + 0.99 * reach)));
    CHECK(std::isinf(spectrum.cumulant_function(-0.5 + 1.01 * reach)));
  }
}

TEST_CASE("near equilibrium σ is normal: its variance is twice its mean") {
  MatrixXd almost = 0.1 * hessian;
  almost(0, 1) = almost(1, 0) = almost(0, 1) + 1e-4;
  const ness::StationaryState<double> predicted(
      ness::linear_chain(VectorXd::Zero(4), hessian, almost, 1e-3, ness::LyapunovForm::discrete));
  const ness::EntropySpectrum spectrum(predicted);
  CHECK(relative_error(spectrum.variance_rate(), 2 * spectrum.rate()) <= 1e-5);
  CHECK(relative_error(spectrum.cumulant_function(-0.5), -spectrum.rate() / 4) <= 1e-5);
}

TEST_CASE("a measured circulation scatters as the sum over all lags says") {
  for (const ness::LinearUpdate& update :
       {ness::LinearUpdate{}, ness::HeavyBall{0.9}.linear(), ness::HeavyBall{0.5, 0.3}.linear()}) {
    INFO(update.description());
    const auto predicted = state(update);
    const MatrixXd rates = ness::EntropySpectrum(predicted).circulation_variance_rate();
    CHECK(rates.diagonal().isZero(0));
    CHECK(relative_error(rates, MatrixXd(rates.transpose())) <= 1e-12);
    for (const auto& [i, j] : {std::pair{0, 1}, {3, 0}, {2, 3}})
      CHECK(relative_error(rates(i, j), circulation_variance(predicted, i, j, 4000)) <= 1e-9);
  }
}

TEST_CASE("in short steps what is known of ⟨σ⟩ from a circulation alone is a lower bound") {
  // In the plane there is one circulation, but its uncertainty bound is not tight.
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  const ness::StationaryState<double> predicted(gyrator);
  const double rates = ness::EntropySpectrum(predicted).circulation_variance_rate()(0, 1);
  const double c = predicted.circulation()(0, 1);
  CHECK(2 * c * c / rates < predicted.entropy_production());
  CHECK(2 * c * c / rates > 0.5 * predicted.entropy_production());
  // Steps of time: the limit of those of a discrete chain.
  const ness::StationaryState<double> steps(
      ness::linear_chain(gyrator, 1e-3, ness::LyapunovForm::discrete));
  const double in_steps = ness::EntropySpectrum(steps).circulation_variance_rate()(0, 1);
  CHECK(relative_error(in_steps / 1e-3, rates) < 2e-3);
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
