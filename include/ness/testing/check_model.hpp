// Is a model consistent with itself? For the tests of your own models.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/model/derivatives.hpp"
#include "ness/model/differences.hpp"

namespace ness {

/// One law that a model's members must obey.
struct ModelLaw {
  std::string name;  ///< in words
  double error;      ///< relative to the size of what is compared; NaN where a value is not finite
  double tolerance;  ///< what rounding may leave
  /// Is the error within it?
  bool holds() const { return error <= tolerance; }
};

/// What `check_model` found; `std::cout << check` prints it.
struct [[nodiscard]] ModelCheck {
  std::vector<ModelLaw> laws;  ///< those of the members that the model has
  /// Do all of them hold?
  bool ok() const {
    return std::all_of(laws.begin(), laws.end(), [](const ModelLaw& law) { return law.holds(); });
  }
};

inline std::ostream& operator<<(std::ostream& out, const ModelCheck& check) {
  for (const ModelLaw& law : check.laws)
    out << (law.holds() ? "pass  " : "FAIL  ") << law.name << ": error " << law.error
        << ", tolerance " << law.tolerance << '\n';
  return out;
}

namespace detail {

/// Compares the members of a model at one θ, a law in each function; what is compared has run-time
/// size, so that models of all sizes share the comparison.
template <class M>
class ModelLaws {
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Block = block_t<M>;
  using Values = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

 public:
  ModelLaws(const M& model, const Vector& theta, Index samples)
      : model_(&model), derivatives_(model), theta_(theta) {
    const Index count = std::min(samples, model.samples());
    for (Index k = 0; k < count; ++k)
      some_.push_back(static_cast<std::uint32_t>(k * model.samples() / count));
  }

  ModelCheck check() {
    check_sample_gradients();
    check_batch_gradient();
    check_block();
    if constexpr (HasBatchGradients<M>) check_side_by_side();
    if constexpr (HasLoss<M>) check_loss();
    if constexpr (TwiceDifferentiable<M>) check_sample_hessian();
    if constexpr (HasCurvature<M> && (HasHessian<M> || HasHessianProduct<M>)) check_hessian();
    if constexpr (HasSummedLoss<M>) check_summed_loss();
    if constexpr (HasProjectedGradients<M>) check_projections();
    if constexpr (HasBatchHessianProducts<M> && TwiceDifferentiable<M>) check_batch_products();
    if constexpr (HasProjectedHessianProducts<M> || HasProjectedOwnProducts<M>)
      check_projected_products();
    return std::move(check_);
  }

 private:
  static constexpr double epsilon = std::numeric_limits<Scalar>::epsilon();
  static constexpr double rounding = 1e4 * epsilon;
  static double differences() { return 30 * std::pow(epsilon, 2.0 / 3); }  // of a central one

  void law(const char* name, const Values& found, const Values& expected, double tolerance) {
    const bool finite = found.allFinite() && expected.allFinite();
    const double scale = std::max(static_cast<double>(expected.norm()), 1e-300);
    const double error = static_cast<double>((found - expected).norm()) / scale;
    check_.laws.push_back(
        {name, finite ? error : std::numeric_limits<double>::quiet_NaN(), tolerance});
  }

  void check_sample_gradients() {
    const auto losses = [this](const Vector& at) {
      Values values(size(), 1);
      for (Index k = 0; k < size(); ++k)
        values(k, 0) = static_cast<Scalar>(model_->sample_loss(at, Index{some_[k]}));
      return values;
    };
    law("sample gradients are the differences of sample_loss", some_gradients(),
        difference(losses, size()).transpose(), differences());
  }

  void check_batch_gradient() {
    law("batch_gradient is the mean of sample gradients", batch_gradient(theta_, some_),
        some_gradients().rowwise().mean(), rounding);
    law("batch_gradient multiplies by batch.weight(), not by 1/m",
        batch_gradient(theta_, Batch(some_, 2)), 2 * some_gradients().rowwise().sum(), rounding);
  }

  void check_side_by_side() {
    const std::size_t chains = M::chains_together;
    std::vector<Vector> at, found(chains, theta_);
    std::vector<const Vector*> thetas;
    std::vector<Vector*> gradients;
    for (std::size_t c = 0; c < chains; ++c)
      at.push_back(theta_ * static_cast<Scalar>(1 + 0.1 * static_cast<double>(c)));
    for (std::size_t c = 0; c < chains; ++c) {
      thetas.push_back(&at[c]);
      gradients.push_back(&found[c]);
    }
    const std::vector<Batch> batches(chains, Batch(some_));
    derivatives_.batch_gradients(thetas, batches, gradients);
    Values together(theta_.size(), at.size()), apart(theta_.size(), at.size());
    for (std::size_t c = 0; c < chains; ++c) {
      together.col(static_cast<Index>(c)) = found[c];
      apart.col(static_cast<Index>(c)) = batch_gradient(at[c], some_);
    }
    law("batch_gradients are batch_gradient of each chain, to the last bit", together, apart, 0);
  }

