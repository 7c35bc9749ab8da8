// Evolution of a finite population (Box 1): Wright and Fisher's model in the diffusion limit.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/random/binomial.hpp"
#include "ness/random/gamma.hpp"
#include "ness/random/philox.hpp"
#include "ness/systems/fokker_planck.hpp"

namespace ness {

/// Frequencies x_1 … x_K of K alleles among N_e haploid copies; θ is x_1 … x_{K−1}, and time is in
/// generations. Copies mutate to allele j at the rate u_j, whatever they were, and allele j has a
/// selective advantage s_j:
///   𝓛 = −Σ_j (s_j x_j + u_j log x_j),  D_ij = x_i(δ_ij − x_j)/(2N_e),  μ = βD, β = 2N_e.
/// So the drift is u_i − x_i Σu + x_i(s_i − Σ_j s_j x_j), and with G = 1/det D the divergence
/// condition holds: generalised Boltzmann equilibrium (Eq. 4; S. Wright, Genetics 16, 97, 1931,
/// doi:10.1093/genetics/16.2.97),
///   P^s ∝ exp(2N_e Σ_j s_j x_j) Π_j x_j^{2N_e u_j − 1}.
template <int Alleles = Eigen::Dynamic>
class WrightFisher {
 public:
  using Frequencies = Eigen::Matrix<double, Alleles, 1>;  // of all alleles, K
  static constexpr int size =
      Alleles == Eigen::Dynamic ? Eigen::Dynamic : Alleles - 1;  ///< K − 1, or Eigen::Dynamic
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

  /// K
  Index alleles() const { return mutation_.size(); }
  /// N_e
  double population() const { return population_; }
  /// u, K.
  const Frequencies& mutation() const { return mutation_; }
  /// s, K.
  const Frequencies& selection() const { return selection_; }

  Index parameters() const
    requires(size == Eigen::Dynamic)
  {
    return mutation_.size() - 1;
  }
  static constexpr Index parameters()
    requires(size != Eigen::Dynamic)
  {
    return size;
  }

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

/// Trajectories of `WrightFisher` that cannot leave the simplex, in time steps Δt: half a step of
/// selection alone, x_j ∝ x_j e^{s_jΔt/2}, a step of drawing and mutation alone,
///   n ~ Multinomial(L, x),  x' ~ Dirichlet(2N_e u + n),
/// and half a step of selection (G. Strang, SIAM J. Numer. Anal. 5, 1968, doi:10.1137/0705041).
/// Nothing is reflected or cut off.
///
/// The step in the middle is what the exact transition of the diffusion is a mixture of (R. C.
/// Griffiths and W.-H. Li, Theor. Popul. Biol. 23, 1983): for any L it leaves Dirichlet's density
/// of the 2N_e u as it is, and reversibly. L is one of two neighbouring integers, at random, so
/// that the mean relaxes as e^{−ΣuΔt}, exactly; second moments then do to second order in Δt.
///
/// Bias: without selection the stationary density has none at all, whatever Δt; with it averages
/// are off by order Δt² (weak order 2). Δt need not be a whole generation. Cost: K gamma numbers,
/// and K − 1 binomial ones of some 2N_e/Δt trials.
template <int Alleles, RandomBits Random = Philox>
class WrightFisherChain {
 public:
  using System = WrightFisher<Alleles>;
  using Vector = typename System::Vector;

  /// Starts at `theta`, x_1 … x_{K−1}. Throws `std::invalid_argument` for frequencies that are not
  /// in the simplex, or a time step that is not positive, or too long for L ≥ 1.
  WrightFisherChain(const System& system, double time_step, Vector theta, Random random = Random{})
      : system_(&system),
        time_step_(time_step),
        x_(system.alleles()),
        theta_(std::move(theta)),
        random_(std::move(random)) {
    constexpr std::string_view name = "WrightFisherChain";
    detail::require_positive(time_step, name, "time_step");
    detail::require_size(theta_, system.parameters(), 1, name, "theta");
    detail::require_finite(theta_, name, "theta");
    detail::require(theta_.minCoeff() >= 0 && theta_.sum() <= 1, name,
                    "theta must be frequencies, not negative and of sum 1 at most; their sum",
                    theta_.sum());
    // Relative to the fittest: only differences of s matter, and these do not overflow.
    log_growth_ = time_step / 2 * (system.selection().array() - system.selection().maxCoeff());
    growth_ = exponentials(log_growth_);
    choose_sizes();
  }
  WrightFisherChain(System&&, double, Vector, Random = Random{}) = delete;  // it would dangle

  void step() {
    x_.head(theta_.size()) = theta_;
    x_[theta_.size()] = std::max(0.0, 1 - theta_.sum());
    select();
    draw_and_mutate();
    select();
    theta_ = x_.head(theta_.size());
  }

  const Vector& theta() const { return theta_; }
  Index parameters() const { return theta_.size(); }
  Index updates_per_markov_step() const { return 1; }
  double time_step() const { return time_step_; }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(theta_, random_, gamma_, binomial_);
  }

 private:
  using Frequencies = typename System::Frequencies;

  // The mean of L/(L + Θ), Θ = 2N_e Σu, must be e^{−ΣuΔt}.
  void choose_sizes() {
    const double rate = system_->mutation().sum();
    const double total = system_->beta() * rate;
    const double longest = std::log1p(total) / rate;
    detail::require(
        time_step_ <= longest, "WrightFisherChain",
        "time_step must be at most log(1 + 2N_e sum of u)/(sum of u) = " + std::to_string(longest),
        time_step_);
    const double kept = std::exp(-rate * time_step_);
    const double size = total * kept / -std::expm1(-rate * time_step_);
    size_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(size));
    const auto kept_by = [&](double drawn) { return drawn / (drawn + total); };
    const double below = kept_by(static_cast<double>(size_));
    const double above = kept_by(static_cast<double>(size_ + 1));
    one_more_ = std::clamp((kept - below) / (above - below), 0.0, 1.0);
  }

  // Eigen's own of vectors do not reach 0.
  static Frequencies exponentials(Frequencies values) {
    for (double& value : values) value = std::exp(value);
    return values;
  }

  void select() {
    const double left = x_.dot(growth_);
    if (!(left > std::numeric_limits<double>::min())) return select_without_the_fittest();
    x_ = x_.cwiseProduct(growth_) / left;
  }

  // Where the fittest allele is absent, the others may all be too unfit for a double.
  void select_without_the_fittest() {
    for (Index j = 0; j < x_.size(); ++j) x_[j] = std::log(x_[j]) + log_growth_[j];
    x_ = exponentials(x_.array() - x_.maxCoeff());
    x_ /= x_.sum();
  }

  void draw_and_mutate() {
    std::int64_t left = size_ + (uniform_real(random_) < one_more_ ? 1 : 0);
    double rest = 1;
    for (Index j = 0; j < x_.size(); ++j) {
      const double share = rest > 0 ? std::clamp(x_[j] / rest, 0.0, 1.0) : 0;
      const std::int64_t drawn = j + 1 < x_.size() ? binomial_(random_, left, share) : left;
      left -= drawn;
      rest -= x_[j];
      x_[j] =
          gamma_(random_, system_->beta() * system_->mutation()[j] + static_cast<double>(drawn));
    }
    x_ /= x_.sum();
  }

  const System* system_;
  double time_step_;
  std::int64_t size_ = 1;  // L, or one more
  double one_more_ = 0;    // the probability of that
  Frequencies x_, growth_, log_growth_;
  Vector theta_;
  Random random_;
  Gamma gamma_;
  Binomial binomial_;
};

}  // namespace ness
