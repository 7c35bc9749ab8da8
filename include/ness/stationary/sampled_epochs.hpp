// Epochs of any batches, with and without momentum, to all orders in ηn‖H‖, for losses that are
// quadratic in θ (not in the paper).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "ness/diffusion/independent_batches.hpp"
#include "ness/stationary/additive_epochs.hpp"
#include "ness/stationary/epoch_map.hpp"

namespace ness {

/// What random epochs say of the state that they settle into, with standard errors; per epoch.
template <class Scalar = double>
struct SampledEpochs {
  Estimate<DynamicVector<Scalar>> mean;        ///< θ at the end of an epoch, or over its phases, N
  Estimate<DynamicMatrix<Scalar>> covariance;  ///< Σ̂, N × N
  Estimate<DynamicMatrix<Scalar>> circulation;  ///< C, N × N
  LinearChain<Scalar> chain;  ///< of the same values: `StationaryState(….chain)`
};

namespace detail {

/// What all batches have in common, and how an update moves θ.
template <class Scalar>
struct EpochCommon {
  DynamicMatrix<Scalar> hessian;   ///< of the objective
  DynamicVector<Scalar> gradient;  ///< of the objective
  Scalar learning_rate;
  Scalar speed, memory, momentum;  ///< y' = y − speed ηg, z' = momentum z + memory ηg, θ = y + z

  EpochCommon(DynamicMatrix<Scalar> h, DynamicVector<Scalar> g, double eta,
              const LinearUpdate& update)
      : hessian(std::move(h)),
        gradient(std::move(g)),
        learning_rate(static_cast<Scalar>(eta)),
        speed(static_cast<Scalar>(update.speed())),
        memory(static_cast<Scalar>(update.momentum * update.buffered * update.gain /
                                   (1 - update.momentum))),
        momentum(static_cast<Scalar>(update.momentum)) {}
};

/// Follows an epoch to its affine map (y, z) → A(y, z) + c, beside that of additive noise and that
/// of the second order in η, of which the moments are known. Calls `look(walk, end)` after each
/// update, and at the end of the epoch once more: one type of function, so that the walk is
/// compiled once.
template <class Sampler>
class MemoryWalk {
 public:
  using Scalar = typename Sampler::Scalar;
  using Vector = typename Sampler::Vector;
  using Look = std::function<void(const MemoryWalk&, bool)>;

  MemoryWalk(const EpochCommon<Scalar>& common, Look look)
      : common_(common),
        hessian_(common.hessian),
        gradient_(common.gradient),
        look_(std::move(look)),
        y_(gradient_.size(), 2 * gradient_.size() + 1),
        z_(y_),
        before_(y_),
        force_(y_) {}

  void begin() {
    const Index n = gradient_.size();
    y_.setZero();
    z_.setZero();
    z_.middleCols(n, n).setIdentity();
    additive_y_.setZero(n);
    additive_z_ = first_y_ = first_z_ = second_ = additive_y_;
  }
  void follow(const typename Sampler::Affine& batch) {
    const Index n = gradient_.size();
    const auto q = batch.leftCols(n);
    const auto g = batch.col(n);
    before_ = y_ + z_;
    before_.leftCols(n).diagonal().array() += Scalar(1);
    force_.noalias() = q * before_;
    force_.col(2 * n) += g;
    y_ -= common_.speed * common_.learning_rate * force_;
    z_ = common_.momentum * z_ + common_.memory * common_.learning_rate * force_;
    additive_ = hessian_ * (additive_y_ + additive_z_) + g - gradient_;
    move(additive_, additive_y_, additive_z_);
    second_ += g;
    second_.noalias() += q * (first_y_ + first_z_);
    additive_ = g;
    move(additive_, first_y_, first_z_);
    look_(*this, false);
  }
  void end() { look_(*this, true); }

