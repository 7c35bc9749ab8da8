// Descent of a quadratic loss by any update, with normal noise of constant covariance: where the
// linear theory is exact.
#pragma once

#include <Eigen/Cholesky>
#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/update/momentum.hpp"

/// Gradients g = Hθ − ξ/η with ½⟨ξξᵀ⟩ = D, a chain for `run_chains`.
template <class Update>
class NoisyDescent {
 public:
  using Vector = Eigen::VectorXd;
  using Matrix = Eigen::MatrixXd;

  NoisyDescent(Matrix hessian, const Matrix& diffusion, double learning_rate, const Update& update,
               Vector start, std::uint64_t stream)
      : hessian_(std::move(hessian)),
        noise_(Matrix((2 * diffusion).llt().matrixL()) / learning_rate),
        update_(update, learning_rate, start.size()),
        theta_(std::move(start)),
        normals_(theta_),
        random_(5, stream) {}

  void step() {
    normal_.fill(random_, normals_);
    const Vector gradient = hessian_ * theta_ - noise_ * normals_;
    update_.move(theta_, gradient);
  }
  const Vector& theta() const { return theta_; }
  Eigen::Index updates_per_markov_step() const { return 1; }

 private:
  Matrix hessian_, noise_;
  typename Update::template State<Vector> update_;
  Vector theta_, normals_;
  ness::Philox random_;
  ness::Normal normal_;
};

/// ⟨(θ_k, θ_{k−1})(θ_k, θ_{k−1})ᵀ⟩, 2N × 2N, of the same without c₁: X = AXAᵀ + Q by doubling.
inline Eigen::MatrixXd pair_covariance(const Eigen::MatrixXd& hessian,
                                       const Eigen::MatrixXd& diffusion, double learning_rate,
                                       const ness::LinearUpdate& update) {
  const Eigen::Index n = hessian.rows();
  const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(n, n);
  const double c0 = update.of_gradient();
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(2 * n, 2 * n);
  a << (1 + update.momentum) * one - learning_rate * c0 * hessian, -update.momentum * one, one,
      0 * one;
  Eigen::MatrixXd x = Eigen::MatrixXd::Zero(2 * n, 2 * n);
  x.topLeftCorner(n, n) = 2 * c0 * c0 * diffusion;
  for (int k = 0; k < 30; ++k) {
    x = (x + a * x * a.transpose()).eval();
    a = (a * a).eval();
  }
  return x;
}
