// Networks on data without a pattern.
#pragma once

#include <Eigen/Core>
#include <type_traits>
#include <vector>

#include "ness/model/mlp.hpp"
#include "support/against_autodiff.hpp"
#include "support/generic_values.hpp"

/// A network of this shape on `samples` samples; for the cross entropy the targets sum to 1.
template <class Activation, class Loss, class Scalar, class Shape>
auto generic_mlp(const Shape& shape, Eigen::Index samples, const Loss& loss = {}) {
  using Network = ness::Mlp<Shape, Activation, Loss, Scalar>;
  using Data = typename Network::Data;
  Data inputs = generic_values<Data>(shape.width(0), samples, 11);
  Data targets = generic_values<Data>(shape.width(shape.count), samples, 12);
  if constexpr (std::is_same_v<Loss, ness::SoftmaxCrossEntropy>) {
    targets = targets.cwiseAbs().eval();
    for (Eigen::Index i = 0; i < samples; ++i) targets.col(i) /= targets.col(i).sum();
  }
  return Network(inputs, targets, shape, loss);
}

/// All its members against automatic differentiation, at parameters of moderate size.
template <class Activation, class Loss = ness::SquaredLoss, class Scalar = double, class Shape>
void check_mlp(const Shape& shape, Eigen::Index samples,
               const std::vector<Eigen::Index>& batch_sizes, const Loss& loss = {}) {
  const auto network = generic_mlp<Activation, Loss, Scalar>(shape, samples, loss);
  using Vector = ness::vector_t<std::remove_const_t<decltype(network)>>;
  const auto theta = generic_values<Vector>(network.parameters(), 1, 13, 0.6);
  check_against_autodiff(network, theta, batch_sizes);
}
