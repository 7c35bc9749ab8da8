// Every derivative of a model (of L and ℓ_i, Eq. 10; V, A9; U, B4), by the fastest member it has:
// its own, or automatic differentiation.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "ness/model/autodiff.hpp"
#include "ness/model/concepts.hpp"

namespace ness {

namespace detail {

/// Calls `work(first, count)` for consecutive ranges of at most `most` that cover 0 ... size − 1.
template <class Work>
void for_each_range(Index size, Index most, const Work& work) {
  for (Index first = 0; first < size; first += most) work(first, std::min(most, size - first));
}

}  // namespace detail

/// The derivatives of a model's losses, and the scratch memory that they need.
///
/// One object serves one thread; the model is referred to, not copied. After the first call with a
/// given size no call allocates, but `hessian` and those that a model's own members make.
template <class M>
class Derivatives {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  using Block = block_t<M>;

  /// Samples in one block of `for_each_block`: N × 256 numbers stay in cache.
  static constexpr Index block_size = 256;

  /// Refers to the model, so keep it.
  explicit Derivatives(const M& model) : model_(&model) {}
  explicit Derivatives(M&&) = delete;

  /// gradient = weight · Σ_{i∈B} ∇ℓ_i(θ), 0 for no samples. The weight is 1/m but for batches of
  /// random size.
  void batch_gradient(const Vector& theta, Batch batch, Vector& gradient) {
    if (batch.empty()) {
      gradient.setZero(theta.size());
      return;
    }
    if constexpr (HasBatchGradient<M>) {
      call(detail::CallBatchGradient{}, theta, batch, gradient);
    } else {
      gradient.setZero(theta.size());
      one_.resize(theta.size(), 1);
      for (const Index i : batch) {
        sample_gradients(theta, i, one_);
        gradient += one_.col(0);
      }
      gradient *= static_cast<Scalar>(batch.weight());
    }
  }

  /// `gradients[c]` = that of `batches[c]` at `thetas[c]`, to the last bit, of `chains_together<M>`
  /// chains at most.
  void batch_gradients(std::span<const Vector* const> thetas, std::span<const Batch> batches,
                       std::span<Vector* const> gradients) {
    if constexpr (HasBatchGradients<M>) {
      const std::size_t size = batches.front().size();
      const auto alike = [&](const Batch& batch) { return batch.size() == size; };
      if (size > 0 && std::all_of(batches.begin(), batches.end(), alike))
        return model_->batch_gradients(thetas, batches, gradients);
    }
    for (std::size_t c = 0; c < thetas.size(); ++c)
      batch_gradient(*thetas[c], batches[c], *gradients[c]);
  }

  /// The sum of those of the parts.
  void batch_gradient(const Vector& theta, BatchInParts batch, Vector& gradient) {
    gradient.setZero(theta.size());
    part_.resize(theta.size());
    for (const Batch& part : batch) {
      batch_gradient(theta, part, part_);
      gradient += part_;
    }
  }

  /// Column j of `gradients`, whose size says how many, is ∇ℓ_{first+j}(θ).
  void sample_gradients(const Vector& theta, Index first, Block& gradients) {
    if constexpr (HasSampleGradients<M>) {
      call(detail::CallSampleGradients{}, theta, first, gradients);
    } else if constexpr (HasBatchGradient<M>) {
      column_.resize(theta.size());
      for (Index j = 0; j < gradients.cols(); ++j) {
        const auto sample = static_cast<std::uint32_t>(first + j);
        batch_gradient(theta, Batch(&sample, 1), column_);
        gradients.col(j) = column_;
      }
    } else {
      for (Index j = 0; j < gradients.cols(); ++j)
        autodiff_.gradient(loss_of(first + j), theta, gradients.col(j));
    }
  }

  /// Column j of `products` is ∂∂ℓ_{first+j}(θ) times column j of `directions`.
  void sample_hessian_products(const Vector& theta, Index first, const Block& directions,
                               Block& products)
    requires TwiceDifferentiable<M>
  {
    if constexpr (HasSampleHessianProducts<M>) {
      call(detail::CallSampleHessianProducts{}, theta, first, directions, products);
    } else {
      for (Index j = 0; j < directions.cols(); ++j)
        autodiff_.hessian_product(loss_of(first + j), theta, directions.col(j), products.col(j));
    }
  }

  /// Column j of `hessians`, whose size says how many, is ∂∂ℓ_{first+j}(θ) with its columns one
  /// below the other. Cost: the model's own, or N Hessian products of each sample.
  void sample_hessians(const Vector& theta, Index first, hessians_t<M>& hessians)
    requires TwiceDifferentiable<M>
  {
    if constexpr (HasSampleHessians<M>) {
      call(detail::CallSampleHessians{}, theta, first, hessians);
    } else {
      const Index n = theta.size();
      directions_.setZero(n, hessians.cols());
      products_.resize(n, hessians.cols());
      for (Index k = 0; k < n; ++k) {
        directions_.row(k).setOnes();
        sample_hessian_products(theta, first, directions_, products_);
        hessians.middleRows(k * n, n) = products_;
        directions_.row(k).setZero();
      }
    }
  }

