// What each concept takes for a model and what it does not: each `Not...` differs in one thing.
#include "ness/model/concepts.hpp"

#include <Eigen/Core>
#include <concepts>
#include <cstddef>

#include "ness/model/derivatives.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/regression_network.hpp"
#include "support/catch.hpp"
#include "support/decay.hpp"

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

struct Sizes {
  Index parameters() const { return 2; }
  Index samples() const { return 3; }
};
struct StaticSizes {
  static constexpr Index parameters() { return 2; }
  Index samples() const { return 3; }
};

// The example at the head of the header.
struct Exponential {
  VectorXd x, y;
  static constexpr Index parameters() { return 2; }
  Index samples() const { return x.size(); }
  auto sample_loss(const auto& theta, Index i) const {
    const auto residual = y[i] - theta[0] * exp(-theta[1] * x[i]);
    return residual * residual;
  }
};

struct Generic : Sizes {
  auto sample_loss(const auto& theta, Index) const { return theta[0] * theta[1]; }
};
struct OverScalar : Sizes {
  template <class T>
  T sample_loss(const Eigen::Matrix<T, Eigen::Dynamic, 1>& theta, Index) const {
    return theta[0];
  }
};
struct OverVector : Sizes {
  template <class Vector>
  typename Vector::Scalar sample_loss(const Vector& theta, Index) const {
    return theta[0];
  }
};
struct Plain : Sizes {
  double sample_loss(const VectorXd& theta, Index) const { return theta[0]; }
};

}  // namespace

TEST_CASE("The example of the documentation is a model with everything") {
  STATIC_REQUIRE(ness::Model<Exponential>);
  STATIC_REQUIRE(ness::HasGenericSampleLoss<Exponential>);
  STATIC_REQUIRE(ness::TwiceDifferentiable<Exponential>);
  STATIC_REQUIRE(ness::HasCurvature<Exponential>);
  STATIC_REQUIRE(ness::parameters_at_compile_time<Exponential> == 2);
}

TEST_CASE("Ready-made models are models with everything") {
  STATIC_REQUIRE(ness::Model<ness::LinearModel<>>);
  STATIC_REQUIRE(ness::HasBatchGradient<ness::LinearModel<>>);
  STATIC_REQUIRE(ness::HasSampleGradients<ness::LinearModel<>>);
  STATIC_REQUIRE(ness::HasSampleHessianProducts<ness::LinearModel<>>);
  STATIC_REQUIRE(ness::HasKroneckerCurvature<ness::LinearModel<>>);
  STATIC_REQUIRE(ness::HasHessian<ness::LinearModel<>>);
  STATIC_REQUIRE(ness::HasLoss<ness::LinearModel<>>);
  STATIC_REQUIRE(ness::HasGenericSampleLoss<ness::LinearModel<float, 3>>);
  STATIC_REQUIRE(ness::Model<ness::RegressionNetwork>);
  STATIC_REQUIRE(ness::HasBatchGradient<ness::RegressionNetwork>);
  STATIC_REQUIRE(ness::HasSampleGradients<ness::RegressionNetwork>);
  STATIC_REQUIRE(ness::HasSampleHessianProducts<ness::RegressionNetwork>);
  STATIC_REQUIRE(ness::HasSampleHessians<ness::RegressionNetwork>);
  STATIC_REQUIRE_FALSE(ness::HasKroneckerCurvature<ness::RegressionNetwork>);
  STATIC_REQUIRE(ness::HasHessianProduct<ness::RegressionNetwork>);
  STATIC_REQUIRE(ness::HasLoss<ness::RegressionNetwork>);
  STATIC_REQUIRE(ness::HasGenericSampleLoss<ness::RegressionNetwork>);
}

