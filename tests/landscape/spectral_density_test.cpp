// Quadratures of the spectrum, against what they are exact for and against dense spectra.
#include "ness/landscape/spectral_density.hpp"

#include <Eigen/LU>
#include <cmath>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/matrices.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

ness::SpectralDensity<> density_of(const MatrixXd& h, Index probes, Index steps) {
  ness::Philox random(1);
  return ness::detail::spectral_density<double>(
      [&h](const MatrixXd& along) -> MatrixXd { return h * along; },
      ness::detail::random_signs<double>(random, h.rows(), probes), steps, {});
}

}  // namespace

TEST_CASE("A quadrature of few nodes is exact for polynomials, probe by probe") {
  const MatrixXd h = positive_definite(40, 5, 0.1, 3);
  constexpr Index steps = 4, probes = 3;
  const auto density = density_of(h, probes, steps);
  CHECK(density.products == steps * probes);
  ness::Philox random(1);
  for (Index p = 0; p < probes; ++p) {
    VectorXd sign(40);
    for (Index k = 0; k < 40; ++k)
      sign[k] = (ness::uniform_index(random, 2) == 0 ? 1 : -1) / std::sqrt(40.);
    CHECK(std::abs(density.weights.col(p).sum() - 1) <= 1e-14);
    VectorXd power = sign;
    for (int degree = 0; degree < 2 * steps; ++degree, power = h * power) {
      const double found =
          (density.weights.col(p).array() * density.nodes.col(p).array().pow(degree)).sum();
      INFO("probe " << p << ", degree " << degree);
      CHECK(relative_error(found, sign.dot(power)) <= 1e-12);
    }
    // And not for the next: it is a quadrature of no more nodes.
    const double next =
        (density.weights.col(p).array() * density.nodes.col(p).array().pow(2 * steps)).sum();
    CHECK(relative_error(next, sign.dot(power)) > 1e-6);
  }
}

TEST_CASE("Traces are those of the matrix within their errors, and exact of a multiple of one") {
  const MatrixXd h = positive_definite(200, 7, 0.01, 5);
  const auto density = density_of(h, 20, 60);
  const ness::detail::SymmetricEigen<double> eigen(h);
  const auto check = [&](const auto& function, double exact) {
    const auto found = density.trace(function);
    INFO(found.value << " +- " << found.standard_error << " for " << exact);
    CHECK(found.standard_error < 0.1 * std::abs(exact));
    CHECK(std::abs(found.value - exact) <= 3.9 * found.standard_error);  // t of 19: one in 1000
  };
  check([](double x) { return x; }, h.trace());
  check([](double x) { return x * x; }, h.squaredNorm());
  check([](double x) { return 1 / x; }, eigen.values.cwiseInverse().sum());
  double below = 0;
  for (const double value : eigen.values) below += value < 1 ? 1 : 0;
  CHECK(std::abs(density.below(1) - below / 200) <= 0.05);

  const auto same = density_of(3 * MatrixXd::Identity(50, 50), 4, 10);
  CHECK(relative_error(same.trace().value, 150.0) <= 1e-13);
  CHECK(same.trace().standard_error <= 1e-11);
  CHECK(same.below(2.99) == 0);
  CHECK(std::abs(same.below(3.01) - 1) <= 1e-13);
  CHECK(relative_error(same.density(3, 0.5), 2 / std::sqrt(2 * std::numbers::pi)) <= 1e-13);
}

TEST_CASE("Many steps without new orthogonality leave traces right") {
  const MatrixXd h = positive_definite(60, 7, 1e-4, 50);
  const auto exact = density_of(h, 6, 60);
  // More nodes than eigenvalues would be refused; a larger matrix with the same spectrum is not.
  MatrixXd wide = MatrixXd::Zero(300, 300);
  for (Index k = 0; k < 5; ++k) wide.block(60 * k, 60 * k, 60, 60) = h;
  const auto many = density_of(wide, 6, 250);
  CHECK(many.weights.minCoeff() >= 0);
  const auto inverse = many.trace([](double x) { return 1 / x; });
  const double expected = 5 * h.inverse().trace();
  CHECK(std::abs(inverse.value - expected) <= 6 * inverse.standard_error);
  CHECK(std::abs(exact.trace().value - h.trace()) <= 6 * exact.trace().standard_error);
}

TEST_CASE("The spectrum of the regression network, and bad settings") {
  const auto density = ness::spectral_density(ness::StreamedObjective(network()),
                                              network_minimum().theta, {.probes = 16});
  CHECK(density.nodes.rows() == 7);
  const auto trace = density.trace();
  CHECK(std::abs(trace.value - network_minimum().hessian.trace()) <= 4 * trace.standard_error);
  CHECK(relative_error(density.nodes.maxCoeff(),
                       network_minimum().hessian_eigenvalues.maxCoeff()) <= 1e-10);
  const ness::StreamedObjective streamed(network());
  CHECK_THROWS_WITH(ness::spectral_density(streamed, network_minimum().theta, {.probes = 1}),
                    contains("probes must be at least 2"));
  CHECK_THROWS_WITH(ness::spectral_density(streamed, network_minimum().theta, {.steps = 0}),
                    contains("steps must be at least 1"));
}