  /// (A − 1 | c), 2N × (2N + 1)
  DynamicMatrix<Scalar> map() const {
    const Index n = gradient_.size();
    DynamicMatrix<Scalar> map(2 * n, 2 * n + 1);
    map.topRows(n) = y_;
    map.bottomRows(n) = z_;
    for (Index k = 0; k < n; ++k) map(n + k, n + k) -= Scalar(1);
    return map;
  }
  /// θ as it follows from (y, z) at the beginning of the epoch, N × (2N + 1), and the same before
  /// the last update.
  DynamicMatrix<Scalar> position() const {
    DynamicMatrix<Scalar> theta = y_ + z_;
    for (Index k = 0; k < gradient_.size(); ++k) theta(k, k) += Scalar(1);
    return theta;
  }
  DynamicMatrix<Scalar> before() const { return before_; }
  /// c of additive noise, in y and in z.
  const Vector& additive_y() const { return additive_y_; }
  const Vector& additive_z() const { return additive_z_; }
  /// What the gradients of the batches add up to, to second order in η.
  const Vector& second() const { return second_; }

 private:
  static constexpr int size = Vector::RowsAtCompileTime;
  static constexpr int columns = size == Eigen::Dynamic ? size : 2 * size + 1;
  using Rows = Eigen::Matrix<Scalar, size, columns>;  // N × (2N + 1)

  void move(const Vector& force, Vector& y, Vector& z) const {
    y -= common_.speed * common_.learning_rate * force;
    z = common_.momentum * z + common_.memory * common_.learning_rate * force;
  }

  const EpochCommon<Scalar>& common_;
  typename Sampler::Matrix hessian_;
  Vector gradient_;
  Look look_;
  Rows y_, z_, before_, force_;  // of A − 1 and of A, and c
  Vector additive_, additive_y_, additive_z_, first_y_, first_z_, second_;
};

/// What is summed over epochs: `look(sum, walk, end)`.
template <class Sampler>
using WalkSum =
    std::function<void(DynamicMatrix<typename Sampler::Scalar>&, const MemoryWalk<Sampler>&, bool)>;

/// Averages over the epochs of each group.
template <class Sampler>
std::vector<DynamicMatrix<typename Sampler::Scalar>> average_walks(
    const Sampler& sampler, const EpochCommon<typename Sampler::Scalar>& common,
    const EpochMapSettings& settings, Index rows, const WalkSum<Sampler>& look) {
  using Matrix = DynamicMatrix<typename Sampler::Scalar>;
  const Matrix empty = Matrix::Zero(rows, 2 * common.gradient.size() + 1);
  return sums_of_groups(
      settings.groups(), settings.threads, empty, [&](Matrix& sum, std::uint64_t stream) {
        MemoryWalk<Sampler> walk(common, [&](const auto& at, bool end) { look(sum, at, end); });
        sampler.draw(settings.group_size(), Philox(settings.seed, stream), walk);
        sum /=
            static_cast<typename Sampler::Scalar>(Sampler::walks_per_order * settings.group_size());
      });
}

/// ⟨c₀c₀ᵀ⟩ of additive noise, 2N × 2N, and the mean over the updates of what it is in θ, N × N.
template <class Scalar>
struct AdditiveNoise {
  DynamicMatrix<Scalar> end, mean;

  AdditiveNoise(const EpochCommon<Scalar>& common, const DynamicMatrix<Scalar>& diffusion,
                const EpochCorrelation& correlation, EpochPhase phase);
};

/// The state of the map, from averages over groups of epochs.
template <class Scalar>
class SampledMoments {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;

  /// `maps`: (A − 1 | c less `known`) of each group. Throws where the mean map does not contract.
  SampledMoments(std::vector<Matrix> maps, const Vector& known, Matrix additive,
                 double learning_rate);

  const Vector& shift() const { return shift_; }            ///< ⟨(y, z)⟩, 2N
  const Matrix& lost() const { return lost_; }              ///< ⟨A⟩ − 1, 2N × 2N
  const Matrix& covariance() const { return covariance_; }  ///< of (y, z), 2N × 2N
  Matrix root() const;                                      ///< S with SSᵀ = covariance()

  /// Adds to the second moment of the noise what groups of epochs say of it, (more | mean of c),
  /// and solves for the covariance anew.
  void add(const std::vector<Matrix>& more);

  /// The state in θ at the end of an epoch.
  SampledEpochs<Scalar> end(const Vector& theta, double learning_rate) const;
  /// Over the phases of an epoch, from (⟨δθδθᵀ⟩ | ⟨Δθ δθᵀ⟩ | ⟨δθ⟩) of groups, summed over its
  /// updates.
  SampledEpochs<Scalar> mean(const SampledEpochs<Scalar>& end, const std::vector<Matrix>& phases,
                             const Matrix& additive, Index updates) const;