  /// product = H_L(θ) · direction, H_L = (1/M) Σ_i ∂∂ℓ_i
  void hessian_product(const Vector& theta, const Vector& direction, Vector& product)
    requires HasCurvature<M>
  {
    if constexpr (HasHessianProduct<M>) {
      call(detail::CallHessianProduct{}, theta, direction, product);
    } else if constexpr (TwiceDifferentiable<M>) {
      product.setZero(theta.size());
      for_each_block([&](Index first, Index count) {
        repeat(direction, count);
        products_.resize(theta.size(), count);
        sample_hessian_products(theta, first, directions_, products_);
        for (Index j = 0; j < count; ++j) product += products_.col(j);
      });
      product /= static_cast<Scalar>(model_->samples());
    } else {
      Matrix h;
      hessian(theta, h);
      product.noalias() = h * direction;
    }
  }

  /// hessian = H_L(θ), symmetric to the last bit: the model's own, or N Hessian products.
  void hessian(const Vector& theta, Matrix& hessian)
    requires HasCurvature<M>
  {
    const Index n = theta.size();
    hessian.resize(n, n);
    if constexpr (HasHessian<M>) {
      call(detail::CallHessian{}, theta, hessian);
    } else {
      Vector unit = Vector::Zero(n);
      Vector product(n);
      for (Index k = 0; k < n; ++k) {
        unit[k] = Scalar(1);
        hessian_product(theta, unit, product);
        hessian.col(k) = product;
        unit[k] = Scalar(0);
      }
    }
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < j; ++i)
        hessian(i, j) = hessian(j, i) = (hessian(i, j) + hessian(j, i)) / Scalar(2);
  }

  /// Σ_i ℓ_i(θ) of the samples first ... first + count − 1.
  Scalar summed_loss(const Vector& theta, Index first, Index count) const {
    if constexpr (HasSummedLoss<M>) {
      return model_->summed_loss(theta, first, count);
    } else {
      Scalar sum(0);
      for (Index i = first; i < first + count; ++i) sum += model_->sample_loss(theta, i);
      return sum;
    }
  }

  /// gradient = Σ_i ∇ℓ_i(θ) of the samples first ... first + count − 1.
  void summed_gradient(const Vector& theta, Index first, Index count, Vector& gradient) {
    batch_gradient(theta, range(first, count), gradient);
  }

  /// gradient = ∇L(θ), of all samples, in blocks of one size where it can be.
  void loss_gradient(const Vector& theta, Vector& gradient) {
    const Index samples = model_->samples();
    const Index blocks = (samples + block_size - 1) / block_size;
    gradient.setZero(theta.size());
    part_.resize(theta.size());
    detail::for_each_range(samples, (samples + blocks - 1) / blocks, [&](Index first, Index count) {
      summed_gradient(theta, first, count, part_);
      gradient += part_;
    });
    gradient /= static_cast<Scalar>(samples);
  }

  /// products = weight · Σ_{i∈B} ∂∂ℓ_i(θ) · directions, N × any.
  void batch_hessian_products(const Vector& theta, Batch batch, const Block& directions,
                              Block& products)
    requires(HasBatchHessianProducts<M> || TwiceDifferentiable<M>)
  {
    if constexpr (HasBatchHessianProducts<M>) {
      call(detail::CallBatchHessianProducts{}, theta, batch, directions, products);
    } else {
      products.setZero(theta.size(), directions.cols());
      for (const Index i : batch) add_hessian_products(theta, i, 1, directions, products);
      products *= static_cast<Scalar>(batch.weight());
    }
  }

  /// products = Σ_i ∂∂ℓ_i(θ) · directions, N × any, of the samples first ... first + count − 1.
  void summed_hessian_products(const Vector& theta, Index first, Index count,
                               const Block& directions, Block& products)
    requires(HasBatchHessianProducts<M> || TwiceDifferentiable<M>)
  {
    if constexpr (HasBatchHessianProducts<M>) {
      batch_hessian_products(theta, range(first, count), directions, products);
    } else {
      products.setZero(theta.size(), directions.cols());
      detail::for_each_range(count, samples_at_once(theta.size()), [&](Index begin, Index size) {
        add_hessian_products(theta, first + begin, size, directions, products);
      });
    }
  }

