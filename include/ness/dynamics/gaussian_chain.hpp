// The linear chain with Gaussian noise: where the theory of App. C is exact.
#pragma once

#include <Eigen/Core>
#include <random>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_eigen.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"

namespace ness {

/// δθ' = (I − ηH) δθ + ξ with normal ξ, ½⟨ξξᵀ⟩ = D constant (Eq. 19 in discrete time).
///
/// With Σ and C of Eqs. 21–25 the entropy production of its trajectories has ⟨e^{−σ}⟩ = 1 exactly,
/// for every length. D may be singular. Cost of a step: two products of N × N with a vector.
template <class Matrix, std::uniform_random_bit_generator Random = Philox>
class GaussianChain {
 public:
  using Scalar = typename Matrix::Scalar;
  using Vector = Eigen::Matrix<Scalar, Matrix::RowsAtCompileTime, 1>;

  /// Starts at `mean`. Throws `std::invalid_argument` for bad sizes or numbers, or a D with a
  /// negative eigenvalue beyond rounding.
  GaussianChain(Vector mean, const Matrix& hessian, const Matrix& diffusion, double learning_rate,
                Random random = Random{})
      : mean_(std::move(mean)), theta_(mean_), random_(std::move(random)) {
    const auto n = mean_.size();
    detail::require_finite(mean_, "GaussianChain", "mean");
    detail::require_size(hessian, n, n, "GaussianChain", "hessian");
    detail::require_size(diffusion, n, n, "GaussianChain", "diffusion");
    detail::require_finite(hessian, "GaussianChain", "hessian");
    detail::require_finite(diffusion, "GaussianChain", "diffusion");
    detail::require_positive(learning_rate, "GaussianChain", "learning_rate");
    drift_ = -static_cast<Scalar>(learning_rate) * hessian;
    const detail::SymmetricEigen<Matrix> eigen(diffusion);
    const Scalar smallest = eigen.values[0];
    detail::require(smallest >= -Scalar(1e-6) * eigen.values[n - 1], "GaussianChain",
                    "the smallest eigenvalue of diffusion must not be negative", smallest);
    amplitude_ = eigen.vectors * (2 * eigen.values.cwiseMax(Scalar(0))).cwiseSqrt().asDiagonal();
    normals_.resize(n);
    step_.resize(n);
  }

  void step() {
    normal_.fill(random_, normals_);
    step_.noalias() = amplitude_ * normals_;
    step_.noalias() += drift_ * (theta_ - mean_);
    theta_ += step_;
  }

  /// Puts the chain at `theta`, N.
  void move_to(const Vector& theta) {
    detail::require_size(theta, mean_.size(), 1, "GaussianChain::move_to", "theta");
    theta_ = theta;
  }
  const Vector& theta() const { return theta_; }
  Eigen::Index parameters() const { return theta_.size(); }
  Eigen::Index updates_per_markov_step() const { return 1; }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(theta_, random_, normal_);
  }

 private:
  Vector mean_, theta_, normals_, step_;
  Matrix drift_, amplitude_;
  Random random_;
  Normal normal_;
};

}  // namespace ness
