// 𝓛 of many parameters: sums over samples on threads, without a matrix of N × N or N × M (Eq. 10).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/statistics/ordered_sum.hpp"

namespace ness {

/// The objective 𝓛 = L + R as its sums over the samples make it: value, gradient, and products of
/// its Hessian with several vectors at once, each in one pass over the samples on threads, and on
/// ranks where there are any.
///
/// θ and sums are in double precision, whatever the model's: a model in float makes the sum of 512
/// samples in float. What comes out is the same to the last bit for any number of threads and
/// ranks. Memory: as many numbers as the result has for each thread and for each doubling of 512
/// samples, and what the model needs for 512 samples; all of it is kept for the next sum. It refers
/// to the objective, and the ranks, so keep them alive.
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

  /// `threads` 0: as many as the machine has. With `ranks` each does a share of every sum, so that
  /// all calls are made by all ranks together. Throws `std::invalid_argument` for a negative
  /// number.
  explicit StreamedObjective(const Objective<M, R>& objective, int threads = 0,
                             const Ranks* ranks = nullptr)
      : objective_(&objective), threads_(threads), ranks_(ranks) {
    detail::require(threads >= 0, "StreamedObjective", "threads must not be negative", threads);
  }
  explicit StreamedObjective(Objective<M, R>&&, int = 0,
                             const Ranks* = nullptr) = delete;  // it would dangle

  /// The objective whose sums these are.
  const Objective<M, R>& objective() const { return *objective_; }
  Index parameters() const { return objective_->parameters(); }
  Index samples() const { return objective_->samples(); }

  // Each of these throws `std::invalid_argument` unless θ has N finite elements.

  /// 𝓛(θ)
  double value(const Vector& theta) const {
    const Parameters at = objective_->point(theta, "StreamedObjective::value");
    const Matrix sum =
        sum_of_chunks(1, 1, [&](Scratch& scratch, Index first, Index count, Matrix& part) {
          part(0, 0) = static_cast<double>(scratch.derivatives.summed_loss(at, first, count));
        });
    return sum(0, 0) / static_cast<double>(samples()) +
           static_cast<double>(objective_->regularizer().value(at));
  }

