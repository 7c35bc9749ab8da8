// Sums over the Hessians U_i of single samples, which the noise of an epoch is made of (App. B).
#pragma once

#include <algorithm>

#include "ness/model/derivatives.hpp"

namespace ness::detail {

/// For any model: each U_i is formed, N × N, in small blocks. K_αγδ = Σ_i U_i,αγ V_i,δ is kept as
/// N² × N. Cost: N Hessian products and 6N³ flops a sample.
template <class M>
class DenseCurvature {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  using Block = block_t<M>;

  explicit DenseCurvature(const M& model)
      : n_(model.parameters()), f_(Matrix::Zero(n_, n_)), k_(Pairs::Zero(n_ * n_, n_)) {}

  /// Samples in a block, so that its Hessians take at most 8 million numbers.
  Index block_size() const {
    return std::clamp<Index>((Index{1} << 23) / (n_ * n_), 1, Derivatives<M>::block_size);
  }

  /// H_L = (1/M) Σ_i ∂∂ℓ_i
  Matrix hessian(Derivatives<M>& derivatives, const Vector& theta, Index samples) {
    Matrix sum = Matrix::Zero(n_, n_);
    for_each_range(samples, block_size(), [&](Index first, Index count) {
      load(derivatives, theta, first, count);
      for (Index i = 0; i < count; ++i) sum += hessian(i);
    });
    return (sum + sum.transpose()) / static_cast<Scalar>(2 * samples);
  }

  /// Takes the Hessians ∂∂ℓ_i of the samples first ... first + count − 1, unless it has them: θ is
  /// the same in all calls.
  void load(Derivatives<M>& derivatives, const Vector& theta, Index first, Index count) {
    if (first == first_ && count == hessians_.cols()) return;
    hessians_.resize(n_ * n_, count);
    derivatives.sample_hessians(theta, first, hessians_);
    first_ = first;
  }

  /// Column i of `products` = ∂∂ℓ_i · (column i of `directions`)
  template <class Directions>
  void products(const Directions& directions, Block& products) const {
    products.resize(n_, hessians_.cols());
    for (Index i = 0; i < hessians_.cols(); ++i) {
      if constexpr (is_small)
        products.col(i) = hessian(i).lazyProduct(directions.col(i));
      else
        products.col(i).noalias() = hessian(i) * directions.col(i);
    }
  }

  /// Column i of `products` = ∂∂ℓ_i · direction, by the symmetry of ∂∂ℓ_i a single product.
  void common_products(const Vector& direction, Block& products) const {
    products.resize(n_, hessians_.cols());
    products.reshaped().noalias() =
        hessians_.reshaped(n_, n_ * hessians_.cols()).transpose() * direction;
  }

  /// Adds Σ_i ∂∂ℓ_i W ∂∂ℓ_i to F and Σ_i ∂∂ℓ_i ⊗ v_i to K.
  void add(const Block& v, const Matrix& w) {
    for (Index i = 0; i < hessians_.cols(); ++i) {
      if constexpr (is_small) {
        const Matrix product = w.lazyProduct(hessian(i));
        f_ += hessian(i).lazyProduct(product);
      } else {
        product_.noalias() = w * hessian(i);
        f_.noalias() += hessian(i) * product_;
      }
    }
    k_.noalias() += hessians_ * v.transpose();
  }

  /// Σ_i ∂∂ℓ_i W ∂∂ℓ_i
  Matrix f() const { return f_; }

  /// Σ_γδ K_αγδ K_βδγ
  Matrix g() const {
    Matrix g = Matrix::Zero(n_, n_);
    Matrix slice(n_, n_), crossed(n_, n_);
    for (Index delta = 0; delta < n_; ++delta) {
      // slice_αγ = K_αγδ; crossed_βγ = K_βδγ
      slice = Eigen::Map<const Matrix>(k_.col(delta).data(), n_, n_);
      for (Index gamma = 0; gamma < n_; ++gamma)
        crossed.col(gamma) = k_.col(gamma).segment(delta * n_, n_);
      g.noalias() += slice * crossed.transpose();
    }
    return g;
  }

 private:
  static constexpr int N = parameters_at_compile_time<M>;
  static constexpr bool is_small = N != Eigen::Dynamic && N <= 16;
  static constexpr int N2 = N == Eigen::Dynamic ? Eigen::Dynamic : N * N;
  using Pairs = Eigen::Matrix<Scalar, N2, N>;

  auto hessian(Index i) const { return Eigen::Map<const Matrix>(hessians_.col(i).data(), n_, n_); }

  Index n_;
  Index first_ = -1;
  Matrix f_, product_;
  Pairs k_;
  Eigen::Matrix<Scalar, N2, Eigen::Dynamic> hessians_;
};

/// For ∂∂ℓ_i = c I ⊗ x_i x_iᵀ and ∇ℓ_i = r_i ⊗ x_i (K outputs, F features): everything is a sum
/// over the pairs p ≤ q of features, z_i = (x_ip x_iq). Cost: F²(F + K)(K + 1) flops a sample or
/// so; memory N·F²/2 numbers.
template <class M>
class KroneckerCurvature {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  using Block = block_t<M>;
  using Data = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

