// Perceptrons of static shape with each policy. The dynamic ones try every activation; what they
// share with these is not instantiated again, since it takes the compiler long.
#include "ness/model/mlp.hpp"
#include "support/catch.hpp"
#include "support/mlp_data.hpp"

using ness::Layers;

TEST_CASE("Derivatives of static networks hold for an activation that is not Tanh") {
  check_mlp<ness::Softplus>(Layers<2, 3, 1>{}, 20, {5, 20});
}

TEST_CASE("Derivatives of static networks hold for the cross entropy, and a scale") {
  check_mlp<ness::Tanh>(Layers<2, 2, 3>{}, 20, {5, 20}, ness::SoftmaxCrossEntropy{0.7});
}

TEST_CASE("Derivatives of static networks of float are good to float rounding") {
  check_mlp<ness::Tanh, ness::SquaredLoss, float>(Layers<1, 2, 1>{}, 40, {5, 16, 40});
}

TEST_CASE("A wide static layer, whose products are not unrolled, is no exception") {
  check_mlp<ness::Tanh>(Layers<17, 16, 2>{}, 18, {18}, ness::SquaredLoss{12.5});
}
