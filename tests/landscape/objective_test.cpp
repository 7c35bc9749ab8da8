#include "ness/landscape/objective.hpp"

#include <Eigen/Core>
#include <limits>
#include <stdexcept>
#include <string>

#include "ness/landscape/minimize.hpp"
#include "ness/model/linear_model.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"

namespace {

// R = Σ_α θ_α⁴, with a value alone.
struct Quartic {
  auto value(const auto& theta) const {
    auto sum = 0 * theta[0];
    for (Eigen::Index i = 0; i < theta.size(); ++i)
      sum += theta[i] * theta[i] * theta[i] * theta[i];
    return sum;
  }
};

template <class Model>
void check_sum(const Model& model) {
  const Eigen::Vector3d theta(1.3, 0.7, -0.4);
  const Eigen::Vector3d direction(0.3, -1, 2);
  const auto m = static_cast<double>(model.samples());
  double loss = 0;
  Eigen::Vector3d gradient = Eigen::Vector3d::Zero();
  Eigen::Matrix3d hessian = Eigen::Matrix3d::Zero();
  for (Eigen::Index i = 0; i < model.samples(); ++i) {
    loss += model.exact_loss(theta, i) / m;
    gradient += model.exact_gradient(theta, i) / m;
    hessian += model.exact_hessian(theta, i) / m;
  }
  const auto compare = [&](const auto& regularizer, double r, const Eigen::Vector3d& x,
                           const Eigen::Matrix3d& y) {
    const ness::Objective objective(model, regularizer);
    CHECK(relative_error(objective.loss(theta), loss) <= 1e-13);
    CHECK(relative_error(objective.value(theta), loss + r) <= 1e-13);
    CHECK(relative_error(objective.gradient(theta), gradient + x) <= 1e-13);
    CHECK(relative_error(objective.loss_gradient(theta), gradient) <= 1e-13);
    CHECK(relative_error(objective.regularizer_gradient(theta), x) <= 1e-13);
    CHECK(relative_error(objective.regularizer_hessian(theta), y) <= 1e-13);
    CHECK(relative_error(objective.hessian_product(theta, direction), (hessian + y) * direction) <=
          1e-13);
    CHECK(relative_error(objective.hessian(theta), hessian + y) <= 1e-13);
    CHECK(objective.parameters() == 3);
    CHECK(objective.samples() == model.samples());
  };
  const Eigen::Array3d t = theta.array();
  compare(ness::NoRegularizer{}, 0, Eigen::Vector3d::Zero(), Eigen::Matrix3d::Zero());
  compare(ness::L2{0.6}, 0.6 * theta.squaredNorm(), 1.2 * theta, 1.2 * Eigen::Matrix3d::Identity());
  compare(Quartic{}, t.pow(4).sum(), 4 * t.cube(), (12 * t.square()).matrix().asDiagonal());
}

}  // namespace

TEST_CASE("The objective and its derivatives are the sums of those of L and R (Eq. 10)") {
  check_sum(GenericDecay<>{});
  check_sum(SampleHessianProductsDecay<>{});
  check_sum(HessianDecay<>{});
  check_sum(HessianProductDecay<>{});
  check_sum(WorkspaceDecay<>{});
}

TEST_CASE("An objective refuses a θ of another size or not finite, and says which") {
  const ness::Objective objective(GenericDecay<double, Eigen::Dynamic>{}, ness::L2{1});
  const Eigen::VectorXd four = Eigen::VectorXd::Ones(4);
  const Eigen::VectorXd good = Eigen::VectorXd::Ones(3);
  Eigen::VectorXd bad = good;
  bad[1] = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_AS(objective.loss(four), std::invalid_argument);
  REQUIRE_THROWS_WITH(objective.loss(four),
                      contains("Objective::loss: theta must be 3 x 1, but is 4 x 1"));
  REQUIRE_THROWS_WITH(objective.value(four), contains("but is 4 x 1"));
  REQUIRE_THROWS_WITH(objective.gradient(four), contains("Objective::gradient: theta must be"));
  REQUIRE_THROWS_WITH(objective.hessian(four), contains("Objective::hessian: theta must be"));
  REQUIRE_THROWS_WITH(objective.hessian_product(four, good),
                      contains("Objective::hessian_product: theta must be"));
  REQUIRE_THROWS_WITH(objective.hessian_product(good, four),
                      contains("direction must be 3 x 1, but is 4 x 1"));
  REQUIRE_THROWS_WITH(objective.gradient(bad),
                      contains("theta must be finite") && contains("element (1, 0)"));
}

