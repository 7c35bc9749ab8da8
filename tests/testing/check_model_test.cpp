// check_model must pass good models and find each fault that is planted here.
#include "ness/testing/check_model.hpp"

#include <Eigen/Core>
#include <cstddef>
#include <limits>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>

#include "ness/model/linear_model.hpp"
#include "ness/model/mlp.hpp"
#include "support/catch.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

const Eigen::Vector3d theta(1.3, 0.7, -0.4);

/// A local class has no such member.
struct RoundsOtherwise : BatchGradientDecay<> {
  static constexpr std::size_t chains_together = 3;
  void batch_gradients(std::span<const Vector* const> thetas, std::span<const ness::Batch> batches,
                       std::span<Vector* const> gradients) const {
    for (std::size_t c = 0; c < thetas.size(); ++c) {
      BatchGradientDecay<>::batch_gradient(*thetas[c], batches[c], *gradients[c]);
      if (c == 2) *gradients[c] *= 1 + 1e-15;
    }
  }
};

template <class Model>
ness::ModelCheck check(const Model& model = {}) {
  return ness::check_model(model, theta);
}

// The law whose name contains `part` fails, so a user sees where to look.
bool fails(const ness::ModelCheck& result, const std::string& part) {
  REQUIRE_FALSE(result.ok());
  bool found = false;
  for (const ness::ModelLaw& law : result.laws)
    if (law.name.find(part) != std::string::npos) found = found || !law.holds();
  return found;
}

}  // namespace

TEST_CASE("check_model passes a good model, whichever members it has") {
  CHECK(check<GenericDecay<>>().ok());
  CHECK(check<BatchGradientDecay<>>().ok());
  CHECK(check<SampleGradientsDecay<>>().ok());
  CHECK(check<SampleHessianProductsDecay<>>().ok());
  CHECK(check<HessianDecay<>>().ok());
  CHECK(check<HessianProductDecay<>>().ok());
  CHECK(check<WorkspaceDecay<>>().ok());
}

TEST_CASE("check_model passes models of float, of dynamic size and with few samples") {
  const Eigen::VectorXf floats = theta.cast<float>();
  CHECK(ness::check_model(WorkspaceDecay<float, Eigen::Dynamic>{}, floats).ok());
  CHECK(ness::check_model(HessianDecay<float, Eigen::Dynamic>{}, floats).ok());
  for (const Eigen::Index count : {1, 2, 16, 36, 37, 38}) {
    WorkspaceDecay<> model;
    model.count = count;
    CHECK(check(model).ok());
  }
  CHECK(ness::check_model(WorkspaceDecay<>{}, theta, 1).ok());
  CHECK(ness::check_model(WorkspaceDecay<>{}, theta, 1000).ok());
}

TEST_CASE("check_model passes the ready-made models") {
  const ness::LinearModel<> linear(generic_values(3, 40, 1), generic_values(2, 40, 2), {0.7});
  CHECK(ness::check_model(linear, generic_values<Eigen::VectorXd>(6, 1, 3)).ok());
  const ness::Mlp<ness::DynamicLayers> network(generic_values(2, 40, 1), generic_values(1, 40, 2),
                                               {2, 3, 1});
  CHECK(ness::check_model(network, generic_values<Eigen::VectorXd>(13, 1, 3)).ok());
  const ness::Mlp<ness::Layers<2, 3, 1>> small(generic_values(2, 40, 1), generic_values(1, 40, 2));
  CHECK(ness::check_model(small, generic_values<Eigen::Matrix<double, 13, 1>>(13, 1, 3)).ok());
}

TEST_CASE("check_model finds a wrong factor in batch_gradient") {
  struct Faulty : BatchGradientDecay<> {
    void batch_gradient(const Vector& t, ness::Batch batch, Vector& gradient) const {
      BatchGradientDecay<>::batch_gradient(t, batch, gradient);
      gradient /= 2;
    }
  };
  CHECK(fails(check<Faulty>(), "differences of sample_loss"));
}

TEST_CASE("check_model finds a batch_gradient that is a sum, not a mean") {
  struct Faulty : WorkspaceDecay<> {
    void batch_gradient(const Vector& t, ness::Batch batch, Vector& gradient, Workspace& ws) const {
      WorkspaceDecay<>::batch_gradient(t, batch, gradient, ws);
      gradient *= static_cast<double>(batch.size());
    }
  };
  CHECK(fails(check<Faulty>(), "batch_gradient is the mean"));
}

TEST_CASE("check_model finds batch_gradients that round otherwise than batch_gradient") {
  CHECK(fails(check<RoundsOtherwise>(), "batch_gradients are batch_gradient of each chain"));
}

TEST_CASE("check_model finds a batch_gradient that adds to what is there") {
  struct Faulty : WorkspaceDecay<> {
    void batch_gradient(const Vector& t, ness::Batch batch, Vector& gradient, Workspace& ws) const {
      const Vector before = gradient;
      WorkspaceDecay<>::batch_gradient(t, batch, gradient, ws);
      gradient += 1e-3 * before + Vector::Constant(1e-3);
    }
  };
  CHECK(fails(check<Faulty>(), "batch_gradient is the mean"));
}

TEST_CASE("check_model finds a wrong sign in one element of sample_gradients") {
  struct Faulty : SampleGradientsDecay<> {
    void sample_gradients(const Vector& t, Eigen::Index first, Block& gradients) const {
      SampleGradientsDecay<>::sample_gradients(t, first, gradients);
      gradients.row(1) *= -1;
    }
  };
  CHECK(fails(check<Faulty>(), "differences of sample_loss"));
}