 private:
  void solve();

  std::vector<Matrix> maps_, noises_;
  Matrix lost_, noise_, covariance_;
  Vector shift_, decay_rates_;
  Scalar residual_{};
  double learning_rate_;
};

/// What an epoch adds to second moments, given what is known of the state so far.
template <class Scalar>
class MomentsOfWalks {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  explicit MomentsOfWalks(const SampledMoments<Scalar>& known);

  /// eeᵀ of a map (A − 1 | c), e = c + (A − 1)⟨s⟩, less that of additive noise.
  void add_noise(Matrix& sum, const Matrix& map, const Vector& additive_y,
                 const Vector& additive_z) const;
  /// (A − ⟨A⟩)Σ(A − ⟨A⟩)ᵀ
  void add_scatter(Matrix& sum, const Matrix& map) const;
  /// (⟨δθδθᵀ⟩ | ⟨Δθ δθᵀ⟩ | ⟨δθ⟩) after an update, from what θ is of (y, z) then and before, less
  /// what additive noise adds to the first and the last.
  void add_phase(Matrix& sum, const Matrix& now, const Matrix& before,
                 const Vector& additive) const;

 private:
  Vector deviation(const Matrix& position) const;

  Index size_;
  Vector shift_, rest_;  // ⟨s⟩, ⟨θ⟩
  Matrix lost_, root_;
};

/// ⟨Σ_t(G_t + Q_t θ_t)⟩ with θ_t of first order: the gradients of an epoch, to second order in η.
template <class Sampler>
typename Sampler::Vector mean_second(const Sampler& sampler,
                                     const EpochCommon<typename Sampler::Scalar>& common,
                                     const EpochCorrelation& correlation) {
  using Scalar = typename Sampler::Scalar;
  using Vector = typename Sampler::Vector;
  const Index n = common.gradient.size();
  const auto samples = static_cast<Scalar>(sampler.samples());
  // 1/m, of the variance of a batch of m distinct samples
  const Scalar share = (static_cast<Scalar>(correlation.variance) * (samples - 1) + 1) / samples;
  Vector product = Vector::Zero(n);  // Σ_i H_i g_i, of the losses alone
  typename Sampler::Affine sum = Sampler::Affine::Zero(n, n + 1);
  for (Index i = 0; i < sampler.samples(); ++i) {
    const auto one = sampler.sample(i);
    sum += one;
    product.noalias() += one.leftCols(n) * one.col(n);
  }
  sum /= samples;
  product /= samples;
  const Vector whole = sum.leftCols(n) * sum.col(n);
  // ⟨H_ig_j⟩ of different samples, then of different batches and of one and the same.
  const Vector apart = (samples * whole - product) / (samples - 1);
  const Vector rest = common.hessian * common.gradient - whole;  // what the regularizer adds
  const Vector other = apart + rest;
  const Vector same = share * product + (1 - share) * apart + rest;
  Vector second = static_cast<Scalar>(correlation.updates()) * common.gradient;
  const auto batch = [&](Index t) {
    return t < correlation.batches ? t : 2 * correlation.batches - 1 - t;
  };
  for (Index t = 0; t < correlation.updates(); ++t) {
    Scalar left = common.memory;
    for (Index s = t - 1; s >= 0; --s, left *= common.momentum)
      second -=
          common.learning_rate * (common.speed - left) * (batch(s) == batch(t) ? same : other);
  }
  return second;
}

}  // namespace detail

/// The stationary state of epochs to all orders in ηn‖H‖, of any minibatch policy with epochs and
/// any linear update.
///
/// Each loss is taken for quadratic about `theta`, with its own gradient and Hessian there. In
/// place of θ and the buffer it is (y, z), θ = y + z, as in `additive_epochs`; one epoch is an
/// affine map s' = As + c of 2N numbers, independent epochs have
///   ⟨s⟩ = (1 − ⟨A⟩)⁻¹⟨c⟩,  Σ = ⟨A⟩Σ⟨A⟩ᵀ + ⟨eeᵀ⟩ + ⟨(A−⟨A⟩)Σ(A−⟨A⟩)ᵀ⟩,  e = c + (A − 1)⟨s⟩,
/// and the averages are over random epochs of the policy. Only what batches that differ in
/// curvature add is sampled: c of additive noise and the second order of its mean are known and
/// serve as control variates. Standard errors are from 64 groups of epochs. At the end of an epoch
/// or as the mean over its phases. Σ and C are `known` to the chain, and ⟨σ⟩ is NaN: in directions
/// of which all noise is of curvature, what sampling leaves of errors in D̂ would be entropy.
///
/// `WithoutReplacement` and plain updates have `sample_epoch_map`, which knows the second order of
/// the noise as well, and ⟨σ⟩. One fixed order is one epoch: its state is a point, exact.
///
/// Cost: for each epoch M N² + 4n N³ additions and multiplications, three or four times; memory M
/// N(N+1) numbers and n N² in each thread: for tens of parameters. The same numbers for any number
/// of threads. Throws `std::invalid_argument` for bad settings, or if the map does not contract.
template <class M, class R, class Theta, DrawsEpochs T>
SampledEpochs<scalar_t<M>> sample_epochs(const Objective<M, R>& objective,
                                         const Eigen::MatrixBase<Theta>& theta, const T& training,
                                         EpochPhase phase = EpochPhase::end,
                                         const EpochMapSettings& settings = {}) {
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;
  static_assert(TwiceDifferentiable<M>,
                "ness: epochs to all orders need second derivatives of single samples: make "
                "sample_loss generic, or give your Model `sample_hessian_products`");
  static_assert(LinearlyUpdates<typename T::Update> && SilentNoise<typename T::Noise>,
                "ness: epochs to all orders are those of updates that state `linear()`, without "
                "injected noise");
  constexpr std::string_view name = "sample_epochs";
  const vector_t<M> at = objective.point(theta, name);
  training.check(objective.samples(), name);
  settings.check(name);
  const Index n = at.size();
  const LinearUpdate update = training.update.linear();
  const EpochCorrelation correlation = training.minibatch.epoch_correlation(objective.samples());
  const bool random = correlation.variance > 0 && correlation.updates() > 0;
  EpochMapSettings counts = settings;
  if (!random) counts.permutations = 2;  // all epochs are one

  const detail::EpochSampler sampler(objective, at, training.minibatch);
  using Sampler = std::remove_const_t<decltype(sampler)>;
  const detail::EpochCommon<Scalar> common(objective.hessian(at), objective.gradient(at),
                                           training.learning_rate, update);
  const Scalar step = -common.speed * common.learning_rate;
  Vector known = Vector::Zero(n);
  if (random) known = step * detail::mean_second(sampler, common, correlation);
  const Matrix d = random ? update_diffusion(objective, at, training) : Matrix::Zero(n, n);
  const detail::AdditiveNoise<Scalar> additive(common, d, correlation, phase);

  const auto add_map = [&](auto& sum, const auto& walk, bool end) {
    if (!end) return;
    sum += walk.map();
    if (!random) return;
    sum.col(2 * n).head(n) -= step * walk.second();
    sum.col(2 * n).tail(n) -= walk.additive_z();
  };
  const auto average = [&](Index rows, const detail::WalkSum<Sampler>& look) {
    return detail::average_walks(sampler, common, counts, rows, look);
  };
  detail::SampledMoments<Scalar> moments(average(2 * n, add_map), known, additive.end,
                                         training.learning_rate);
  if (random) {
    const detail::MomentsOfWalks<Scalar> of_mean(moments);
    moments.add(average(2 * n, [&](auto& sum, const auto& walk, bool end) {
      if (end) of_mean.add_noise(sum, walk.map(), walk.additive_y(), walk.additive_z());
    }));
    const detail::MomentsOfWalks<Scalar> of_noise(moments);
    moments.add(average(2 * n, [&](auto& sum, const auto& walk, bool end) {
      if (end) of_noise.add_scatter(sum, walk.map());
    }));
  }
  const auto result = moments.end(at, training.learning_rate);
  if (phase == EpochPhase::end) return result;
  const detail::MomentsOfWalks<Scalar> of_all(moments);
  const auto phases = average(n, [&](auto& sum, const auto& walk, bool end) {
    if (!end)
      of_all.add_phase(sum, walk.position(), walk.before(), walk.additive_y() + walk.additive_z());
  });
  return moments.mean(result, phases, additive.mean, correlation.updates());
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <utility>

#include "ness/detail/general_matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"

namespace ness::detail {

/// The sums of what belongs to y and to z: of θ.
template <class Scalar>
DynamicMatrix<Scalar> of_position(const DynamicMatrix<Scalar>& state) {
  const Index n = state.rows() / 2;
  DynamicMatrix<Scalar> sum(n, n);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i)
      sum(i, j) = state(i, j) + state(n + i, j) + state(i, n + j) + state(n + i, n + j);
  return sum;
}

/// The first columns of a matrix, as a matrix.
template <class Scalar>
DynamicMatrix<Scalar> first_columns(const DynamicMatrix<Scalar>& matrix, Index count) {
  return matrix.leftCols(count);
}

template <class Scalar>
AdditiveNoise<Scalar>::AdditiveNoise(const EpochCommon<Scalar>& common,
                                     const DynamicMatrix<Scalar>& diffusion,
                                     const EpochCorrelation& correlation, EpochPhase phase) {
  using Matrix = DynamicMatrix<Scalar>;
  const Index n = common.gradient.size();
  end.setZero(2 * n, 2 * n);
  mean.setZero(n, n);
  if (!(correlation.variance > 0)) return;
  const DynamicMatrix<Scalar> root =
      SymmetricEigen<Scalar>(diffusion).root() * std::sqrt(Scalar(2));
  Matrix step = Matrix::Zero(2 * n, 2 * n);
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i < n; ++i) {
      const Scalar rate = common.learning_rate * common.hessian(i, j);
      step(i, j) = step(i, n + j) = -common.speed * rate;
      step(n + i, j) = step(n + i, n + j) = common.memory * rate;
    }
    step(j, j) += Scalar(1);
    step(n + j, n + j) += common.momentum;
  }
  // Of the noise of each batch, as far as it has been drawn.
  std::vector<Matrix> parts(static_cast<std::size_t>(correlation.batches),
                            Matrix::Zero(2 * n, root.cols()));
  const auto variance = static_cast<Scalar>(correlation.variance);
  const auto between = static_cast<Scalar>(correlation.between) / variance;
  const auto last = static_cast<Scalar>(correlation.last_variance) / variance - 1;
  const auto sum_up = [&] {
    Matrix whole = Matrix::Zero(2 * n, root.cols());
    Matrix sum = Matrix::Zero(2 * n, 2 * n);
    for (const Matrix& part : parts) {
      add_scaled(whole, 1, part);
      add_scaled(sum, 1 - between, symmetric_product(part, transposed(part)));
    }
    add_scaled(sum, between, symmetric_product(whole, transposed(whole)));
    add_scaled(sum, last, symmetric_product(parts.back(), transposed(parts.back())));
    return sum;
  };
  for (Index t = 0; t < correlation.updates(); ++t) {
    const Index batch = t < correlation.batches ? t : 2 * correlation.batches - 1 - t;
    for (Matrix& part : parts) part = product(step, part);
    Matrix& drawn = parts[static_cast<std::size_t>(batch)];
    for (Index j = 0; j < root.cols(); ++j)
      for (Index i = 0; i < n; ++i) {
        drawn(i, j) -= common.speed * root(i, j);
        drawn(n + i, j) += common.memory * root(i, j);
      }
    if (phase == EpochPhase::end && t + 1 < correlation.updates()) continue;
    end = sum_up();
    add_scaled(mean, 1, of_position(end));
  }
  mean /= static_cast<Scalar>(correlation.updates());
}