  /// Column j of `projections`, K × count, is Qᵀ∇ℓ_{first+j}(θ), Q = `subspace`, N × K.
  void projected_gradients(const Vector& theta, Index first, const Block& subspace,
                           projections_t<M>& projections) {
    if constexpr (HasProjectedGradients<M>) {
      call(detail::CallProjectedGradients{}, theta, first, subspace, projections);
    } else {
      const Index most = samples_at_once(theta.size());
      detail::for_each_range(projections.cols(), most, [&](Index begin, Index size) {
        gradients_.resize(theta.size(), size);
        sample_gradients(theta, first + begin, gradients_);
        projections.middleCols(begin, size).noalias() = subspace.transpose() * gradients_;
      });
    }
  }

  /// Column j of `projections`, K × count, is Qᵀ∂∂ℓ_{first+j}(θ) · direction.
  void projected_hessian_products(const Vector& theta, Index first, const Vector& direction,
                                  const Block& subspace, projections_t<M>& projections)
    requires(HasProjectedHessianProducts<M> || TwiceDifferentiable<M>)
  {
    if constexpr (HasProjectedHessianProducts<M>) {
      call(detail::CallProjectedHessianProducts{}, theta, first, direction, subspace, projections);
    } else {
      project_products(theta, first, subspace, projections,
                       [&](Index, Index size) { repeat(direction, size); });
    }
  }

  /// Column j of `projections`, K × count, is Qᵀ∂∂ℓ_{first+j}(θ)∇ℓ_{first+j}(θ).
  void projected_own_products(const Vector& theta, Index first, const Block& subspace,
                              projections_t<M>& projections)
    requires(HasProjectedOwnProducts<M> || TwiceDifferentiable<M>)
  {
    if constexpr (HasProjectedOwnProducts<M>) {
      call(detail::CallProjectedOwnProducts{}, theta, first, subspace, projections);
    } else {
      project_products(theta, first, subspace, projections, [&](Index begin, Index size) {
        directions_.resize(theta.size(), size);
        sample_gradients(theta, begin, directions_);
      });
    }
  }

  /// L(θ) = (1/M) Σ_i ℓ_i(θ)
  Scalar loss(const Vector& theta) const {
    if constexpr (HasLoss<M>) {
      return model_->loss(theta);
    } else {
      Scalar sum(0);
      for (Index i = 0; i < model_->samples(); ++i) sum += model_->sample_loss(theta, i);
      return sum / static_cast<Scalar>(model_->samples());
    }
  }

  /// Calls `work(first, count)` for consecutive ranges that together hold every sample once.
  template <class Work>
  void for_each_block(const Work& work) const {
    detail::for_each_range(model_->samples(), block_size, work);
  }

  /// Calls `work(first, gradients)` for consecutive blocks of sample gradients, N × count.
  template <class Work>
  void for_each_gradient_block(const Vector& theta, const Work& work) {
    for_each_block([&](Index first, Index count) {
      gradients_.resize(theta.size(), count);
      sample_gradients(theta, first, gradients_);
      work(first, gradients_);
    });
  }

 private:
  // So many that N × these is some megabytes at most.
  static Index samples_at_once(Index parameters) {
    return std::clamp<Index>((Index{1} << 20) / parameters, 1, block_size);
  }

  // Consecutive samples, each once.
  Batch range(Index first, Index count) {
    numbers_.resize(static_cast<std::size_t>(count));
    std::iota(numbers_.begin(), numbers_.end(), static_cast<std::uint32_t>(first));
    return Batch(std::span<const std::uint32_t>(numbers_), 1);
  }

  // One direction for each of `count` samples.
  void repeat(const auto& direction, Index count) {
    directions_.resize(direction.size(), count);
    for (Index j = 0; j < count; ++j) directions_.col(j) = direction;
  }

  void add_hessian_products(const Vector& theta, Index first, Index count, const Block& directions,
                            Block& products) {
    products_.resize(theta.size(), count);
    for (Index k = 0; k < directions.cols(); ++k) {
      repeat(directions.col(k), count);
      sample_hessian_products(theta, first, directions_, products_);
      for (Index j = 0; j < count; ++j) products.col(k) += products_.col(j);
    }
  }

  // `load(first, count)` sets the directions.
  template <class Load>
  void project_products(const Vector& theta, Index first, const Block& subspace,
                        projections_t<M>& projections, const Load& load) {
    detail::for_each_range(
        projections.cols(), samples_at_once(theta.size()), [&](Index begin, Index size) {
          load(first + begin, size);
          products_.resize(theta.size(), size);
          sample_hessian_products(theta, first + begin, directions_, products_);
          projections.middleCols(begin, size).noalias() = subspace.transpose() * products_;
        });
  }

  template <class Call, class... A>
  void call(const Call& member, A&... arguments) {
    detail::call_member(member, *model_, workspace_, arguments...);
  }

  auto loss_of(Index i) const {
    return [this, i](const auto& theta) { return model_->sample_loss(theta, i); };
  }

  const M* model_;
  workspace_t<M> workspace_{};
  Autodiff<Vector> autodiff_;
  Block one_, gradients_, directions_, products_;
  Vector column_, part_;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace ness
