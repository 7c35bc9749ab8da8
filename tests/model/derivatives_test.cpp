#include "ness/model/derivatives.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

template <class Vector>
Vector theta_of_decay() {
  Vector theta(3);
  theta << 1.3, 0.7, -0.4;
  return theta;
}

template <class Scalar>
constexpr double rounding = 1000 * std::numeric_limits<Scalar>::epsilon();

// Everything that Derivatives offers, against the closed forms.
template <class Model>
void check_gradients(const Model& model) {
  using D = ness::Derivatives<Model>;
  D derivatives(model);
  const auto theta = theta_of_decay<typename D::Vector>();

  for (const std::vector<std::uint32_t>& batch :
       {std::vector<std::uint32_t>{7}, {299, 0}, {5, 280, 17, 3, 101, 44}}) {
    Eigen::Vector3d expected = Eigen::Vector3d::Zero();
    for (const auto i : batch)
      expected += model.exact_gradient(theta, i) / static_cast<double>(batch.size());
    auto gradient = D::Vector::Constant(3, 1e30).eval();  // what was there must not count
    derivatives.batch_gradient(theta, batch, gradient);
    CHECK(relative_error(gradient, expected) <= rounding<typename D::Scalar>);
  }

  typename D::Block gradients(3, 5);
  gradients.setConstant(1e30);
  derivatives.sample_gradients(theta, 290, gradients);
  for (Eigen::Index j = 0; j < 5; ++j)
    CHECK(relative_error(gradients.col(j), model.exact_gradient(theta, 290 + j)) <=
          rounding<typename D::Scalar>);

  double loss = 0;
  for (Eigen::Index i = 0; i < model.samples(); ++i)
    loss += model.exact_loss(theta, i) / static_cast<double>(model.samples());
  CHECK(relative_error(derivatives.loss(theta), loss) <= rounding<typename D::Scalar>);
}

template <class Model>
void check_hessians(const Model& model) {
  using D = ness::Derivatives<Model>;
  D derivatives(model);
  const auto theta = theta_of_decay<typename D::Vector>();
  Eigen::Matrix3d expected = Eigen::Matrix3d::Zero();
  for (Eigen::Index i = 0; i < model.samples(); ++i)
    expected += model.exact_hessian(theta, i) / static_cast<double>(model.samples());

  typename D::Vector direction(3);
  direction << 0.3, -1, 2;
  auto product = D::Vector::Constant(3, 1e30).eval();
  derivatives.hessian_product(theta, direction, product);
  CHECK(relative_error(product, expected * direction.template cast<double>()) <=
        rounding<typename D::Scalar>);

  typename D::Matrix hessian;
  derivatives.hessian(theta, hessian);
  CHECK(relative_error(hessian, expected) <= rounding<typename D::Scalar>);
  CHECK(hessian == hessian.transpose());

  if constexpr (ness::TwiceDifferentiable<Model>) {
    const auto directions = generic_values<typename D::Block>(3, 4, 1);
    typename D::Block products(3, 4);
    products.setConstant(1e30);
    derivatives.sample_hessian_products(theta, 254, directions, products);
    for (Eigen::Index j = 0; j < 4; ++j)
      CHECK(relative_error(products.col(j), model.exact_hessian(theta, 254 + j) *
                                                directions.col(j).template cast<double>()) <=
            rounding<typename D::Scalar>);

    ness::hessians_t<Model> hessians(9, 4);
    hessians.setConstant(1e30);
    derivatives.sample_hessians(theta, 254, hessians);
    for (Eigen::Index j = 0; j < 4; ++j)
      CHECK(relative_error(hessians.col(j).reshaped(3, 3), model.exact_hessian(theta, 254 + j)) <=
            rounding<typename D::Scalar>);
  }
}

template <template <class, int> class Model>
void check_gradients_at_all_sizes() {
  check_gradients(Model<double, 3>{});
  check_gradients(Model<double, Eigen::Dynamic>{});
  check_gradients(Model<float, 3>{});
  check_gradients(Model<float, Eigen::Dynamic>{});
}

template <template <class, int> class Model>
void check_hessians_at_all_sizes() {
  check_hessians(Model<double, 3>{});
  check_hessians(Model<double, Eigen::Dynamic>{});
  check_hessians(Model<float, 3>{});
}

// How often a model's own members were called.
template <class Model, class Work>
int calls(const Work& work) {
  const Model model{};
  ness::Derivatives<Model> derivatives(model);
  auto theta = theta_of_decay<ness::vector_t<Model>>();
  work(derivatives, theta);
  return model.calls;
}

}  // namespace

TEST_CASE("Gradients agree with the closed form, whichever member a model brings") {
  check_gradients_at_all_sizes<GenericDecay>();
  check_gradients_at_all_sizes<BatchGradientDecay>();
  check_gradients_at_all_sizes<SampleGradientsDecay>();
  check_gradients_at_all_sizes<WorkspaceDecay>();
}

