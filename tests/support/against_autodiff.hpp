// Every member of a model against automatic differentiation of its sample_loss.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ness/model/autodiff.hpp"
#include "ness/model/derivatives.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

/// Checks batches of the sizes in `batch_sizes` (capped at M), blocks that begin anywhere, Hessian
/// products with one direction for each sample and with one for all, and the loss. The error is
/// relative to the largest sample derivative, since sums may cancel.
template <class Model>
void check_against_autodiff(const Model& model, const ness::vector_t<Model>& theta,
                            const std::vector<Eigen::Index>& batch_sizes) {
  using Scalar = ness::scalar_t<Model>;
  using Vector = ness::vector_t<Model>;
  using Block = ness::block_t<Model>;
  const double tolerance = 2000 * double{std::numeric_limits<Scalar>::epsilon()};
  const Eigen::Index n = theta.size();
  const Eigen::Index samples = model.samples();
  REQUIRE(n == model.parameters());

  // In double whatever the model's scalar is, and through vectors of dynamic size.
  const Eigen::VectorXd at = theta.template cast<double>();
  const auto directions = generic_values<Block>(n, samples, 91);
  ness::Autodiff<Eigen::VectorXd> autodiff;
  Eigen::MatrixXd gradients(n, samples);
  Eigen::MatrixXd products(n, samples);
  Eigen::MatrixXd first_products(n, samples);
  for (Eigen::Index i = 0; i < samples; ++i) {
    const auto loss = [&](const auto& t) { return model.sample_loss(t, i); };
    autodiff.gradient(loss, at, gradients.col(i));
    autodiff.hessian_product(loss, at, directions.col(i).template cast<double>().eval(),
                             products.col(i));
    autodiff.hessian_product(loss, at, directions.col(0).template cast<double>().eval(),
                             first_products.col(i));
  }
  const double gradient_size = gradients.colwise().norm().maxCoeff();
  const double product_size =
      std::max(products.colwise().norm().maxCoeff(), first_products.colwise().norm().maxCoeff());
  const auto error = [](const auto& found, const auto& expected) {
    return (found.template cast<double>() - expected).norm();
  };

  ness::Derivatives<Model> derivatives(model);
  for (const Eigen::Index size : batch_sizes) {
    CAPTURE(size);
    std::vector<std::uint32_t> batch;
    for (Eigen::Index k = 0; k < std::min(size, samples); ++k)  // 7 k: not consecutive
      batch.push_back(static_cast<std::uint32_t>(samples % 7 == 0 ? k : 7 * k % samples));
    Eigen::VectorXd expected = Eigen::VectorXd::Zero(n);
    for (const std::uint32_t i : batch)
      expected += gradients.col(i) / static_cast<double>(batch.size());
    Vector gradient = Vector::Constant(n, Scalar(1e10));
    derivatives.batch_gradient(theta, batch, gradient);
    CHECK(error(gradient, expected) <= tolerance * gradient_size);

    for (const Eigen::Index first :
         {Eigen::Index{0}, samples - static_cast<Eigen::Index>(batch.size())}) {
      const auto count = static_cast<Eigen::Index>(batch.size());
      Block block = Block::Constant(n, count, Scalar(1e10));
      derivatives.sample_gradients(theta, first, block);
      CHECK(error(block, gradients.middleCols(first, count)) <=
            tolerance * gradient_size * std::sqrt(count));
      const Block along = directions.middleCols(first, count);
      block.setConstant(Scalar(1e10));
      derivatives.sample_hessian_products(theta, first, along, block);
      CHECK(error(block, products.middleCols(first, count)) <=
            tolerance * product_size * std::sqrt(count));
    }
  }

  const Eigen::Index few = std::min<Eigen::Index>(samples, 20);
  ness::hessians_t<Model> hessians(n * n, few);
  hessians.setConstant(Scalar(1e10));
  derivatives.sample_hessians(theta, samples - few, hessians);
  for (Eigen::Index j = 0; j < few; ++j) {
    const Eigen::Index i = samples - few + j;
    CHECK(error(hessians.col(j).reshaped(n, n) * directions.col(i), products.col(i)) <=
          tolerance * product_size);
  }

  Vector product = Vector::Constant(n, Scalar(1e10));
  const Vector direction = directions.col(0);
  derivatives.hessian_product(theta, direction, product);
  CHECK(error(product, first_products.rowwise().mean()) <= tolerance * product_size);

  // Eigen refuses larger matrices of static size.
  if constexpr (Vector::SizeAtCompileTime <= 100) {  // Eigen::Dynamic is −1
    typename ness::Derivatives<Model>::Matrix hessian;
    derivatives.hessian(theta, hessian);
    CHECK(error(hessian * direction, first_products.rowwise().mean()) <= tolerance * product_size);
  }

  double loss = 0;
  for (Eigen::Index i = 0; i < samples; ++i)
    loss += static_cast<double>(model.sample_loss(at, i)) / static_cast<double>(samples);
  CHECK(relative_error(derivatives.loss(theta), loss) <= tolerance);
}
