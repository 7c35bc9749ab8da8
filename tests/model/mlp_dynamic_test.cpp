// Perceptrons of shapes known when the program runs, whose tiles hold 128 samples.
#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "ness/model/mlp.hpp"
#include "ness/testing/check_model.hpp"
#include "support/catch.hpp"
#include "support/mlp_data.hpp"

using ness::DynamicLayers;

TEST_CASE("Derivatives of dynamic networks are those of their sample_loss, for every shape") {
  check_mlp<ness::Tanh>(DynamicLayers{1, 2, 1}, 300, {1, 2, 127, 128, 129, 256, 257, 300});
  for (const auto& widths : {std::vector<int>{3, 1},
                             {1, 1},
                             {5, 1, 3},
                             {3, 4, 3, 2},
                             {2, 3, 4, 3, 2},
                             {1, 1, 1, 1, 1, 1}})
    check_mlp<ness::Tanh>(DynamicLayers(widths), 20, {3, 20});
}

TEST_CASE("Derivatives of dynamic networks hold for every activation") {
  check_mlp<ness::Sigmoid>(DynamicLayers{2, 3, 3, 1}, 70, {5, 70});
  check_mlp<ness::Softplus>(DynamicLayers{2, 3, 3, 1}, 70, {5, 70});
  check_mlp<ness::Relu>(DynamicLayers{2, 3, 3, 1}, 70, {5, 70});
  check_mlp<ness::Identity>(DynamicLayers{2, 3, 3, 1}, 70, {5, 70});
}

TEST_CASE("Derivatives of dynamic networks hold for the cross entropy") {
  check_mlp<ness::Tanh>(DynamicLayers{3, 4, 3}, 70, {5, 70}, ness::SoftmaxCrossEntropy{1.5});
  check_mlp<ness::Tanh>(DynamicLayers{3, 2}, 70, {5, 70}, ness::SoftmaxCrossEntropy{});
}

TEST_CASE("Derivatives of dynamic networks of float are good to float rounding") {
  check_mlp<ness::Tanh, ness::SquaredLoss, float>(DynamicLayers{2, 3, 2}, 70, {5, 70});
}

TEST_CASE("Static and dynamic layers of the same widths make the same network") {
  const auto fixed =
      generic_mlp<ness::Tanh, ness::SquaredLoss, double>(ness::Layers<2, 3, 1>{}, 40);
  const auto free = generic_mlp<ness::Tanh, ness::SquaredLoss, double>(DynamicLayers{2, 3, 1}, 40);
  const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(13, 1, 4);
  for (Eigen::Index i = 0; i < 40; ++i)
    CHECK(relative_error(fixed.sample_loss(theta, i), free.sample_loss(theta, i)) <= 1e-14);
  ness::Derivatives<ness::Mlp<ness::Layers<2, 3, 1>>> fixed_derivatives(fixed);
  ness::Derivatives<ness::Mlp<DynamicLayers>> free_derivatives(free);
  const std::vector<std::uint32_t> batch{3, 30, 21};
  Eigen::Matrix<double, 13, 1> fixed_gradient;
  Eigen::VectorXd free_gradient;
  fixed_derivatives.batch_gradient(theta, batch, fixed_gradient);
  free_derivatives.batch_gradient(theta, batch, free_gradient);
  CHECK(relative_error(fixed_gradient, free_gradient) <= 1e-14);
}

TEST_CASE("Sums over samples and projections of dynamic networks obey the laws of a model") {
  for (const auto& widths : {std::vector<int>{3, 1}, {5, 1, 3}, {3, 4, 3, 2}, {4, 3}}) {
    const auto network =
        generic_mlp<ness::Tanh, ness::SquaredLoss, double>(DynamicLayers(widths), 60);
    const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(network.parameters(), 1, 4);
    const auto check = ness::check_model(network, theta);
    INFO(check);
    CHECK(check.ok());
    int sums = 0;
    for (const auto& law : check.laws)
      for (const auto* name : {"summed_loss", "batch_hessian", "projected"})
        sums += law.name.starts_with(name) ? 1 : 0;
    CHECK(sums == 5);
  }
}