TEST_CASE("Sizes are static where the model says so at compile time, and dynamic otherwise") {
  STATIC_REQUIRE(ness::parameters_at_compile_time<Sizes> == Eigen::Dynamic);
  STATIC_REQUIRE(ness::parameters_at_compile_time<StaticSizes> == 2);
  STATIC_REQUIRE(std::same_as<ness::vector_t<StaticSizes>, Eigen::Vector2d>);
  STATIC_REQUIRE(std::same_as<ness::matrix_t<StaticSizes>, Eigen::Matrix2d>);
  STATIC_REQUIRE(std::same_as<ness::block_t<StaticSizes>, Eigen::Matrix2Xd>);
  STATIC_REQUIRE(std::same_as<ness::vector_t<Sizes>, VectorXd>);
}

TEST_CASE("The scalar is the model's, and double where it names none") {
  struct Single : Sizes {
    using Scalar = float;
  };
  STATIC_REQUIRE(std::same_as<ness::scalar_t<Single>, float>);
  STATIC_REQUIRE(std::same_as<ness::vector_t<Single>, Eigen::VectorXf>);
  STATIC_REQUIRE(std::same_as<ness::scalar_t<Sizes>, double>);
}

TEST_CASE("HasParameters and HasSamples want constant members that give a number") {
  struct NotConst {
    Index parameters() { return 1; }
    Index samples() { return 1; }
  };
  struct NotANumber {
    VectorXd parameters() const { return {}; }
    VectorXd samples() const { return {}; }
  };
  struct AnyInteger {
    int parameters() const { return 1; }
    std::size_t samples() const { return 1; }
  };
  STATIC_REQUIRE(ness::HasParameters<Sizes>);
  STATIC_REQUIRE(ness::HasSamples<Sizes>);
  STATIC_REQUIRE(ness::HasParameters<StaticSizes>);
  STATIC_REQUIRE(ness::HasParameters<AnyInteger>);
  STATIC_REQUIRE(ness::HasSamples<AnyInteger>);
  STATIC_REQUIRE_FALSE(ness::HasParameters<NotConst>);
  STATIC_REQUIRE_FALSE(ness::HasSamples<NotConst>);
  STATIC_REQUIRE_FALSE(ness::HasParameters<NotANumber>);
  STATIC_REQUIRE_FALSE(ness::HasSamples<NotANumber>);
  STATIC_REQUIRE_FALSE(ness::HasParameters<int>);
}

namespace {
// Local classes can have no member templates.
struct LossNotConst : Sizes {
  auto sample_loss(const auto& theta, Index) { return theta[0]; }
};
struct LossIsAnExpression : Sizes {
  auto sample_loss(const auto& theta, Index) const { return theta.transpose() * theta; }
};
}  // namespace

TEST_CASE("HasSampleLoss wants a number from a constant model") {
  struct WrongArguments : Sizes {
    double sample_loss(Index, const VectorXd&) const { return 0; }
  };
  struct NoIndex : Sizes {
    double sample_loss(const VectorXd&) const { return 0; }
  };
  struct ReturnsNothing : Sizes {
    void sample_loss(const VectorXd&, Index) const {}
  };
  STATIC_REQUIRE(ness::HasSampleLoss<Generic>);
  STATIC_REQUIRE(ness::HasSampleLoss<Plain>);
  STATIC_REQUIRE(ness::HasSampleLoss<OverScalar>);
  STATIC_REQUIRE_FALSE(ness::HasSampleLoss<LossNotConst>);
  STATIC_REQUIRE_FALSE(ness::HasSampleLoss<LossIsAnExpression>);
  STATIC_REQUIRE_FALSE(ness::HasSampleLoss<WrongArguments>);
  STATIC_REQUIRE_FALSE(ness::HasSampleLoss<NoIndex>);
  STATIC_REQUIRE_FALSE(ness::HasSampleLoss<ReturnsNothing>);
  STATIC_REQUIRE_FALSE(ness::HasSampleLoss<Sizes>);
}

