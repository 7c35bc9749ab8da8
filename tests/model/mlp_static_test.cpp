// Perceptrons of static shape, whose tiles hold 16 samples.
#include "ness/model/mlp.hpp"

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "support/catch.hpp"
#include "support/mlp_data.hpp"

using ness::Layers;

TEST_CASE("Derivatives of static networks are those of their sample_loss") {
  check_mlp<ness::Tanh>(Layers<1, 2, 1>{}, 50, {1, 2, 15, 16, 17, 31, 32, 33, 50});
  check_mlp<ness::Tanh>(Layers<3, 1>{}, 20, {3, 16, 20});
  check_mlp<ness::Tanh>(Layers<2, 3, 4, 2>{}, 20, {3, 16, 20});
}

TEST_CASE("The output is W₂ σ(W₁ x + b₁) + b₂ with the weights of one unit side by side in θ") {
  const auto network = generic_mlp<ness::Tanh, ness::SquaredLoss, double>(Layers<2, 3, 2>{}, 4);
  const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(17, 1, 5);
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> w1(theta.data(), 3, 2);
  const Eigen::Map<const Eigen::VectorXd> b1(theta.data() + 6, 3);
  const Eigen::Map<const RowMajor> w2(theta.data() + 9, 2, 3);
  const Eigen::Map<const Eigen::VectorXd> b2(theta.data() + 15, 2);
  for (Eigen::Index i = 0; i < 4; ++i) {
    const Eigen::VectorXd x = network.inputs().col(i);
    const Eigen::VectorXd hidden = (w1 * x + b1).array().tanh();
    const Eigen::VectorXd f = w2 * hidden + b2;
    CHECK(relative_error(network.output(theta, x), f) <= 1e-14);
    CHECK(relative_error(network.sample_loss(theta, i),
                         (f - network.targets().col(i)).squaredNorm()) <= 1e-14);
  }
}

TEST_CASE("Spare rows of a tile count for nothing, even where the last sample is extreme") {
  // The tile is filled up with copies of the last sample.
  auto inputs = generic_values(1, 3, 1);
  inputs(0, 2) = 1e8;
  const ness::Mlp<Layers<1, 1>> line(inputs, generic_values(1, 3, 2));
  check_against_autodiff(line, Eigen::Vector2d(0.5, -1), {1, 2, 3});
}

TEST_CASE("A network that has diverged shows it in the gradient") {
  const auto network = generic_mlp<ness::Tanh, ness::SquaredLoss, double>(Layers<1, 2, 1>{}, 20);
  Eigen::Matrix<double, 7, 1> theta = Eigen::Matrix<double, 7, 1>::Ones();
  theta[0] = std::numeric_limits<double>::infinity();
  ness::Derivatives<ness::Mlp<Layers<1, 2, 1>>> derivatives(network);
  const std::vector<std::uint32_t> batch{1, 2, 3};
  Eigen::Matrix<double, 7, 1> gradient;
  derivatives.batch_gradient(theta, batch, gradient);
  CHECK_FALSE(gradient.allFinite());
}

namespace {

// Gradients of `chains` chains side by side against those of each alone, of `size` samples each.
template <class Network>
void check_side_by_side(const Network& network, std::size_t chains, std::size_t size) {
  using Vector = ness::vector_t<Network>;
  const auto samples = static_cast<std::uint32_t>(network.samples());
  std::vector<Vector> thetas, gradients(chains);
  std::vector<std::vector<std::uint32_t>> numbers(chains);
  std::vector<const Vector*> at;
  std::vector<ness::Batch> batches;
  std::vector<Vector*> out;
  for (std::size_t c = 0; c < chains; ++c) {
    thetas.push_back(generic_values<Vector>(network.parameters(), 1, static_cast<unsigned>(c) + 7));
    for (std::size_t k = 0; k < size; ++k)
      numbers[c].push_back(static_cast<std::uint32_t>(7 * k + 3 * c) % samples);
  }
  for (std::size_t c = 0; c < chains; ++c) {
    at.push_back(&thetas[c]);
    batches.emplace_back(numbers[c], 0.3 + static_cast<double>(c));
    out.push_back(&gradients[c]);
  }
  network.template batch_gradients<Vector>(at, batches, out);
  ness::Derivatives<Network> derivatives(network);
  for (std::size_t c = 0; c < chains; ++c) {
    Vector alone(network.parameters());
    derivatives.batch_gradient(thetas[c], batches[c], alone);
    INFO("chain " << c << " of " << chains << ", " << size << " samples");
    CHECK(gradients[c] == alone);
  }
}

}  // namespace