TEST_CASE("Hessians agree with the closed form, whichever member a model brings") {
  check_hessians_at_all_sizes<GenericDecay>();
  check_hessians_at_all_sizes<SampleHessianProductsDecay>();
  check_hessians_at_all_sizes<HessianDecay>();
  check_hessians_at_all_sizes<HessianProductDecay>();
  check_hessians_at_all_sizes<WorkspaceDecay>();
}

TEST_CASE("A model's own members are used where it has them") {
  const std::vector<std::uint32_t> batch{4, 2, 9};
  const auto one_batch = [&](auto& derivatives, auto& theta) {
    auto gradient = theta;
    derivatives.batch_gradient(theta, batch, gradient);
  };
  CHECK(calls<BatchGradientDecay<>>(one_batch) == 1);
  CHECK(calls<WorkspaceDecay<>>(one_batch) == 1);
  CHECK(calls<SampleGradientsDecay<>>(one_batch) == 3);  // one a sample

  const auto one_block = [](auto& derivatives, auto& theta) {
    Eigen::Matrix3Xd gradients(3, 5);
    derivatives.sample_gradients(theta, 0, gradients);
  };
  CHECK(calls<SampleGradientsDecay<>>(one_block) == 1);
  CHECK(calls<WorkspaceDecay<>>(one_block) == 1);
  CHECK(calls<BatchGradientDecay<>>(one_block) == 5);

  const auto one_product = [](auto& derivatives, auto& theta) {
    auto product = theta;
    derivatives.hessian_product(theta, theta, product);
  };
  CHECK(calls<HessianProductDecay<>>(one_product) == 1);
  CHECK(calls<WorkspaceDecay<>>(one_product) == 1);
  CHECK(calls<HessianDecay<>>(one_product) == 1);
  CHECK(calls<SampleHessianProductsDecay<>>(one_product) == 2);  // 300 samples, two blocks

  const auto one_hessian = [](auto& derivatives, auto& theta) {
    Eigen::Matrix3d hessian;
    derivatives.hessian(theta, hessian);
  };
  CHECK(calls<HessianDecay<>>(one_hessian) == 1);
  CHECK(calls<HessianProductDecay<>>(one_hessian) == 3);  // one a column
}

TEST_CASE("The Hessian is symmetric to the last bit, even where a model's own is not") {
  struct Skewed : HessianDecay<> {
    void hessian(const Vector& theta, Matrix& result) const {
      HessianDecay<>::hessian(theta, result);
      result(0, 1) += 1e-9;
    }
  };
  const Skewed model;
  Eigen::Matrix3d hessian;
  ness::Derivatives<Skewed>(model).hessian(theta_of_decay<Eigen::Vector3d>(), hessian);
  CHECK(hessian == hessian.transpose());
}

TEST_CASE("L is the model's own where it has one, and the mean of sample_loss otherwise") {
  struct OwnLoss : GenericDecay<> {
    double loss(const Vector&) const { return 42; }
  };
  const OwnLoss own;
  CHECK(ness::Derivatives<OwnLoss>(own).loss(theta_of_decay<Eigen::Vector3d>()) == 42);
}

TEST_CASE("Blocks hold every sample once and in order, for any number of samples") {
  for (const Eigen::Index count : {1, 2, 255, 256, 257, 512, 600}) {
    GenericDecay<> model;
    model.count = count;
    ness::Derivatives<GenericDecay<>> derivatives(model);
    Eigen::Index next = 0;
    derivatives.for_each_block([&](Eigen::Index first, Eigen::Index size) {
      CHECK(first == next);
      CHECK(size >= 1);
      CHECK(size <= derivatives.block_size);
      next += size;
    });
    CHECK(next == count);
  }
}

TEST_CASE("Blocks of gradients hold the gradient of every sample") {
  const GenericDecay<> model;
  ness::Derivatives<GenericDecay<>> derivatives(model);
  const auto theta = theta_of_decay<Eigen::Vector3d>();
  double worst = 0;
  Eigen::Index seen = 0;
  derivatives.for_each_gradient_block(theta, [&](Eigen::Index first, const auto& gradients) {
    for (Eigen::Index j = 0; j < gradients.cols(); ++j, ++seen)
      worst =
          std::max(worst, relative_error(gradients.col(j), model.exact_gradient(theta, first + j)));
  });
  CHECK(worst <= 1e-13);
  CHECK(seen == model.samples());
}

TEST_CASE("Derivatives cannot be made from a temporary model, which would dangle") {
  STATIC_REQUIRE_FALSE(std::is_constructible_v<ness::Derivatives<GenericDecay<>>, GenericDecay<>>);
  STATIC_REQUIRE(std::is_constructible_v<ness::Derivatives<GenericDecay<>>, const GenericDecay<>&>);
}
