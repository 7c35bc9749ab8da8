// A posterior that is not Gaussian: that of a Bayesian neural network, drawn from by several
// samplers at equal cost.
//
// Hidden units may be exchanged and their signs turned (tanh is odd) without a change of the
// function: parameters have many equivalent modes and are not identified. What is identified, and
// compared, is the function f(x; θ), the objective 𝓛 = −log posterior, and |θ|².
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <ness/files/npy.hpp>
#include <ness/posterior/convergence.hpp>
#include <ness/statistics/estimate.hpp>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"

namespace network {

/// Mean and standard deviation of f, at each of some x.
struct Band {
  Eigen::VectorXd mean, deviation;
};

/// What a sampler drew. Quantities are f at each of `Results::places`, 𝓛 and |θ|².
struct Draws {
  std::string key, title;
  double step = 0;                       ///< η, or h of a kinetic sampler
  double friction = 0;                   ///< 0: none
  Eigen::Index batch = 0;                ///< m
  double gradients = 0;                  ///< of single samples, all chains, with what was burnt in
  std::string failure;                   ///< of a chain that diverged; nothing else is there then
  ness::NpyArray quantities;             ///< chains × draws × quantities
  ness::Convergence converged;           ///< of these
  ness::Estimate<Eigen::VectorXd> mean;  ///< of these, Q
  ness::Estimate<Eigen::VectorXd> square;  ///< about the mean of the reference, Q
  Band band;                               ///< at each of `Results::grid`
  /// Mean over samples of log p(y_i | all others), natural: −log⟨1/p(y_i|θ)⟩ (A. E. Gelfand, D. K.
  /// Dey and H. Chang, Bayesian Statistics 4, 1992).
  ness::Estimate<double> log_density;

  /// The largest R̂ of all quantities, and the least of their effective draws.
  double r_hat() const;
  double bulk_draws() const;
  double tail_draws() const;
  /// Of single samples, for a draw of the quantity that mixes least.
  double gradients_per_draw() const { return gradients / bulk_draws(); }
  /// Are chains near enough to each other, and long enough, for their means to be compared? R̂ is
  /// at most 1.05, and there are 25 effective draws of each chain, in bulk and tail.
  bool has_converged() const;
};

/// A sampler against the reference: the mean or mean square that is furthest off.
struct Comparison {
  double deviation = 0;  ///< in standard errors of both
  double chance = 1;  ///< of as much or more, were both right: Student's t, as B. L. Welch has it
  std::string of;     ///< which it is
};

struct Results {
  std::vector<int> widths;
  Eigen::Index parameters = 0, samples = 0;
  double noise = 0;  ///< ε
  double minimum = 0, curvature_least = 0, curvature_most = 0;
  Eigen::VectorXd places, grid;   ///< x of the table, and of the picture
  std::vector<double> x, y;       ///< the data
  Band laplace, linear;           ///< N(θ₀, H₀⁻¹): by draws, and f about θ₀ as linear
  std::optional<Band> exact;      ///< by integrals, at the places, of a network 1-2-1
  Eigen::MatrixXd laplace_draws;  ///< f, draws × places
  double parameters_r_hat = 0;    ///< of the reference's θ, the largest
  double parameters_r_hat_median = 0;  ///< the same, the median
  Eigen::Index parameter = 0;          ///< which it is, from 0
  Eigen::MatrixXd parameter_draws;     ///< some of it, draws × chains
  Draws reference;
  std::vector<Draws> samplers;

  Comparison compare(const Draws& draws) const;
  /// The reference's f against `exact`.
  Comparison compare_with_exact() const;
  std::string name(Eigen::Index quantity) const;
  /// The least chance with which a sampler agrees: one table in a thousand has a false alarm.
  double level() const;
};

/// With progress bars. Writes the reference's θ to `--draws`. Throws `UserError`.
Results study(const Options& options, const NetworkOptions& of_network);

}  // namespace network