  void check_block() {
    const Index count = std::min<Index>(model_->samples(), 37);
    const Index first = model_->samples() - count;
    Block block(theta_.size(), count);
    derivatives_.sample_gradients(theta_, first, block);
    Values apart(theta_.size(), count);
    for (Index k = 0; k < count; ++k) apart.col(k) = sample_gradient(theta_, first + k);
    law("sample_gradients of a block are those of its samples", block, apart, rounding);
  }

  void check_loss() {
    const auto count = static_cast<Scalar>(model_->samples());
    Scalar mean(0);
    for (Index i = 0; i < model_->samples(); ++i)
      mean += static_cast<Scalar>(model_->sample_loss(theta_, i)) / count;
    law("loss is the mean of sample_loss", number(static_cast<Scalar>(model_->loss(theta_))),
        number(mean), rounding);
  }

  void check_sample_hessian() {
    const Index i = some_.back();
    const Values hessian = sample_hessian(i);
    law("sample_hessian_products are the differences of sample gradients", hessian,
        difference([&](const Vector& at) { return sample_gradient(at, i); }, theta_.size()),
        differences());
    law("the sample Hessian is symmetric", hessian, hessian.transpose(), rounding);
    if constexpr (HasSampleHessians<M>) {
      hessians_t<M> one(theta_.size() * theta_.size(), 1);
      derivatives_.sample_hessians(theta_, i, one);
      law("sample_hessians are the sample Hessian products", one, hessian.reshaped(one.rows(), 1),
          rounding);
    }
  }

  void check_hessian() {
    Vector direction(theta_.size());
    for (Index k = 0; k < direction.size(); ++k)
      direction[k] = static_cast<Scalar>(std::cos(1.0 + static_cast<double>(k)));
    std::vector<std::uint32_t> all(static_cast<std::size_t>(model_->samples()));
    std::iota(all.begin(), all.end(), 0U);
    const Values slope =
        difference([&](const Vector& at) { return batch_gradient(at, all); }, theta_.size()) *
        direction;
    Vector product(theta_.size());
    derivatives_.hessian_product(theta_, direction, product);
    law("hessian_product is the difference of gradients", product, slope, differences());
    if constexpr (HasHessian<M>) {
      matrix_t<M> hessian(theta_.size(), theta_.size());
      workspace_t<M> workspace{};
      call_member(CallHessian{}, *model_, workspace, theta_, hessian);
      law("hessian times a direction is the difference of gradients", hessian * direction, slope,
          differences());
    }
  }

  // A range of samples that begins and ends in the middle.
  Index range_size() const { return std::min<Index>(model_->samples(), 37); }
  Index range_begin() const { return (model_->samples() - range_size()) / 2; }
  Block directions() const {
    Block result(theta_.size(), 3);
    for (Index k = 0; k < result.size(); ++k)
      result.data()[k] = static_cast<Scalar>(std::cos(1.0 + static_cast<double>(k)));
    return result;
  }

  void check_summed_loss() {
    Scalar sum(0);
    for (Index i = range_begin(); i < range_begin() + range_size(); ++i)
      sum += static_cast<Scalar>(model_->sample_loss(theta_, i));
    law("summed_loss is the sum of sample_loss over its range",
        number(derivatives_.summed_loss(theta_, range_begin(), range_size())), number(sum),
        rounding);
  }

  void check_projections() {
    const Block basis = directions();
    projections_t<M> found(basis.cols(), range_size());
    derivatives_.projected_gradients(theta_, range_begin(), basis, found);
    Block gradients(theta_.size(), range_size());
    derivatives_.sample_gradients(theta_, range_begin(), gradients);
    law("projected_gradients are the sample gradients in the subspace", found,
        basis.transpose() * gradients, rounding);
  }