template <class Scalar>
MomentsOfWalks<Scalar>::MomentsOfWalks(const SampledMoments<Scalar>& known)
    : size_(known.shift().size() / 2),
      shift_(known.shift()),
      rest_(shift_.head(size_) + shift_.tail(size_)),
      lost_(known.lost()),
      root_(known.root()) {}

template <class Scalar>
DynamicVector<Scalar> MomentsOfWalks<Scalar>::deviation(const Matrix& position) const {
  return position.col(2 * size_) + position.leftCols(2 * size_) * shift_ - rest_;
}

template <class Scalar>
void add_to_columns(DynamicMatrix<Scalar>& sum, Index first, const DynamicMatrix<Scalar>& more) {
  for (Index k = 0; k < more.size(); ++k) sum.data()[first * sum.rows() + k] += more.data()[k];
}

template <class Scalar>
void MomentsOfWalks<Scalar>::add_noise(Matrix& sum, const Matrix& map, const Vector& additive_y,
                                       const Vector& additive_z) const {
  const Index twice = 2 * size_;
  const Vector e = map.col(twice) + map.leftCols(twice) * shift_;
  Vector c(twice);
  c << additive_y, additive_z;
  for (Index j = 0; j < twice; ++j) sum.col(j) += e * e[j] - c * c[j];
}