TEST_CASE("check_model finds sample_gradients that repeat the first sample of a block") {
  struct Faulty : SampleGradientsDecay<> {
    void sample_gradients(const Vector& t, Eigen::Index first, Block& gradients) const {
      for (Eigen::Index j = 0; j < gradients.cols(); ++j)
        gradients.col(j) = exact_gradient(t, first);
    }
  };
  CHECK(fails(check<Faulty>(), "of a block"));
}

TEST_CASE("check_model finds a wrong factor in sample_hessian_products") {
  struct Faulty : SampleHessianProductsDecay<> {
    void sample_hessian_products(const Vector& t, Eigen::Index first, const Block& directions,
                                 Block& products) const {
      SampleHessianProductsDecay<>::sample_hessian_products(t, first, directions, products);
      products *= 2;
    }
  };
  CHECK(fails(check<Faulty>(), "differences of sample gradients"));
}

TEST_CASE("check_model finds sample_hessians that are scaled otherwise than the products") {
  struct Faulty : WorkspaceDecay<> {
    void sample_hessians(const Vector& t, Eigen::Index first,
                         Eigen::Matrix<double, 9, Eigen::Dynamic>& hessians, Workspace& ws) const {
      WorkspaceDecay<>::sample_hessians(t, first, hessians, ws);
      hessians /= static_cast<double>(samples());
    }
  };
  CHECK(fails(check<Faulty>(), "sample_hessians are"));
}

TEST_CASE("check_model finds a sample Hessian that is not symmetric") {
  struct Faulty : SampleHessianProductsDecay<> {
    void sample_hessian_products(const Vector& t, Eigen::Index first, const Block& directions,
                                 Block& products) const {
      SampleHessianProductsDecay<>::sample_hessian_products(t, first, directions, products);
      products.row(0) += 0.1 * directions.row(1);
    }
  };
  CHECK(fails(check<Faulty>(), "symmetric"));
}

TEST_CASE("check_model finds a hessian_product that forgets the mean") {
  struct Faulty : HessianProductDecay<> {
    void hessian_product(const Vector& t, const Vector& direction, Vector& product) const {
      HessianProductDecay<>::hessian_product(t, direction, product);
      product *= 300;
    }
  };
  CHECK(fails(check<Faulty>(), "hessian_product is the difference"));
}

TEST_CASE("check_model finds a wrong element of the Hessian") {
  struct Faulty : HessianDecay<> {
    void hessian(const Vector& t, Matrix& result) const {
      HessianDecay<>::hessian(t, result);
      result(2, 1) = 0;
    }
  };
  CHECK(fails(check<Faulty>(), "hessian times a direction"));
}

TEST_CASE("check_model finds a loss that is not the mean of sample_loss") {
  struct Faulty : GenericDecay<> {
    double loss(const Vector& t) const {
      double sum = 0;
      for (Eigen::Index i = 0; i < samples(); ++i) sum += exact_loss(t, i);
      return sum;
    }
  };
  CHECK(fails(check<Faulty>(), "loss is the mean"));
}

TEST_CASE("check_model finds a NaN in a gradient or a loss") {
  struct BadGradient : BatchGradientDecay<> {
    void batch_gradient(const Vector& t, ness::Batch batch, Vector& gradient) const {
      BatchGradientDecay<>::batch_gradient(t, batch, gradient);
      gradient[1] = std::numeric_limits<double>::quiet_NaN();
    }
  };
  struct BadLoss : BatchGradientDecay<> {
    double sample_loss(const Vector& t, Eigen::Index i) const {
      return i == 0 ? std::numeric_limits<double>::infinity() : exact_loss(t, i);
    }
  };
  CHECK(fails(check<BadGradient>(), "differences of sample_loss"));
  CHECK(fails(check<BadLoss>(), "differences of sample_loss"));
}

TEST_CASE("A check prints one line a law, saying which failed and by how much") {
  struct Faulty : BatchGradientDecay<> {
    void batch_gradient(const Vector& t, ness::Batch batch, Vector& gradient) const {
      BatchGradientDecay<>::batch_gradient(t, batch, gradient);
      gradient /= 2;
    }
  };
  const auto result = check<Faulty>();
  std::ostringstream text;
  text << result;
  CHECK_THAT(text.str(), contains("FAIL  sample gradients are the differences of sample_loss"));
  CHECK_THAT(text.str(), contains("pass  batch_gradient is the mean of sample gradients"));
  CHECK_THAT(text.str(), contains("error 0.5"));
}

TEST_CASE("check_model refuses to look at no samples") {
  CHECK_THROWS_WITH(ness::check_model(GenericDecay<>{}, theta, 0),
                    contains("samples must be at least 1, but is 0"));
}

TEST_CASE("check_model refuses a θ of another size") {
  const GenericDecay<double, Eigen::Dynamic> model;
  const Eigen::VectorXd four = Eigen::VectorXd::Ones(4);
  REQUIRE_THROWS_AS((void)ness::check_model(model, four), std::invalid_argument);
  REQUIRE_THROWS_WITH((void)ness::check_model(model, four),
                      contains("check_model: theta must be 3 x 1, but is 4 x 1"));
  GenericDecay<> empty;
  empty.count = 0;
  REQUIRE_THROWS_WITH((void)ness::check_model(empty, theta),
                      contains("at least 1 sample, but is 0"));
}