TEST_CASE("Gradients of chains side by side have the bits of each alone") {
  const auto small = generic_mlp<ness::Tanh, ness::SquaredLoss, double>(Layers<1, 2, 1>{}, 50);
  const auto deep = generic_mlp<ness::Tanh, ness::SquaredLoss, double>(Layers<2, 2, 2, 2>{}, 30);
  for (std::size_t chains = 1; chains <= ness::detail::lanes; ++chains)
    for (const std::size_t size : {1, 2, 3, 7, 8, 9, 10, 16, 17, 40}) {
      check_side_by_side(small, chains, size);
      check_side_by_side(deep, chains, size);
    }
}

TEST_CASE("Networks that do not fit lanes have none") {
  STATIC_REQUIRE(ness::HasBatchGradients<ness::Mlp<Layers<1, 2, 1>>>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradients<ness::Mlp<Layers<10, 10, 1>>>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradients<ness::Mlp<Layers<1, 2, 1>, ness::Softplus>>);
  STATIC_REQUIRE_FALSE(
      ness::HasBatchGradients<ness::Mlp<Layers<1, 2, 2>, ness::Tanh, ness::SoftmaxCrossEntropy>>);
  STATIC_REQUIRE_FALSE(
      ness::HasBatchGradients<ness::Mlp<Layers<1, 2, 1>, ness::Tanh, ness::SquaredLoss, float>>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradients<ness::Mlp<ness::DynamicLayers>>);
}

TEST_CASE("A network refuses data that does not fit its layers, and says what it got") {
  using Network = ness::Mlp<Layers<2, 3, 1>>;
  const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(2, 5);
  const Eigen::MatrixXd y = Eigen::MatrixXd::Ones(1, 5);
  REQUIRE_NOTHROW(Network(x, y));
  REQUIRE_THROWS_AS(Network(Eigen::MatrixXd::Ones(3, 5), y), std::invalid_argument);
  REQUIRE_THROWS_WITH(Network(Eigen::MatrixXd::Ones(3, 5), y),
                      contains("Mlp: inputs must be 2 x 5, but is 3 x 5"));
  REQUIRE_THROWS_WITH(Network(x, Eigen::MatrixXd::Ones(2, 5)),
                      contains("Mlp: targets must be 1 x 5, but is 2 x 5"));
  REQUIRE_THROWS_WITH(Network(x, y, {}, ness::SquaredLoss{-1}),
                      contains("loss.scale must be positive and finite, but is -1"));
  REQUIRE_THROWS_WITH(Network(x, Eigen::MatrixXd::Ones(1, 4)),
                      contains("targets must be 1 x 5, but is 1 x 4"));
  REQUIRE_THROWS_WITH(Network(Eigen::MatrixXd(2, 0), Eigen::MatrixXd(1, 0)),
                      contains("at least 1 sample, but is 0"));
  Eigen::MatrixXd bad = x;
  bad(1, 3) = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_WITH(Network(bad, y),
                      contains("inputs must be finite") && contains("element (1, 3) is inf"));
  bad = y;
  bad(0, 2) = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_WITH(Network(x, bad), contains("targets must be finite") &&
                                           contains("element (0, 2)") && contains("nan"));
}
