// Evolution of a finite population (Box 1): Wright and Fisher's model in the diffusion limit.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <random>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/random/gamma.hpp"
#include "ness/random/philox.hpp"
#include "ness/systems/fokker_planck.hpp"

namespace ness {

/// Frequencies x_1 … x_K of K alleles among N_e haploid copies; θ is x_1 … x_{K−1}, and time is in
/// generations. Copies mutate to allele j at the rate u_j, whatever they were, and allele j has a
/// selective advantage s_j:
///   𝓛 = −Σ_j (s_j x_j + u_j log x_j),  D_ij = x_i(δ_ij − x_j)/(2N_e),  μ = βD, β = 2N_e.
/// So the drift is u_i − x_i Σu + x_i(s_i − Σ_j s_j x_j), and with G = 1/det D the divergence
/// condition holds: generalised Boltzmann equilibrium,
///   P^s ∝ exp(2N_e Σ_j s_j x_j) Π_j x_j^{2N_e u_j − 1}.
template <int Alleles = Eigen::Dynamic>
class WrightFisher {
 public:
  using Frequencies = Eigen::Matrix<double, Alleles, 1>;  // of all alleles, K
  static constexpr int size = Alleles == Eigen::Dynamic ? Eigen::Dynamic : Alleles - 1;
  using Vector = Eigen::Matrix<double, size, 1>;

  /// N_e, u and s, K each, per generation. Throws `std::invalid_argument` for a population below 1,
  /// fewer than 2 alleles, a mutation rate that is not positive (an allele would die out for good),
  /// or sizes that disagree.
  WrightFisher(double population, Frequencies mutation, Frequencies selection)
      : population_(population), mutation_(std::move(mutation)), selection_(std::move(selection)) {
    detail::require(population >= 1 && std::isfinite(population), "WrightFisher",
                    "population must be at least 1", population);
    detail::require(mutation_.size() >= 2, "WrightFisher", "there must be at least 2 alleles",
                    mutation_.size());
    detail::require_size(selection_, mutation_.size(), 1, "WrightFisher", "selection");
    detail::require_finite(selection_, "WrightFisher", "selection");
    for (double rate : mutation_) detail::require_positive(rate, "WrightFisher", "mutation rate");
  }

  Index alleles() const { return mutation_.size(); }
  double population() const { return population_; }
  const Frequencies& mutation() const { return mutation_; }
  const Frequencies& selection() const { return selection_; }

  Index parameters() const requires(size == Eigen::Dynamic) { return mutation_.size() - 1; }
  static constexpr Index parameters() requires(size != Eigen::Dynamic) { return size; }

  double beta() const { return 2 * population_; }

  template <class Theta>
  auto potential(const Theta& theta) const {
    using std::log;
    typename Theta::Scalar sum(0);
    for (Index j = 0; j < alleles(); ++j) {
      const auto x = frequency(theta, j);
      sum -= selection_[j] * x + mutation_[j] * log(x);
    }
    return sum;
  }

  template <class Theta>
  auto diffusion(const Theta& theta) const {
    using Scalar = typename Theta::Scalar;
    Eigen::Matrix<Scalar, size, size> d(theta.size(), theta.size());
    for (Index j = 0; j < theta.size(); ++j)
      for (Index i = 0; i < theta.size(); ++i)
        d(i, j) = theta[i] * (Scalar(i == j ? 1 : 0) - theta[j]) * Scalar(1 / (2 * population_));
    return d;
  }

  /// log G = −log det D, up to a constant: det D = Π_j x_j / (2N_e)^{K−1}.
  template <class Theta>
  auto log_weight(const Theta& theta) const {
    using std::log;
    typename Theta::Scalar sum(0);
    for (Index j = 0; j < alleles(); ++j) sum -= log(frequency(theta, j));
    return sum;
  }