TEST_CASE("HasGenericSampleLoss takes templates, and no function of plain numbers") {
  struct ByReference : Sizes {
    double sample_loss(const Eigen::Ref<const VectorXd>& theta, Index) const { return theta[0]; }
  };
  STATIC_REQUIRE(ness::HasGenericSampleLoss<Generic>);
  STATIC_REQUIRE(ness::HasGenericSampleLoss<OverScalar>);
  STATIC_REQUIRE(ness::HasGenericSampleLoss<OverVector>);
  STATIC_REQUIRE(ness::HasSampleLoss<ByReference>);
  STATIC_REQUIRE_FALSE(ness::HasGenericSampleLoss<Plain>);
  STATIC_REQUIRE_FALSE(ness::HasGenericSampleLoss<ByReference>);
}

TEST_CASE("HasBatchGradient wants a constant member whose output is a reference") {
  struct ByRef : Plain {
    void batch_gradient(const VectorXd&, ness::Batch, Eigen::Ref<VectorXd>) const {}
  };
  struct ByValue : Plain {
    void batch_gradient(const VectorXd&, ness::Batch, VectorXd) const {}
  };
  struct ToConst : Plain {
    void batch_gradient(const VectorXd&, ness::Batch, const VectorXd&) const {}
  };
  struct NotConst : Plain {
    void batch_gradient(const VectorXd&, ness::Batch, VectorXd&) {}
  };
  struct Returns : Plain {
    VectorXd batch_gradient(const VectorXd&, ness::Batch) const { return {}; }
  };
  struct Misspelt : Plain {
    void batch_gradients(const VectorXd&, ness::Batch, VectorXd&) const {}
  };
  struct NoWorkspaceNamed : Plain {
    struct Scratch {};
    void batch_gradient(const VectorXd&, ness::Batch, VectorXd&, Scratch&) const {}
  };
  STATIC_REQUIRE(ness::HasBatchGradient<BatchGradientDecay<>>);
  STATIC_REQUIRE(ness::HasBatchGradient<BatchGradientDecay<float, Eigen::Dynamic>>);
  STATIC_REQUIRE(ness::HasBatchGradient<WorkspaceDecay<>>);
  STATIC_REQUIRE(ness::HasBatchGradient<ByRef>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradient<ByValue>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradient<ToConst>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradient<NotConst>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradient<Returns>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradient<Misspelt>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradient<NoWorkspaceNamed>);
  STATIC_REQUIRE_FALSE(ness::HasBatchGradient<GenericDecay<>>);
}

TEST_CASE("HasSampleGradients wants a constant member whose output is a reference") {
  struct ByValue : Plain {
    void sample_gradients(const VectorXd&, Index, MatrixXd) const {}
  };
  struct NotConst : Plain {
    void sample_gradients(const VectorXd&, Index, MatrixXd&) {}
  };
  struct OneVector : Plain {
    void sample_gradients(const VectorXd&, Index, VectorXd&) const {}
  };
  STATIC_REQUIRE(ness::HasSampleGradients<SampleGradientsDecay<>>);
  STATIC_REQUIRE(ness::HasSampleGradients<WorkspaceDecay<float>>);
  STATIC_REQUIRE_FALSE(ness::HasSampleGradients<ByValue>);
  STATIC_REQUIRE_FALSE(ness::HasSampleGradients<NotConst>);
  STATIC_REQUIRE_FALSE(ness::HasSampleGradients<OneVector>);
  STATIC_REQUIRE_FALSE(ness::HasSampleGradients<Plain>);
}

