// Is a model consistent with itself? For the tests of your own models.
#pragma once

#include <algorithm>
#include <cmath>
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
  std::string name;
  double error;  ///< relative to the size of what is compared; NaN where a value is not finite
  double tolerance;
  bool holds() const { return error <= tolerance; }
};

/// What `check_model` found; `std::cout << check` prints it.
struct [[nodiscard]] ModelCheck {
  std::vector<ModelLaw> laws;
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
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Block = block_t<M>;
  static_assert(HasParameters<M> && HasSamples<M> && HasSampleLoss<M>,
                "ness: check_model needs `parameters()`, `samples()` and `sample_loss(theta, i)`");
  static_assert(Differentiable<M>, "ness: check_model needs gradients: see ness::Objective");
  const Index n = model.parameters();
  const Index all = model.samples();
  detail::require_size(theta, n, 1, "check_model", "theta");
  detail::require(all >= 1, "check_model", "the model must have at least 1 sample", all);
  detail::require(samples >= 1, "check_model", "samples must be at least 1", samples);

  const double epsilon = std::numeric_limits<Scalar>::epsilon();
  const double rounding = 1e4 * epsilon;
  const double differences = 30 * std::pow(epsilon, 2.0 / 3);  // of a central difference
  Derivatives<M> derivatives(model);
  ModelCheck check;
  const auto law = [&](std::string name, const auto& found, const auto& expected,
                       double tolerance) {
    const double scale = std::max(static_cast<double>(expected.norm()), 1e-300);
    const double error = static_cast<double>((found - expected).norm()) / scale;
    const bool finite = found.allFinite() && expected.allFinite();
    check.laws.push_back(
        {std::move(name), finite ? error : std::numeric_limits<double>::quiet_NaN(), tolerance});
  };

  std::vector<std::uint32_t> some;
  for (Index k = 0; k < std::min(samples, all); ++k)
    some.push_back(static_cast<std::uint32_t>(k * all / std::min(samples, all)));
  const auto count = static_cast<Index>(some.size());

  // Central differences of f(θ) along each axis, one column for each; f returns a column.
  const auto difference = [&](const auto& f, Index rows) {
    Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic> result(rows, n);
    Vector moved = theta;
    for (Index k = 0; k < n; ++k) result.col(k) = detail::central_difference(moved, k, f);
    return result;
  };

  Block gradients(n, count);
  const auto sample_gradient = [&](const Vector& at, Index i) {
    Block one(n, 1);
    derivatives.sample_gradients(at, i, one);
    return Vector(one.col(0));
  };
  for (Index k = 0; k < count; ++k) gradients.col(k) = sample_gradient(theta, some[k]);
  const auto losses = [&](const Vector& at) {
    Eigen::Matrix<Scalar, Eigen::Dynamic, 1> values(count);
    for (Index k = 0; k < count; ++k)
      values[k] = static_cast<Scalar>(model.sample_loss(at, Index{some[k]}));
    return values;
  };
  law("sample gradients are the differences of sample_loss", gradients,
      Block(difference(losses, count).transpose()), differences);

  Vector batch(n);
  derivatives.batch_gradient(theta, some, batch);
  law("batch_gradient is the mean of sample gradients", batch, Vector(gradients.rowwise().mean()),
      rounding);

  const Index consecutive = std::min<Index>(all, 37);
  Block block(n, consecutive);
  derivatives.sample_gradients(theta, all - consecutive, block);
  Block apart(n, consecutive);
  for (Index k = 0; k < consecutive; ++k)
    apart.col(k) = sample_gradient(theta, all - consecutive + k);
  law("sample_gradients of a block are those of its samples", block, apart, rounding);

  if constexpr (HasLoss<M>) {
    Eigen::Matrix<Scalar, 1, 1> mean(Scalar(0)), found(static_cast<Scalar>(model.loss(theta)));
    for (Index i = 0; i < all; ++i)
      mean[0] += static_cast<Scalar>(model.sample_loss(theta, i)) / static_cast<Scalar>(all);
    law("loss is the mean of sample_loss", found, mean, rounding);
  }

  if constexpr (TwiceDifferentiable<M>) {
    const Index i = some.back();
    Block direction = Block::Zero(n, 1);
    Block product(n, 1);
    Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic> hessian(n, n);
    for (Index k = 0; k < n; ++k) {
      direction(k, 0) = Scalar(1);
      derivatives.sample_hessian_products(theta, i, direction, product);
      hessian.col(k) = product.col(0);
      direction(k, 0) = Scalar(0);
    }
    law("sample_hessian_products are the differences of sample gradients", hessian,
        difference([&](const Vector& at) { return sample_gradient(at, i); }, n), differences);
    law("the sample Hessian is symmetric", hessian, hessian.transpose(), rounding);
    if constexpr (HasSampleHessians<M>) {
      hessians_t<M> one(n * n, 1);
      derivatives.sample_hessians(theta, i, one);
      law("sample_hessians are the sample Hessian products", one.reshaped(n, n), hessian, rounding);
    }
  }

  if constexpr (HasCurvature<M> && (HasHessian<M> || HasHessianProduct<M>)) {
    Vector direction(n);
    for (Index k = 0; k < n; ++k) direction[k] = static_cast<Scalar>(std::cos(1.0 + k));
    std::vector<std::uint32_t> everything(static_cast<std::size_t>(all));
    std::iota(everything.begin(), everything.end(), 0U);
    const auto gradient = [&](const Vector& at) {
      Vector result(n);
      derivatives.batch_gradient(at, everything, result);
      return result;
    };
    const Vector slope = difference(gradient, n) * direction;
    Vector product(n);
    derivatives.hessian_product(theta, direction, product);
    law("hessian_product is the difference of gradients", product, slope, differences);
    if constexpr (HasHessian<M>) {
      matrix_t<M> hessian(n, n);
      model.hessian(theta, hessian);
      law("hessian times a direction is the difference of gradients", Vector(hessian * direction),
          slope, differences);
    }
  }
  return check;
}

}  // namespace ness
