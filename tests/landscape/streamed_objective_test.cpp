// Sums over samples on threads, against the objective's own.
#include "ness/landscape/streamed_objective.hpp"

#include <stdexcept>

#include "ness/model/linear_model.hpp"
#include "ness/model/mlp.hpp"
#include "ness/model/softmax_regression.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

/// As it is, every member by automatic differentiation.
struct Cubic {
  MatrixXd x;

  Index parameters() const { return x.rows(); }
  Index samples() const { return x.cols(); }
  auto sample_loss(const auto& theta, Index i) const {
    auto z = theta[0] * x(0, i);
    for (Index k = 1; k < x.rows(); ++k) z += theta[k] * x(k, i);
    return z * z * (z + 3.0);
  }
};

struct Throwing : Cubic {
  auto sample_loss(const auto& theta, Index i) const {
    if (i == 900) throw std::runtime_error("sample 900");
    return Cubic::sample_loss(theta, i);
  }
};

template <class M, class R>
void check_sums(const ness::Objective<M, R>& objective, double tolerance) {
  const Index n = objective.parameters();
  const VectorXd theta = generic_values(n, 1, 3);
  const MatrixXd along = generic_values(n, 5, 4);
  const ness::StreamedObjective streamed(objective, 1);
  CHECK(relative_error(streamed.value(theta), static_cast<double>(objective.value(theta))) <=
        tolerance);
  CHECK(relative_error(streamed.gradient(theta),
                       objective.gradient(theta).template cast<double>().eval()) <= tolerance);
  const MatrixXd products = streamed.hessian_products(theta, along);
  for (Index k = 0; k < along.cols(); ++k)
    CHECK(relative_error(
              products.col(k).eval(),
              objective.hessian_product(theta, along.col(k)).template cast<double>().eval()) <=
          tolerance);

  using Block = ness::block_t<M>;
  Block all(n, objective.samples());
  const ness::vector_t<M> at = theta.template cast<ness::scalar_t<M>>();
  ness::Derivatives<M>(objective.model()).sample_gradients(at, 0, all);
  const MatrixXd expected = along.transpose() * all.template cast<double>();
  MatrixXd found(along.cols(), objective.samples());
  Index next = 0;
  streamed.for_each_projection(theta, along, [&](Index first, const MatrixXd& part) {
    CHECK(first == next);
    found.middleCols(first, part.cols()) = part;
    next += part.cols();
  });
  CHECK(next == objective.samples());
  CHECK(relative_error(found, expected) <= tolerance);

  for (const int threads : {2, 3}) {  // to the last bit
    const ness::StreamedObjective others(objective, threads);
    CHECK(others.value(theta) == streamed.value(theta));
    CHECK(others.gradient(theta) == streamed.gradient(theta));
    CHECK(others.hessian_products(theta, along) == products);
  }
}

MatrixXd one_hot(Index classes, Index samples) {
  MatrixXd result = MatrixXd::Zero(classes, samples);
  for (Index i = 0; i < samples; ++i) result((i * i + i / 3) % classes, i) = 1;
  return result;
}

}  // namespace

TEST_CASE("Sums over samples are those of the objective, for any threads and either precision") {
  constexpr Index samples = 1300;  // two chunks and a part
  const MatrixXd x = generic_values(6, samples, 1), y = generic_values(3, samples, 2);
  check_sums(ness::Objective(Cubic{x}, ness::L2{0.3}), 1e-13);
  check_sums(ness::Objective(ness::LinearModel<>(x, y), ness::L2{0.3}), 1e-13);
  check_sums(ness::Objective(ness::SoftmaxRegression<>(x, one_hot(3, samples)), ness::L2{0.3}),
             1e-13);
  check_sums(ness::Objective(ness::Mlp<ness::DynamicLayers>(x, y, {6, 5, 4, 3}), ness::L2{0.3}),
             1e-13);
  using Single = ness::Mlp<ness::DynamicLayers, ness::Tanh, ness::SquaredLoss, float>;
  check_sums(ness::Objective(Single(x.cast<float>(), y.cast<float>(), {6, 5, 3}), ness::L2{0.3}),
             2e-5);
}

TEST_CASE("Sums on threads refuse what does not fit, and pass on what a model throws") {
  const ness::Objective objective(Throwing{{generic_values(2, 2000, 1)}});
  for (const int threads : {1, 2, 3}) {
    const ness::StreamedObjective streamed(objective, threads);
    CHECK_THROWS_WITH(streamed.value(VectorXd::Ones(2)), "sample 900");
    CHECK_THROWS_WITH(streamed.gradient(VectorXd::Ones(3)), contains("theta must be 2 x 1"));
    CHECK_THROWS_WITH(streamed.hessian_products(VectorXd::Ones(2), MatrixXd::Ones(3, 2)),
                      contains("directions must be 2 x 2"));
  }
  CHECK_THROWS_WITH(ness::StreamedObjective(objective, -1), contains("threads"));
}