  /// u_i − x_i Σu + x_i(s_i − Σ_j s_j x_j), N.
  void drift(const Vector& theta, Vector& drift) const {
    const double last = 1 - theta.sum();
    const double fitness =
        selection_.head(theta.size()).dot(theta) + selection_[theta.size()] * last;
    const double rate = mutation_.sum();
    for (Index i = 0; i < theta.size(); ++i)
      drift[i] = mutation_[i] - theta[i] * (rate + fitness - selection_[i]);
  }

  /// Frequency of allele j, the last from the others.
  template <class Theta>
  typename Theta::Scalar frequency(const Theta& theta, Index j) const {
    if (j < theta.size()) return theta[j];
    typename Theta::Scalar rest(1);
    for (Index i = 0; i < theta.size(); ++i) rest -= theta[i];
    return rest;
  }

 private:
  double population_;
  Frequencies mutation_, selection_;
};

/// Trajectories of `WrightFisher` that cannot leave the simplex: in a time step Δt the mean moves
/// by the drift, x* = x + b(x)Δt, and x' is drawn from Dirichlet's distribution about it,
///   x' ~ Dirichlet((1/h − 1) x*),  h = Δt/N_e,
/// which has exactly the mean x* and the covariance h(diag(x*) − x*x*ᵀ) = 2D(x*)Δt, and no mass
/// outside. Nothing is reflected or cut off.
///
/// Bias: averages of polynomials have an error of order Δt (weak order 1), as the third moments
/// are of order Δt² too. Of the density it is largest within some √h of the boundary, where a step
/// no longer sees a constant D. Δt need not be a whole generation. Cost: K gamma numbers a step.
template <int Alleles, std::uniform_random_bit_generator Random = Philox>
class WrightFisherChain {
 public:
  using System = WrightFisher<Alleles>;
  using Vector = typename System::Vector;

  /// Starts at `theta`, x_1 … x_{K−1}. Throws `std::invalid_argument` for frequencies that are not
  /// in the simplex, or a time step that is not positive, above N_e/2, or so long that drift alone
  /// would leave it.
  WrightFisherChain(const System& system, double time_step, Vector theta, Random random = Random{})
      : system_(&system),
        time_step_(time_step),
        concentration_(system.population() / time_step - 1),
        theta_(std::move(theta)),
        drift_(theta_),
        random_(std::move(random)) {
    constexpr std::string_view name = "WrightFisherChain";
    detail::require_positive(time_step, name, "time_step");
    detail::require_size(theta_, system.parameters(), 1, name, "theta");
    detail::require_finite(theta_, name, "theta");
    detail::require(theta_.minCoeff() >= 0 && theta_.sum() <= 1, name,
                    "theta must be frequencies, not negative and of sum 1 at most; their sum",
                    theta_.sum());
    const auto& s = system.selection();
    const double fastest = system.mutation().sum() + s.maxCoeff() - s.minCoeff();
    const double longest = std::min(system.population() / 2, 1 / fastest);
    detail::require(time_step <= longest, name,
                    "time_step must be at most N_e/2 and 1/(sum of u + range of s) = " +
                        std::to_string(longest),
                    time_step);
  }
  WrightFisherChain(System&&, double, Vector, Random = Random{}) = delete;  // it would dangle

  void step() {
    system_->drift(theta_, drift_);
    theta_ += time_step_ * drift_;
    const double last = std::max(0.0, 1 - theta_.sum());
    double sum = draw(last);
    for (Index i = 0; i < theta_.size(); ++i) sum += theta_[i] = draw(theta_[i]);
    theta_ /= sum;
  }

  const Vector& theta() const { return theta_; }
  Index parameters() const { return theta_.size(); }
  Index updates_per_markov_step() const { return 1; }
  double time_step() const { return time_step_; }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(theta_, random_, gamma_);
  }

 private:
  double draw(double mean) {
    const double shape = concentration_ * mean;
    return shape > 0 ? gamma_(random_, shape) : 0;
  }

  const System* system_;
  double time_step_, concentration_;
  Vector theta_, drift_;
  Random random_;
  Gamma gamma_;
};

}  // namespace ness