template <class Scalar>
void MomentsOfWalks<Scalar>::add_scatter(Matrix& sum, const Matrix& map) const {
  Matrix lost = first_columns(map, 2 * size_);
  add_scaled(lost, -1, lost_);
  const Matrix scatter = product(lost, root_);
  add_to_columns(sum, 0, symmetric_product(scatter, transposed(scatter)));
}

template <class Scalar>
void MomentsOfWalks<Scalar>::add_phase(Matrix& sum, const Matrix& now, const Matrix& before,
                                       const Vector& additive) const {
  Matrix spread = product(first_columns(now, 2 * size_), root_);
  const Matrix last = product(first_columns(before, 2 * size_), root_);
  const Vector e = deviation(now), from = deviation(before), step = e - from;
  add_to_columns(sum, 0, symmetric_product(spread, transposed(spread)));
  add_scaled(spread, -1, last);
  add_to_columns(sum, size_, product(spread, transposed(last)));
  for (Index j = 0; j < size_; ++j) {
    sum.col(j) += e * e[j] - additive * additive[j];
    sum.col(size_ + j) += step * from[j];
  }
  sum.col(2 * size_) += e - additive;
}

template <class Scalar>
SampledMoments<Scalar>::SampledMoments(std::vector<Matrix> maps, const Vector& known,
                                       Matrix additive, double learning_rate)
    : maps_(std::move(maps)), noise_(std::move(additive)), learning_rate_(learning_rate) {
  const Index twice = noise_.rows();
  for (Matrix& map : maps_) map.col(twice).head(twice / 2) += known;
  noises_.assign(maps_.size(), Matrix::Zero(twice, twice));
  const Matrix mean = estimate_of_groups(maps_).value;
  lost_ = mean.leftCols(twice);
  shift_ = solve_general<Scalar>(-lost_, mean.col(twice));
  solve();
}

