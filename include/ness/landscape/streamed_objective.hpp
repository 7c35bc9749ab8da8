// 𝓛 of many parameters: sums over samples on threads, without a matrix of N × N or N × M (Eq. 10).
#pragma once

#include <algorithm>
#include <string_view>

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
  using Vector = DynamicVector<double>;
  using Matrix = DynamicMatrix<double>;
  static_assert(
      HasSummedHessianProducts<M> || TwiceDifferentiable<M>,
      "ness: many parameters need Hessian products of ranges of samples: make sample_loss "
      "generic, or give your Model `summed_hessian_products` or "
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
    add_regularizer(at, along, sum);
    return sum;
  }

  /// Calls `work(first, projections)` for ranges of samples in order, with Qᵀ∇ℓ_i of each in a
  /// column, K × count, Q = `subspace`, N × K.
  template <class Work>
  void for_each_projection(const Vector& theta, const Matrix& subspace, const Work& work) const {
    constexpr std::string_view name = "StreamedObjective::for_each_projection";
    const Parameters at = objective_->point(theta, name);
    detail::require_size(subspace, parameters(), subspace.cols(), name, "subspace");
    const Block basis = subspace.template cast<Scalar>();
    using Projections = projections_t<M>;
    for_each_chunk(
        Projections(),
        [&](Derivatives<M>& derivatives, Index first, Index count, Projections& part) {
          part.resize(basis.cols(), count);
          derivatives.projected_gradients(at, first, basis, part);
        },
        [&](Index first, const Projections& part) {
          work(first, Matrix(part.template cast<double>()));
        });
  }

 private:
  using Parameters = vector_t<M>;
  using Block = block_t<M>;
  static constexpr Index chunk = 512;  // samples; the sums do not depend on the threads

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

  void add_regularizer(const Parameters& at, const Block& along, Matrix& sum) const {
    RegularizerDerivatives<R, Parameters> regularizer(objective_->regularizer());
    Parameters direction = Parameters::Zero(parameters()), product = direction;
    for (Index k = 0; k < along.cols(); ++k) {
      direction = along.col(k);
      product.setZero();
      regularizer.add_hessian_product(at, direction, product);
      sum.col(k) += product.template cast<double>();
    }
  }

  const Objective<M, R>* objective_;
  int threads_;
};

}  // namespace ness
