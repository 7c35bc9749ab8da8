// One model, y ≈ a exp(−b x) + c with squared loss, written with each set of members that a user
// may bring. Its derivatives are in closed form; `calls` counts the use of its own members.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "ness/model/concepts.hpp"

/// The data and the closed forms: ℓ_i = r_i², r_i = f(x_i) − y_i. N = 3, or Eigen::Dynamic.
template <class S = double, int N = 3>
struct DecayFormulas {
  using Scalar = S;
  using Vector = Eigen::Matrix<S, N, 1>;
  using Matrix = Eigen::Matrix<S, N, N>;
  using Block = Eigen::Matrix<S, N, Eigen::Dynamic>;

  Eigen::Index count = 300;  // more than one block of Derivatives
  mutable int calls = 0;

  static constexpr Eigen::Index parameters()
    requires(N != Eigen::Dynamic)
  {
    return 3;
  }
  Eigen::Index parameters() const
    requires(N == Eigen::Dynamic)
  {
    return 3;
  }
  Eigen::Index samples() const { return count; }

  double x(Eigen::Index i) const { return 0.01 * static_cast<double>(i); }
  double y(Eigen::Index i) const { return std::sin(1.7 * static_cast<double>(i)); }

  double exact_loss(const Vector& theta, Eigen::Index i) const {
    const double f = double(theta[0]) * std::exp(-double(theta[1]) * x(i)) + double(theta[2]);
    return (f - y(i)) * (f - y(i));
  }
  Eigen::Vector3d exact_gradient(const Vector& theta, Eigen::Index i) const {
    return 2 * residual(theta, i) * slope(theta, i);
  }
  Eigen::Matrix3d exact_hessian(const Vector& theta, Eigen::Index i) const {
    const double e = std::exp(-double(theta[1]) * x(i));
    Eigen::Matrix3d curvature = Eigen::Matrix3d::Zero();
    curvature(0, 1) = curvature(1, 0) = -x(i) * e;
    curvature(1, 1) = double(theta[0]) * x(i) * x(i) * e;
    const Eigen::Vector3d s = slope(theta, i);
    return 2 * s * s.transpose() + 2 * residual(theta, i) * curvature;
  }

 private:
  double residual(const Vector& theta, Eigen::Index i) const {
    return double(theta[0]) * std::exp(-double(theta[1]) * x(i)) + double(theta[2]) - y(i);
  }
  Eigen::Vector3d slope(const Vector& theta, Eigen::Index i) const {
    const double e = std::exp(-double(theta[1]) * x(i));
    return {e, -double(theta[0]) * x(i) * e, 1};
  }
};

/// The least: a loss that is generic over its scalar.
template <class S = double, int N = 3>
struct GenericDecay : DecayFormulas<S, N> {
  auto sample_loss(const auto& theta, Eigen::Index i) const {
    using std::exp;
    const auto residual = theta[0] * exp(-theta[1] * S(this->x(i))) + theta[2] - S(this->y(i));
    return residual * residual;
  }
};

/// A loss for plain numbers only: what else there is must come from other members.
template <class S = double, int N = 3>
struct PlainDecay : DecayFormulas<S, N> {
  using typename DecayFormulas<S, N>::Vector;
  S sample_loss(const Vector& theta, Eigen::Index i) const {
    return static_cast<S>(this->exact_loss(theta, i));
  }
};

template <class S = double, int N = 3>
struct BatchGradientDecay : PlainDecay<S, N> {
  using typename DecayFormulas<S, N>::Vector;
  void batch_gradient(const Vector& theta, ness::Batch batch, Vector& gradient) const {
    ++this->calls;
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    for (const auto i : batch) sum += this->exact_gradient(theta, i);
    gradient = (batch.weight() * sum).template cast<S>();
  }
};

template <class S = double, int N = 3>
struct SampleGradientsDecay : PlainDecay<S, N> {
  using typename DecayFormulas<S, N>::Vector;
  using typename DecayFormulas<S, N>::Block;
  void sample_gradients(const Vector& theta, Eigen::Index first, Block& gradients) const {
    ++this->calls;
    for (Eigen::Index j = 0; j < gradients.cols(); ++j)
      gradients.col(j) = this->exact_gradient(theta, first + j).template cast<S>();
  }
};

