// 𝓛 of many parameters: sums over samples on threads, without a matrix of N × N or N × M (Eq. 10).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/statistics/ordered_sum.hpp"

namespace ness {

/// The objective 𝓛 = L + R as its sums over the samples make it: value, gradient, and products of
/// its Hessian with several vectors at once, each in one pass over the samples on threads.
///
/// θ and sums are in double precision, whatever the model's: a model in float makes the sum of 512
/// samples in float. What comes out is the same to the last bit for any number of threads. Memory:
/// for each thread and the sum as many numbers as the result has, and what the model needs for 512
/// samples. It refers to the objective, so keep that alive.
template <class M, class R>
class StreamedObjective {
 public:
  using Scalar = scalar_t<M>;
  using Vector = DynamicVector<typename detail::DoubleFor<M>::type>;
  using Matrix = DynamicMatrix<typename detail::DoubleFor<M>::type>;
  static_assert(
      HasBatchHessianProducts<M> || TwiceDifferentiable<M>,
      "ness: many parameters need Hessian products of ranges of samples: make sample_loss "
      "generic, or give your Model `batch_hessian_products` or "
      "`sample_hessian_products`");

  /// `threads` 0: as many as the machine has. Throws `std::invalid_argument` for a negative number.
  explicit StreamedObjective(const Objective<M, R>& objective, int threads = 0)
      : objective_(&objective), threads_(threads) {
    detail::require(threads >= 0, "StreamedObjective", "threads must not be negative", threads);
  }
  explicit StreamedObjective(Objective<M, R>&&, int = 0) = delete;  // it would dangle

  const Objective<M, R>& objective() const { return *objective_; }
  Index parameters() const { return objective_->parameters(); }
  Index samples() const { return objective_->samples(); }

  // Each of these throws `std::invalid_argument` unless θ has N finite elements.

  /// 𝓛(θ)
  double value(const Vector& theta) const {
    const Parameters at = objective_->point(theta, "StreamedObjective::value");
    double sum = 0;
    for_each_chunk(
        double{0},
        [&](Derivatives<M>& derivatives, Index first, Index count, double& part) {
          part = static_cast<double>(derivatives.summed_loss(at, first, count));
        },
        [&](Index, double part) { sum += part; });
    return sum / static_cast<double>(samples()) +
           static_cast<double>(objective_->regularizer().value(at));
  }

  /// ∇𝓛(θ), N.
  Vector gradient(const Vector& theta) const {
    const Parameters at = objective_->point(theta, "StreamedObjective::gradient");
    Vector sum = Vector::Zero(parameters());
    for_each_chunk(
        Parameters(Parameters::Zero(parameters())),
        [&](Derivatives<M>& derivatives, Index first, Index count, Parameters& part) {
          derivatives.summed_gradient(at, first, count, part);
        },
        [&](Index, const Parameters& part) {
          for (Index k = 0; k < sum.size(); ++k) sum[k] += static_cast<double>(part[k]);
        });
    sum /= static_cast<double>(samples());
    Parameters of_regularizer = Parameters::Zero(parameters());
    RegularizerDerivatives<R, Parameters>(objective_->regularizer())
        .add_gradient(at, of_regularizer);
    sum += of_regularizer.template cast<double>();
    return sum;
  }

  /// H(θ) · directions, H = ∂∂𝓛, N × any. Throws `std::invalid_argument` for directions of another
  /// size.
  Matrix hessian_products(const Vector& theta, const Matrix& directions) const {
    constexpr std::string_view name = "StreamedObjective::hessian_products";
    const Parameters at = objective_->point(theta, name);
    detail::require_size(directions, parameters(), directions.cols(), name, "directions");
    const Block along = directions.template cast<Scalar>();
    Matrix sum = Matrix::Zero(parameters(), directions.cols());
    for_each_chunk(
        Block(parameters(), directions.cols()),
        [&](Derivatives<M>& derivatives, Index first, Index count, Block& part) {
          derivatives.summed_hessian_products(at, first, count, along, part);
        },
        [&](Index, const Block& part) {
          for (Index k = 0; k < sum.size(); ++k)
            sum.data()[k] += static_cast<double>(part.data()[k]);
        });
    sum /= static_cast<double>(samples());
    sum += regularizer_products(theta, directions);
    return sum;
  }

  /// ∂∂R(θ) · directions, N × any, which `hessian_products` has a part of. Throws as that does.
  Matrix regularizer_products(const Vector& theta, const Matrix& directions) const {
    constexpr std::string_view name = "StreamedObjective::regularizer_products";
    const Parameters at = objective_->point(theta, name);
    detail::require_size(directions, parameters(), directions.cols(), name, "directions");
    RegularizerDerivatives<R, Parameters> regularizer(objective_->regularizer());
    Matrix result(parameters(), directions.cols());
    Parameters direction, product;
    for (Index k = 0; k < directions.cols(); ++k) {
      direction = directions.col(k).template cast<Scalar>();
      product.setZero(parameters());
      regularizer.add_hessian_product(at, direction, product);
      result.col(k) = product.template cast<double>();
    }
    return result;
  }

  // With signs s_i, each 1, −1 or 0, M of them; these throw `std::invalid_argument` for another
  // number.

  /// Σ_i s_i∇ℓ_i(θ), N.
  Vector signed_gradient(const Vector& theta, const Vector& signs) const {
    const Parameters at = objective_->point(theta, "StreamedObjective::signed_gradient");
    return signed_sum(signs, Block(parameters(), 1),
                      [&](Derivatives<M>& derivatives, Batch batch, Block& part) {
                        Parameters gradient(parameters());
                        derivatives.batch_gradient(at, batch, gradient);
                        part = gradient;
                      })
        .col(0);
  }