  explicit KroneckerCurvature(const M& model)
      : features_(model.features()),
        factor_(model.curvature_factor()),
        f_size_(features_.rows()),
        outputs_(model.parameters() / f_size_),
        pairs_(f_size_ * (f_size_ + 1) / 2) {
    weight_.resize(pairs_);
    for_each_pair([&](Index p, Index q, Index at) { weight_[at] = Scalar(p == q ? 1 : 2); });
    f_pairs_.setZero(pairs_, outputs_ * (outputs_ + 1) / 2);
  }

  Index block_size() const { return Derivatives<M>::block_size; }

  Matrix hessian(Derivatives<M>& derivatives, const Vector& theta, Index) const {
    Matrix result;
    derivatives.hessian(theta, result);
    return result;
  }

  void load(Derivatives<M>&, const Vector&, Index first, Index count) {
    first_ = first;
    count_ = count;
  }

  template <class Directions>
  void products(const Directions& directions, Block& products) const {
    products.resize(outputs_ * f_size_, count_);
    for (Index j = 0; j < count_; ++j) {
      const auto x = features_.col(first_ + j);
      for (Index k = 0; k < outputs_; ++k) {
        const auto direction = directions.col(j).segment(k * f_size_, f_size_);
        products.col(j).segment(k * f_size_, f_size_) = (factor_ * x.dot(direction)) * x;
      }
    }
  }

  void common_products(const Vector& direction, Block& out) const {
    products(direction.replicate(1, count_), out);
  }

  void add(const Block& v, const Matrix& w) {
    add_sandwich(w);
    if (k_.size() == 0) k_.setZero(v.rows(), pairs_);
    k_.noalias() += v * z_.transpose();
  }

  /// Adds Σ_i ∂∂ℓ_i W ∂∂ℓ_i to F alone; W is the same in all calls.
  void add_sandwich(const Matrix& w) {
    z_.resize(pairs_, count_);
    for (Index j = 0; j < count_; ++j) {
      const auto x = features_.col(first_ + j);
      Scalar* out = z_.col(j).data();
      for (Index q = 0; q < f_size_; ++q, out += q)
        Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>(out, q + 1) = x[q] * x.head(q + 1);
    }
    if (w_pairs_.size() == 0) read_pairs(w);
    quadratic_.noalias() = w_pairs_.transpose() * z_;  // x_iᵀ W_ab x_i
    f_pairs_.noalias() += z_ * quadratic_.transpose();
  }

  Matrix f() const {
    Matrix f(outputs_ * f_size_, outputs_ * f_size_);
    for_each_block_pair([&](Index a, Index b, Index column) {
      for_each_pair([&](Index p, Index q, Index at) {
        const Scalar value = factor_ * factor_ * f_pairs_(at, column);
        f(a * f_size_ + p, b * f_size_ + q) = f(a * f_size_ + q, b * f_size_ + p) = value;
        f(b * f_size_ + p, a * f_size_ + q) = f(b * f_size_ + q, a * f_size_ + p) = value;
      });
    });
    return f;
  }

  // K_(a,p)(g,q)(d,s) = c δ_ag T_(d,s)(p,q), T = Σ_i v_i z_iᵀ symmetric in p, q, s: so that
  // G_(a,p)(b,q) = c² Σ_pairs T_(b,p) T_(a,q).
  Matrix g() const {
    Matrix r(k_.rows(), k_.rows());
    const Data weighted = k_ * weight_.asDiagonal();
    r.noalias() = weighted * k_.transpose();
    Matrix g(k_.rows(), k_.rows());
    for (Index a = 0; a < outputs_; ++a)
      for (Index b = 0; b < outputs_; ++b)
        g.block(a * f_size_, b * f_size_, f_size_, f_size_) =
            factor_ * factor_ * r.block(b * f_size_, a * f_size_, f_size_, f_size_);
    return g;
  }

 private:
  // work(p, q, number of the pair) for p ≤ q.
  template <class Work>
  void for_each_pair(const Work& work) const {
    Index at = 0;
    for (Index q = 0; q < f_size_; ++q)
      for (Index p = 0; p <= q; ++p) work(p, q, at++);
  }
  template <class Work>
  void for_each_block_pair(const Work& work) const {
    Index column = 0;
    for (Index a = 0; a < outputs_; ++a)
      for (Index b = 0; b <= a; ++b) work(a, b, column++);
  }
  // xᵀ W_ab x as a sum over pairs.
  void read_pairs(const Matrix& w) {
    w_pairs_.resize(pairs_, f_pairs_.cols());
    for_each_block_pair([&](Index a, Index b, Index column) {
      for_each_pair([&](Index p, Index q, Index at) {
        const Scalar pq = w(a * f_size_ + p, b * f_size_ + q);
        const Scalar qp = w(a * f_size_ + q, b * f_size_ + p);
        w_pairs_(at, column) = p == q ? pq : pq + qp;
      });
    });
  }

  decltype(std::declval<const M&>().features()) features_;  // a reference or a view
  Scalar factor_;
  Index f_size_, outputs_, pairs_;
  Index first_ = 0, count_ = 0;
  Eigen::Matrix<Scalar, Eigen::Dynamic, 1> weight_;
  Data k_, f_pairs_, w_pairs_, z_, quadratic_;
};

template <class M>
auto sample_curvature(const M& model) {
  if constexpr (HasKroneckerCurvature<M>)
    return KroneckerCurvature<M>(model);
  else
    return DenseCurvature<M>(model);
}

}  // namespace ness::detail