TEST_CASE("The concepts of Hessians want constant members whose output is a reference") {
  struct ByValue : Plain {
    void sample_hessian_products(const VectorXd&, Index, const MatrixXd&, MatrixXd) const {}
    void hessian_product(const VectorXd&, const VectorXd&, VectorXd) const {}
    void hessian(const VectorXd&, MatrixXd) const {}
  };
  struct NotConst : Plain {
    void sample_hessian_products(const VectorXd&, Index, const MatrixXd&, MatrixXd&) {}
    void hessian_product(const VectorXd&, const VectorXd&, VectorXd&) {}
    void hessian(const VectorXd&, MatrixXd&) {}
  };
  struct Returns : Plain {
    MatrixXd sample_hessian_products(const VectorXd&, Index, const MatrixXd&) const { return {}; }
    VectorXd hessian_product(const VectorXd&, const VectorXd&) const { return {}; }
    MatrixXd hessian(const VectorXd&) const { return {}; }
  };
  struct WithWorkspace : Plain {
    struct Workspace {};
    void hessian(const VectorXd&, MatrixXd& out, Workspace&) const { out.setIdentity(2, 2); }
  };
  STATIC_REQUIRE(ness::HasHessian<WithWorkspace>);
  MatrixXd hessian;
  const WithWorkspace model;
  ness::Derivatives(model).hessian(VectorXd::Zero(2), hessian);
  CHECK(hessian.isIdentity(0));
  STATIC_REQUIRE(ness::HasSampleHessianProducts<SampleHessianProductsDecay<>>);
  STATIC_REQUIRE(ness::HasSampleHessianProducts<WorkspaceDecay<>>);
  STATIC_REQUIRE(ness::HasSampleHessians<WorkspaceDecay<>>);
  STATIC_REQUIRE(ness::HasHessianProduct<HessianProductDecay<>>);
  STATIC_REQUIRE(ness::HasHessianProduct<WorkspaceDecay<>>);
  STATIC_REQUIRE(ness::HasHessian<HessianDecay<>>);
  const auto refused = []<class M>(const M&) {
    return !ness::HasSampleHessianProducts<M> && !ness::HasHessianProduct<M> &&
           !ness::HasHessian<M>;
  };
  STATIC_REQUIRE(refused(ByValue{}));
  STATIC_REQUIRE(refused(NotConst{}));
  STATIC_REQUIRE(refused(Returns{}));
  STATIC_REQUIRE(refused(Plain{}));
}

TEST_CASE("HasLoss wants a number from a constant model") {
  struct Good : Plain {
    double loss(const VectorXd&) const { return 0; }
  };
  struct NotConst : Plain {
    double loss(const VectorXd&) { return 0; }
  };
  struct NotANumber : Plain {
    VectorXd loss(const VectorXd&) const { return {}; }
  };
  STATIC_REQUIRE(ness::HasLoss<Good>);
  STATIC_REQUIRE_FALSE(ness::HasLoss<NotConst>);
  STATIC_REQUIRE_FALSE(ness::HasLoss<NotANumber>);
}

TEST_CASE("A model is differentiable by its own members or by automatic differentiation") {
  STATIC_REQUIRE(ness::Model<GenericDecay<>>);
  STATIC_REQUIRE(ness::Model<BatchGradientDecay<>>);
  STATIC_REQUIRE(ness::Model<SampleGradientsDecay<>>);
  STATIC_REQUIRE_FALSE(ness::Model<PlainDecay<>>);
  STATIC_REQUIRE_FALSE(ness::Differentiable<PlainDecay<>>);
  STATIC_REQUIRE_FALSE(ness::Model<Sizes>);
  STATIC_REQUIRE_FALSE(ness::Model<int>);
}

TEST_CASE("A model has curvature by its own members or by automatic differentiation") {
  STATIC_REQUIRE(ness::HasCurvature<GenericDecay<>>);
  STATIC_REQUIRE(ness::HasCurvature<HessianDecay<>>);
  STATIC_REQUIRE(ness::HasCurvature<HessianProductDecay<>>);
  STATIC_REQUIRE(ness::HasCurvature<SampleHessianProductsDecay<>>);
  STATIC_REQUIRE_FALSE(ness::HasCurvature<BatchGradientDecay<>>);
  STATIC_REQUIRE_FALSE(ness::HasCurvature<SampleGradientsDecay<>>);
  STATIC_REQUIRE(ness::TwiceDifferentiable<SampleHessianProductsDecay<>>);
  // The Hessian of L does not give those of single samples.
  STATIC_REQUIRE_FALSE(ness::TwiceDifferentiable<HessianDecay<>>);
  STATIC_REQUIRE_FALSE(ness::TwiceDifferentiable<HessianProductDecay<>>);
}