  /// Σ_i s_i∂∂ℓ_i(θ) · directions, N × any.
  Matrix signed_hessian_products(const Vector& theta, const Vector& signs,
                                 const Matrix& directions) const {
    constexpr std::string_view name = "StreamedObjective::signed_hessian_products";
    const Parameters at = objective_->point(theta, name);
    detail::require_size(directions, parameters(), directions.cols(), name, "directions");
    const Block along = directions.template cast<Scalar>();
    return signed_sum(signs, Block(parameters(), directions.cols()),
                      [&](Derivatives<M>& derivatives, Batch batch, Block& part) {
                        derivatives.batch_hessian_products(at, batch, along, part);
                      });
  }

  // Each of these calls `work(first, projections)` for ranges of samples in order, with a column of
  // K numbers for each, Q = `subspace`, N × K.

  /// Qᵀ∇ℓ_i
  template <class Work>
  void for_each_projection(const Vector& theta, const Matrix& subspace, const Work& work) const {
    for_each_projected(
        theta, subspace, "StreamedObjective::for_each_projection",
        [](Derivatives<M>& derivatives, const Parameters& at, Index first, const Block& basis,
           Projections& part) { derivatives.projected_gradients(at, first, basis, part); },
        work);
  }

  /// Qᵀ∂∂ℓ_i · direction
  template <class Work>
  void for_each_projected_product(const Vector& theta, const Vector& direction,
                                  const Matrix& subspace, const Work& work) const {
    constexpr std::string_view name = "StreamedObjective::for_each_projected_product";
    detail::require_size(direction, parameters(), 1, name, "direction");
    const Parameters along = direction.template cast<Scalar>();
    for_each_projected(
        theta, subspace, name,
        [&](Derivatives<M>& derivatives, const Parameters& at, Index first, const Block& basis,
            Projections& part) {
          derivatives.projected_hessian_products(at, first, along, basis, part);
        },
        work);
  }

  /// Qᵀ∂∂ℓ_i∇ℓ_i
  template <class Work>
  void for_each_projected_own_product(const Vector& theta, const Matrix& subspace,
                                      const Work& work) const {
    for_each_projected(
        theta, subspace, "StreamedObjective::for_each_projected_own_product",
        [](Derivatives<M>& derivatives, const Parameters& at, Index first, const Block& basis,
           Projections& part) { derivatives.projected_own_products(at, first, basis, part); },
        work);
  }

 private:
  using Parameters = vector_t<M>;
  using Block = block_t<M>;
  using Projections = projections_t<M>;
  static constexpr Index chunk = 512;  // samples; the sums do not depend on the threads

  // `work(derivatives, batch, part)` is called with those of either sign, of weight ±1.
  template <class Work>
  Matrix signed_sum(const Vector& signs, const Block& part, const Work& work) const {
    detail::require_size(signs, samples(), 1, "StreamedObjective", "signs");
    struct Part {
      Block sum, of_some;
      std::vector<std::uint32_t> some;
    };
    Matrix sum = Matrix::Zero(part.rows(), part.cols());
    for_each_chunk(
        Part{part, part, {}},
        [&](Derivatives<M>& derivatives, Index first, Index count, Part& parts) {
          parts.sum.setZero();
          for (const double sign : {1.0, -1.0}) {
            parts.some.clear();
            for (Index i = first; i < first + count; ++i)
              if (sign * signs[i] > 0) parts.some.push_back(static_cast<std::uint32_t>(i));
            if (parts.some.empty()) continue;
            work(derivatives, Batch(std::span<const std::uint32_t>(parts.some), sign),
                 parts.of_some);
            parts.sum += parts.of_some;
          }
        },
        [&](Index, const Part& parts) { sum += parts.sum.template cast<double>(); });
    return sum;
  }

  template <class Project, class Work>
  void for_each_projected(const Vector& theta, const Matrix& subspace, std::string_view name,
                          const Project& project, const Work& work) const {
    const Parameters at = objective_->point(theta, name);
    detail::require_size(subspace, parameters(), subspace.cols(), name, "subspace");
    const Block basis = subspace.template cast<Scalar>();
    for_each_chunk(
        Projections(),
        [&](Derivatives<M>& derivatives, Index first, Index count, Projections& part) {
          part.resize(basis.cols(), count);
          project(derivatives, at, first, basis, part);
        },
        [&](Index first, const Projections& part) {
          work(first, Matrix(part.template cast<double>()));
        });
  }

  // `add(first, part)` is called in the order of the chunks, by one thread at a time.
  template <class Part, class Work, class Add>
  void for_each_chunk(const Part& part, const Work& work, const Add& add) const {
    struct Scratch {
      Derivatives<M> derivatives;
      Part part;
    };
    detail::sum_in_order(
        static_cast<int>((samples() + chunk - 1) / chunk), threads_,
        [&] {
          return Scratch{Derivatives<M>(objective_->model()), part};
        },
        [&](Scratch& scratch, int k) {
          const Index first = k * chunk;
          work(scratch.derivatives, first, std::min(chunk, samples() - first), scratch.part);
        },
        [&](const Scratch& scratch, int k) { add(k * chunk, scratch.part); });
  }

  const Objective<M, R>* objective_;
  int threads_;
};

}  // namespace ness