template <class S = double, int N = 3>
struct SampleHessianProductsDecay : BatchGradientDecay<S, N> {
  using typename DecayFormulas<S, N>::Vector;
  using typename DecayFormulas<S, N>::Block;
  void sample_hessian_products(const Vector& theta, Eigen::Index first, const Block& directions,
                               Block& products) const {
    ++this->calls;
    for (Eigen::Index j = 0; j < directions.cols(); ++j)
      products.col(j) =
          this->exact_hessian(theta, first + j).template cast<S>() * directions.col(j);
  }
};

template <class S = double, int N = 3>
struct HessianDecay : BatchGradientDecay<S, N> {
  using typename DecayFormulas<S, N>::Vector;
  using typename DecayFormulas<S, N>::Matrix;
  void hessian(const Vector& theta, Matrix& result) const {
    ++this->calls;
    Eigen::Matrix3d sum = Eigen::Matrix3d::Zero();
    for (Eigen::Index i = 0; i < this->samples(); ++i) sum += this->exact_hessian(theta, i);
    result = (sum / static_cast<double>(this->samples())).template cast<S>();
  }
};

template <class S = double, int N = 3>
struct HessianProductDecay : BatchGradientDecay<S, N> {
  using typename DecayFormulas<S, N>::Vector;
  void hessian_product(const Vector& theta, const Vector& direction, Vector& product) const {
    ++this->calls;
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    for (Eigen::Index i = 0; i < this->samples(); ++i)
      sum += this->exact_hessian(theta, i) * direction.template cast<double>();
    product = (sum / static_cast<double>(this->samples())).template cast<S>();
  }
};

/// Every member, each of which asks for scratch memory.
template <class S = double, int N = 3>
struct WorkspaceDecay : PlainDecay<S, N> {
  using typename DecayFormulas<S, N>::Vector;
  using typename DecayFormulas<S, N>::Block;
  struct Workspace {
    Eigen::Vector3d sum;
  };
  void batch_gradient(const Vector& theta, ness::Batch batch, Vector& gradient,
                      Workspace& ws) const {
    ++this->calls;
    ws.sum.setZero();
    for (const auto i : batch) ws.sum += this->exact_gradient(theta, i);
    gradient = (batch.weight() * ws.sum).template cast<S>();
  }
  void sample_gradients(const Vector& theta, Eigen::Index first, Block& gradients,
                        Workspace& ws) const {
    ++this->calls;
    for (Eigen::Index j = 0; j < gradients.cols(); ++j) {
      ws.sum = this->exact_gradient(theta, first + j);
      gradients.col(j) = ws.sum.template cast<S>();
    }
  }
  void sample_hessian_products(const Vector& theta, Eigen::Index first, const Block& directions,
                               Block& products, Workspace& ws) const {
    ++this->calls;
    for (Eigen::Index j = 0; j < directions.cols(); ++j) {
      ws.sum = this->exact_hessian(theta, first + j) * directions.col(j).template cast<double>();
      products.col(j) = ws.sum.template cast<S>();
    }
  }
  void sample_hessians(const Vector& theta, Eigen::Index first,
                       Eigen::Matrix<S, N == 3 ? 9 : Eigen::Dynamic, Eigen::Dynamic>& hessians,
                       Workspace&) const {
    ++this->calls;
    for (Eigen::Index j = 0; j < hessians.cols(); ++j)
      hessians.col(j) = this->exact_hessian(theta, first + j).template cast<S>().reshaped();
  }
  void hessian_product(const Vector& theta, const Vector& direction, Vector& product,
                       Workspace& ws) const {
    ++this->calls;
    ws.sum.setZero();
    for (Eigen::Index i = 0; i < this->samples(); ++i)
      ws.sum += this->exact_hessian(theta, i) * direction.template cast<double>();
    product = (ws.sum / static_cast<double>(this->samples())).template cast<S>();
  }
};