  void check_projected_products() {
    const Block basis = directions();
    projections_t<M> found(basis.cols(), range_size());
    Block along(theta_.size(), range_size()), products = along;
    if constexpr (HasProjectedHessianProducts<M>) {
      const Vector direction = basis.col(0);
      along = direction.replicate(1, range_size());
      derivatives_.sample_hessian_products(theta_, range_begin(), along, products);
      derivatives_.projected_hessian_products(theta_, range_begin(), direction, basis, found);
      law("projected_hessian_products are the sample Hessian products in the subspace", found,
          basis.transpose() * products, rounding);
    }
    if constexpr (HasProjectedOwnProducts<M>) {
      derivatives_.sample_gradients(theta_, range_begin(), along);
      derivatives_.sample_hessian_products(theta_, range_begin(), along, products);
      derivatives_.projected_own_products(theta_, range_begin(), basis, found);
      law("projected_own_products are the sample Hessian products along the sample gradients",
          found, basis.transpose() * products, rounding);
    }
  }

  // Of samples apart, in an order of their own, and not of the weight of a mean.
  void check_batch_products() {
    const Block along = directions();
    Block found;
    const std::vector<std::uint32_t> batch(some_.rbegin(), some_.rend());
    derivatives_.batch_hessian_products(theta_, Batch(batch, 0.75), along, found);
    Values sum = Values::Zero(theta_.size(), along.cols());
    for (const Index i : batch)
      for (Index k = 0; k < along.cols(); ++k) {
        const Block one = along.col(k);
        Block product(theta_.size(), 1);
        derivatives_.sample_hessian_products(theta_, i, one, product);
        sum.col(k) += Scalar(0.75) * product.col(0);
      }
    law("batch_hessian_products are the sums of sample Hessian products", found, sum, rounding);
  }

  Index size() const { return static_cast<Index>(some_.size()); }
  static Values number(Scalar value) { return Values::Constant(1, 1, value); }

  Values sample_gradient(const Vector& at, Index i) {
    Block one(at.size(), 1);
    derivatives_.sample_gradients(at, i, one);
    return one;
  }
  Values batch_gradient(const Vector& at, Batch batch) {
    Vector result(at.size());
    derivatives_.batch_gradient(at, batch, result);
    return result;
  }
  Values some_gradients() {
    Values result(theta_.size(), size());
    for (Index k = 0; k < size(); ++k) result.col(k) = sample_gradient(theta_, Index{some_[k]});
    return result;
  }
  Values sample_hessian(Index i) {
    Values result(theta_.size(), theta_.size());
    Block direction = Block::Zero(theta_.size(), 1);
    Block product(theta_.size(), 1);
    for (Index k = 0; k < theta_.size(); ++k) {
      direction(k, 0) = Scalar(1);
      derivatives_.sample_hessian_products(theta_, i, direction, product);
      result.col(k) = product;
      direction(k, 0) = Scalar(0);
    }
    return result;
  }

  // Central differences along each axis, one column for each, of an f(θ) that returns a column.
  template <class Function>
  Values difference(const Function& f, Index rows) const {
    Values result(rows, theta_.size());
    Vector moved = theta_;
    for (Index k = 0; k < theta_.size(); ++k) result.col(k) = central_difference(moved, k, f);
    return result;
  }

  const M* model_;
  Derivatives<M> derivatives_;
  Vector theta_;
  std::vector<std::uint32_t> some_;  // the samples that are looked at one by one
  ModelCheck check_;
};

}  // namespace detail

/// Compares a model's members with each other at `theta`: gradients with differences of
/// `sample_loss`, batch gradients and the loss with sums over samples, Hessian products with
/// differences of gradients and with each other, symmetry, finite values.
///
///   const auto check = ness::check_model(model, theta);
///   REQUIRE(check.ok());        // or: std::cout << check;
///
/// Choose a θ of generic values, away from kinks. At most `samples` samples, spread over the data,
/// are looked at one by one. Cost: N evaluations of each of these, and a few passes over the data
/// for what belongs to all of it. Throws `std::invalid_argument` for a θ of another size, or no
/// samples.
template <class M>
ModelCheck check_model(const M& model, const vector_t<M>& theta, Index samples = 16) {
  static_assert(HasParameters<M> && HasSamples<M> && HasSampleLoss<M>,
                "ness: check_model needs `parameters()`, `samples()` and `sample_loss(theta, i)`");
  static_assert(Differentiable<M>, "ness: check_model needs gradients: see ness::Objective");
  detail::require_size(theta, model.parameters(), 1, "check_model", "theta");
  detail::require(model.samples() >= 1, "check_model", "the model must have at least 1 sample",
                  model.samples());
  detail::require(samples >= 1, "check_model", "samples must be at least 1", samples);
  return detail::ModelLaws<M>(model, theta, samples).check();
}

}  // namespace ness