template <class Scalar>
void SampledMoments<Scalar>::solve() {
  const GeneralLyapunov<Scalar> solution(-lost_, noise_, Scalar(1));
  if (!(solution.decay_rates[0] > 0 && solution.spectral_radius < 1))
    invalid("sample_epochs",
            "the mean map A of an epoch must contract, but its spectral radius is ",
            solution.spectral_radius, ": start from a minimum, or lower learning_rate, which is ",
            learning_rate_);
  covariance_ = solution.solution;
  decay_rates_ = solution.decay_rates.head(lost_.rows() / 2);
  residual_ = solution.residual;
}

template <class Scalar>
DynamicMatrix<Scalar> SampledMoments<Scalar>::root() const {
  return SymmetricEigen<Scalar>(covariance_).root();
}

template <class Scalar>
void SampledMoments<Scalar>::add(const std::vector<Matrix>& more) {
  const Index twice = noise_.rows();
  const Matrix mean = estimate_of_groups(more).value;
  noise_ += half_sum_with_transpose(Matrix(mean.leftCols(twice)), 1);
  for (std::size_t k = 0; k < more.size(); ++k) noises_[k] += (more[k] - mean).leftCols(twice);
  solve();
}

/// C of ⟨Δθ δθᵀ⟩
template <class Scalar>
DynamicMatrix<Scalar> area_of_drift(const DynamicMatrix<Scalar>& drift) {
  return -half_sum_with_transpose(drift, -1);
}