TEST_CASE("An objective takes θ of static or dynamic size, in any precision, and expressions") {
  const auto check = [](const auto& objective) {
    const Eigen::Vector3d theta(1.25, 0.75, -0.5);  // floats have them exactly
    const Eigen::VectorXd dynamic = theta;
    const Eigen::Vector3d direction(0.3, -1, 2);
    const Eigen::VectorXd along = direction;
    const auto all = [&](const auto& at, const auto& d) {
      CHECK(objective.value(at) == objective.value(theta));
      CHECK(objective.loss(at) == objective.loss(theta));
      CHECK(objective.gradient(at) == objective.gradient(theta));
      CHECK(objective.loss_gradient(at) == objective.loss_gradient(theta));
      CHECK(objective.hessian(at) == objective.hessian(theta));
      CHECK(objective.hessian_product(at, d) == objective.hessian_product(theta, direction));
      CHECK(objective.regularizer_gradient(at) == objective.regularizer_gradient(theta));
      CHECK(objective.regularizer_hessian(at) == objective.regularizer_hessian(theta));
    };
    all(dynamic, along);
    all(Eigen::VectorXf(theta.cast<float>()), along);
    all(2 * (dynamic / 2), 0.5 * (2 * along));
    all(Eigen::Map<const Eigen::VectorXd>(theta.data(), 3), direction);
  };
  check(ness::Objective(GenericDecay<double, 3>{}, ness::L2{0.6}));
  check(ness::Objective(GenericDecay<double, Eigen::Dynamic>{}, ness::L2{0.6}));
}

TEST_CASE("An objective of static N refuses a dynamic θ of another size") {
  const ness::Objective objective(GenericDecay<double, 3>{}, ness::L2{1});
  const Eigen::VectorXd four = Eigen::VectorXd::Ones(4);
  const Eigen::VectorXd two = Eigen::VectorXd::Ones(2);
  const Eigen::VectorXd good = Eigen::VectorXd::Ones(3);
  CHECK_THROWS_WITH(objective.loss(four),
                    contains("Objective::loss: theta must be 3 x 1, but is 4 x 1"));
  CHECK_THROWS_WITH(objective.value(two), contains("theta must be 3 x 1, but is 2 x 1"));
  CHECK_THROWS_WITH(objective.gradient(four), contains("but is 4 x 1"));
  CHECK_THROWS_WITH(objective.hessian(two), contains("but is 2 x 1"));
  CHECK_THROWS_WITH(objective.hessian_product(two, good), contains("theta must be 3 x 1"));
  CHECK_THROWS_WITH(objective.hessian_product(good, four), contains("direction must be 3 x 1"));
  CHECK_THROWS_WITH(objective.regularizer_gradient(four), contains("but is 4 x 1"));
  CHECK_THROWS_WITH(objective.regularizer_hessian(Eigen::MatrixXd::Ones(3, 2).col(0).head(2)),
                    contains("but is 2 x 1"));
  CHECK_THROWS_WITH(ness::minimize(objective, four), contains("theta must be 3 x 1"));
}

TEST_CASE("An objective refuses a model without parameters or samples") {
  GenericDecay<> empty;
  empty.count = 0;
  REQUIRE_THROWS_AS(ness::Objective(empty), std::invalid_argument);
  REQUIRE_THROWS_WITH(ness::Objective(empty),
                      contains("Objective: the model must have at least 1 sample, but is 0"));
  GenericDecay<> huge;
  huge.count = Eigen::Index{1} << 32;
  REQUIRE_THROWS_WITH(ness::Objective(huge), contains("below 2^32, but is 4294967296"));
  struct NoParameters : GenericDecay<double, Eigen::Dynamic> {
    static Eigen::Index parameters() { return 0; }
  };
  REQUIRE_THROWS_WITH(ness::Objective(NoParameters{}), contains("at least 1 parameter, but is 0"));
}

TEST_CASE("An objective refuses a quadratic form that does not fit, or is not symmetric") {
  const ness::Objective plain(
      ness::LinearModel<>(Eigen::MatrixXd::Ones(2, 3), Eigen::MatrixXd::Ones(1, 3)));
  const auto with = [&](const Eigen::MatrixXd& a, const Eigen::VectorXd& b) {
    return ness::Objective(plain.model(), ness::QuadraticForm<Eigen::MatrixXd>{a, b});
  };
  const Eigen::MatrixXd unit = Eigen::MatrixXd::Identity(2, 2);
  CHECK_NOTHROW(with(unit, Eigen::VectorXd::Zero(2)));
  CHECK_THROWS_WITH(with(Eigen::MatrixXd(0, 0), Eigen::VectorXd(0)),
                    contains("Objective: curvature must be 2 x 2, but is 0 x 0"));
  CHECK_THROWS_WITH(with(unit, Eigen::VectorXd::Zero(3)), contains("slope must be 2 x 1"));
  CHECK_THROWS_WITH(with(Eigen::MatrixXd{{1, 2}, {0, 1}}, Eigen::VectorXd::Zero(2)),
                    contains("curvature must be symmetric"));
}

TEST_CASE("An objective owns its model and regularizer") {
  GenericDecay<> model;
  const ness::Objective objective(model, ness::L2{0.5});
  model.count = 1;
  CHECK(objective.samples() == 300);
  CHECK(objective.model().samples() == 300);
  CHECK(objective.regularizer().lambda == 0.5);
}