  /// ∇𝓛(θ), N.
  Vector gradient(const Vector& theta) const {
    const Parameters at = objective_->point(theta, "StreamedObjective::gradient");
    Vector sum = sum_of_chunks(parameters(), 1,
                               [&](Scratch& scratch, Index first, Index count, Matrix& part) {
                                 fill(part, scratch.vector, [&](Parameters& out) {
                                   scratch.derivatives.summed_gradient(at, first, count, out);
                                 });
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
    Matrix sum =
        sum_of_chunks(parameters(), directions.cols(),
                      [&](Scratch& scratch, Index first, Index count, Matrix& part) {
                        fill(part, scratch.block, [&](Block& out) {
                          scratch.derivatives.summed_hessian_products(at, first, count, along, out);
                        });
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
    return signed_sum(signs, 1, [&](Scratch& scratch, Batch batch, Matrix& part) {
      fill(part, scratch.vector,
           [&](Parameters& out) { scratch.derivatives.batch_gradient(at, batch, out); });
    });
  }

  /// Σ_i s_i∂∂ℓ_i(θ) · directions, N × any.
  Matrix signed_hessian_products(const Vector& theta, const Vector& signs,
                                 const Matrix& directions) const {
    constexpr std::string_view name = "StreamedObjective::signed_hessian_products";
    const Parameters at = objective_->point(theta, name);
    detail::require_size(directions, parameters(), directions.cols(), name, "directions");
    const Block along = directions.template cast<Scalar>();
    return signed_sum(signs, directions.cols(), [&](Scratch& scratch, Batch batch, Matrix& part) {
      fill(part, scratch.block,
           [&](Block& out) { scratch.derivatives.batch_hessian_products(at, batch, along, out); });
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

  // What a thread works with, from one sum to the next.
  struct Scratch {
    Derivatives<M> derivatives;
    Parameters vector;
    Block block;
    std::vector<std::uint32_t> some;
    Matrix part, of_some;
  };
  struct Reused {
    detail::Pool<Scratch> scratch;
    detail::MatrixPool<typename Matrix::Scalar> matrices;
  };

  Scratch new_scratch() const {
    return {Derivatives<M>(objective_->model()),
            Parameters::Zero(parameters()),
            Block(parameters(), 0),
            {},
            {},
            {}};
  }

  // `part` as `work` fills it, which works in the model's precision and sizes.
  template <class Own, class Work>
  static void fill(Matrix& part, Own& own, const Work& work) {
    if constexpr (std::is_same_v<Own, Matrix>) {
      work(part);
    } else {
      own.resize(part.rows(), part.cols());
      work(own);
      part = own.template cast<typename Matrix::Scalar>();
    }
  }

  // `work(scratch, batch, part)` is called with those of either sign, of weight ±1.
  template <class Work>
  Matrix signed_sum(const Vector& signs, Index cols, const Work& work) const {
    detail::require_size(signs, samples(), 1, "StreamedObjective", "signs");
    return sum_of_chunks(
        parameters(), cols, [&](Scratch& scratch, Index first, Index count, Matrix& part) {
          part.setZero();
          scratch.of_some.resize(part.rows(), part.cols());
          for (const double sign : {1.0, -1.0}) {
            scratch.some.clear();
            for (Index i = first; i < first + count; ++i)
              if (sign * signs[i] > 0) scratch.some.push_back(static_cast<std::uint32_t>(i));
            if (scratch.some.empty()) continue;
            work(scratch, Batch(std::span<const std::uint32_t>(scratch.some), sign),
                 scratch.of_some);
            part += scratch.of_some;
          }
        });
  }

  template <class Project, class Work>
  void for_each_projected(const Vector& theta, const Matrix& subspace, std::string_view name,
                          const Project& project, const Work& work) const {
    const Parameters at = objective_->point(theta, name);
    detail::require_size(subspace, parameters(), subspace.cols(), name, "subspace");
    const Block basis = subspace.template cast<Scalar>();
    for_each_chunk(
        [&](Derivatives<M>& derivatives, Index first, Index count) {
          Projections part(basis.cols(), count);
          project(derivatives, at, first, basis, part);
          return Matrix(part.template cast<double>());
        },
        work);
  }

  int chunks() const { return static_cast<int>((samples() + chunk - 1) / chunk); }
  Index count_of(Index first) const { return std::min(chunk, samples() - first); }

  // The sum of what work(scratch, first, count, part) leaves in `part`.
  template <class Work>
  Matrix sum_of_chunks(Index rows, Index cols, const Work& work) const {
    detail::TreeSum<typename Matrix::Scalar> sum(chunks(), rows, cols, ranks_, reused_->matrices);
    detail::on_every_rank(ranks_, [&] {
      parallel_for(sum.share().count(), threads_, [&](int k) {
        const int piece = sum.share().first + k;
        const Index first = piece * chunk;
        Scratch scratch = reused_->scratch.borrow([&] { return new_scratch(); });
        Matrix part = sum.blank();
        work(scratch, first, count_of(first), part);
        reused_->scratch.give_back(std::move(scratch));
        sum.add(piece, std::move(part));
      });
    });
    return sum.total();
  }

  // add(first, work(derivatives, first, count)) in the order of the chunks, by one thread at a
  // time; on ranks in rounds, so that no rank holds what all samples make.
  template <class Work, class Add>
  void for_each_chunk(const Work& work, const Add& add) const {
    const auto run = [&](detail::Share share, const auto& add_part) {
      detail::in_order(
          share, threads_, reused_->scratch, [&] { return new_scratch(); },
          [&](Scratch& scratch, int k) {
            scratch.part = work(scratch.derivatives, k * chunk, count_of(k * chunk));
          },
          [&](const Scratch& scratch, int k) { add_part(k * chunk, scratch.part); });
    };
    if (!ranks_) return run({0, chunks()}, add);
    constexpr int chunks_of_a_rank = 16;
    detail::in_rounds<Matrix>(
        *ranks_, chunks(), chunks_of_a_rank,
        [&](detail::Share share, const auto& keep) {
          run(share, [&](Index, const Matrix& part) { keep(part); });
        },
        [&](int k, const Matrix& part) { add(k * chunk, part); });
  }

  const Objective<M, R>* objective_;
  int threads_;
  const Ranks* ranks_;
  std::shared_ptr<Reused> reused_ = std::make_shared<Reused>();
};

}  // namespace ness