template <class Scalar>
SampledEpochs<Scalar> SampledMoments<Scalar>::end(const Vector& theta, double learning_rate) const {
  const Index n = theta.size();
  // What the errors of the mean map and of the noise make of the state, to first order.
  std::vector<Matrix> covariances, areas, means;
  Matrix map = transposed(lost_);
  for (Index k = 0; k < 2 * n; ++k) map(k, k) += Scalar(1);
  for (std::size_t k = 0; k < maps_.size(); ++k) {
    Matrix lost = first_columns(maps_[k], 2 * n);
    add_scaled(lost, -1, lost_);
    const Matrix moving = product(lost, covariance_);
    Matrix noise = noises_[k];
    add_scaled(noise, 2, product(moving, map));
    noise = half_sum_with_transpose(noise, 1);
    add_scaled(noise, 1, noise_);
    const Matrix covariance = GeneralLyapunov<Scalar>(-lost_, noise, Scalar(1)).solution;
    covariances.push_back(of_position(covariance));
    Matrix drift = product(lost_, covariance);
    add_scaled(drift, 1, moving);
    areas.push_back(area_of_drift(of_position(drift)));
    const Vector miss = maps_[k].col(2 * n) + maps_[k].leftCols(2 * n) * shift_;
    const Vector moved = shift_ + solve_general<Scalar>(-lost_, miss);
    means.push_back(moved.head(n) + moved.tail(n));
  }
  SampledEpochs<Scalar> result;
  result.covariance = {of_position(covariance_), estimate_of_groups(covariances).standard_error};
  result.circulation = {area_of_drift(of_position(product(lost_, covariance_))),
                        estimate_of_groups(areas).standard_error};
  result.mean = {theta + shift_.head(n) + shift_.tail(n), estimate_of_groups(means).standard_error};

  LinearChain<Scalar>& chain = result.chain;
  chain.mean = result.mean.value;
  chain.mobility = Matrix::Identity(n, n) * static_cast<Scalar>(learning_rate);
  chain.step = MarkovStep::epoch;
  chain.form = LyapunovForm::discrete;
  // Of an epoch that begins with an empty memory.
  chain.relaxation = -(lost_.topLeftCorner(n, n) + lost_.bottomLeftCorner(n, n));
  chain.diffusion = of_position(noise_) / 2;
  chain.known = {result.covariance.value, result.circulation.value, decay_rates_, residual_};
  chain.solve = &known_covariance<Scalar>;
  return result;
}

template <class Scalar>
SampledEpochs<Scalar> SampledMoments<Scalar>::mean(const SampledEpochs<Scalar>& end,
                                                   const std::vector<Matrix>& phases,
                                                   const Matrix& additive, Index updates) const {
  const Index n = additive.rows();
  std::vector<Matrix> covariances, areas, means;
  for (std::size_t k = 0; k < phases.size(); ++k) {
    const Matrix average = phases[k] / static_cast<Scalar>(updates);
    const Vector moved = average.col(2 * n);
    covariances.push_back(average.leftCols(n) - moved * moved.transpose());
    areas.push_back(area_of_drift(Matrix(phases[k].middleCols(n, n))));
    means.push_back(moved);
  }
  SampledEpochs<Scalar> result = end;
  const auto covariance = estimate_of_groups(covariances);
  const auto moved = estimate_of_groups(means);
  result.covariance.value = half_sum_with_transpose(Matrix(covariance.value + additive), 1);
  // That of the end, from which the phases are followed, goes into all of them.
  const auto both = [](const auto& one, const auto& other) {
    return (one.array().square() + other.array().square()).sqrt().matrix();
  };
  result.covariance.standard_error = both(covariance.standard_error, end.covariance.standard_error);
  const auto area = estimate_of_groups(areas);
  result.circulation = {area.value, both(area.standard_error, end.circulation.standard_error)};
  result.mean.value += moved.value;
  result.mean.standard_error = both(Vector(moved.standard_error), end.mean.standard_error);
  result.chain.mean = result.mean.value;
  result.chain.known = {result.covariance.value, result.circulation.value, decay_rates_, residual_};
  return result;
}

}  // namespace ness::detail
#endif
