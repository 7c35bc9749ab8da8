// What the user brings: the small concepts that a model is made of, L = (1/M) Σ_i ℓ_i (Eq. 10).
//
// The least is three members; everything else follows by automatic differentiation:
//
//   struct Exponential {                                  // y ≈ a exp(−b x)
//     Eigen::VectorXd x, y;
//     static constexpr Eigen::Index parameters() { return 2; }
//     Eigen::Index samples() const { return x.size(); }
//     auto sample_loss(const auto& theta, Eigen::Index i) const {
//       const auto residual = y[i] - theta[0] * exp(-theta[1] * x[i]);
//       return residual * residual;
//     }
//   };
//   static_assert(ness::Model<Exponential>);
//
// Each further member is picked up where a model has it, and is never required.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include "ness/detail/matrices.hpp"
#include "ness/model/batch.hpp"
#include "ness/model/dual.hpp"

namespace ness {

namespace detail {

template <class M>
struct ScalarOf {
  using type = double;
};
template <class M>
  requires requires { typename M::Scalar; }
struct ScalarOf<M> {
  using type = typename M::Scalar;
};

struct NoWorkspace {};
template <class M>
struct WorkspaceOf {
  using type = NoWorkspace;
};
template <class M>
  requires requires { typename M::Workspace; }
struct WorkspaceOf<M> {
  using type = typename M::Workspace;
};

template <class M>
constexpr int static_parameters() {
  if constexpr (requires { typename std::integral_constant<Index, M::parameters()>; })
    return static_cast<int>(M::parameters());
  else
    return Eigen::Dynamic;
}

}  // namespace detail

/// `M::Scalar` where the model names one, else `double`.
template <class M>
using scalar_t = typename detail::ScalarOf<M>::type;

/// N where `M::parameters()` is static and constexpr, else `Eigen::Dynamic`.
template <class M>
inline constexpr int parameters_at_compile_time = detail::static_parameters<M>();

/// θ and gradients: N.
template <class M>
using vector_t = Eigen::Matrix<scalar_t<M>, parameters_at_compile_time<M>, 1>;
/// Hessians, D, Σ, C: N × N.
template <class M>
using matrix_t =
    Eigen::Matrix<scalar_t<M>, parameters_at_compile_time<M>, parameters_at_compile_time<M>>;
/// One column for each sample of a block: N × block.
template <class M>
using block_t = Eigen::Matrix<scalar_t<M>, parameters_at_compile_time<M>, Eigen::Dynamic>;
/// What is left of these in a subspace of K directions: K × block.
template <class M>
using projections_t = Eigen::Matrix<scalar_t<M>, Eigen::Dynamic, Eigen::Dynamic>;
/// Hessians of the samples of a block, each N × N as a column: N² × block.
template <class M>
using hessians_t =
    Eigen::Matrix<scalar_t<M>,
                  parameters_at_compile_time<M> == Eigen::Dynamic
                      ? Eigen::Dynamic
                      : parameters_at_compile_time<M> * parameters_at_compile_time<M>,
                  Eigen::Dynamic>;
/// Scratch memory that the model asks for by naming a type `Workspace`, one for each thread.
template <class M>
using workspace_t = typename detail::WorkspaceOf<M>::type;

/// The number N of parameters: `Index parameters() const`; static and constexpr makes sizes static.
template <class M>
concept HasParameters = requires(const M& model) {
  { model.parameters() } -> std::convertible_to<Index>;
};

/// The number M of samples: `Index samples() const`.
template <class M>
concept HasSamples = requires(const M& model) {
  { model.samples() } -> std::convertible_to<Index>;
};

/// ℓ_i(θ): `Scalar sample_loss(const Vector& theta, Index i) const`. It returns a number, not an
/// expression that would refer to locals already gone.
template <class M>
concept HasSampleLoss = requires(const M& model, const vector_t<M>& theta, Index i) {
  model.sample_loss(theta, i);
  requires std::is_arithmetic_v<std::remove_cvref_t<decltype(model.sample_loss(theta, i))>>;
};

/// A `sample_loss` that also accepts dual numbers. A plain member function does not, even though
/// Eigen's converting constructors make the call look valid: one that is no template has an
/// address.
template <class M>
concept HasGenericSampleLoss =
    HasSampleLoss<M> && !requires { &M::sample_loss; } &&
    requires(const M& model,
             const Eigen::Matrix<Dual<scalar_t<M>, 1>, parameters_at_compile_time<M>, 1>& theta,
             Index i) { model.sample_loss(theta, i); };

namespace detail {

// How the members that overwrite their last argument are called.
struct CallBatchGradient {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.batch_gradient(static_cast<A&&>(arguments)...)) {
    return model.batch_gradient(static_cast<A&&>(arguments)...);
  }
};
struct CallSampleGradients {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.sample_gradients(static_cast<A&&>(arguments)...)) {
    return model.sample_gradients(static_cast<A&&>(arguments)...);
  }
};
struct CallSampleHessianProducts {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.sample_hessian_products(static_cast<A&&>(arguments)...)) {
    return model.sample_hessian_products(static_cast<A&&>(arguments)...);
  }
};
struct CallSampleHessians {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.sample_hessians(static_cast<A&&>(arguments)...)) {
    return model.sample_hessians(static_cast<A&&>(arguments)...);
  }
};
struct CallBatchHessianProducts {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.batch_hessian_products(static_cast<A&&>(arguments)...)) {
    return model.batch_hessian_products(static_cast<A&&>(arguments)...);
  }
};
struct CallProjectedGradients {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.projected_gradients(static_cast<A&&>(arguments)...)) {
    return model.projected_gradients(static_cast<A&&>(arguments)...);
  }
};
struct CallProjectedHessianProducts {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.projected_hessian_products(static_cast<A&&>(arguments)...)) {
    return model.projected_hessian_products(static_cast<A&&>(arguments)...);
  }
};
struct CallProjectedOwnProducts {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.projected_own_products(static_cast<A&&>(arguments)...)) {
    return model.projected_own_products(static_cast<A&&>(arguments)...);
  }
};
struct CallHessianProduct {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.hessian_product(static_cast<A&&>(arguments)...)) {
    return model.hessian_product(static_cast<A&&>(arguments)...);
  }
};
struct CallHessian {
  template <class M, class... A>
  auto operator()(const M& model, A&&... arguments) const
      -> decltype(model.hessian(static_cast<A&&>(arguments)...)) {
    return model.hessian(static_cast<A&&>(arguments)...);
  }
};

/// The member takes these arguments, with or without the workspace after them.
template <class Call, class M, class... A>
concept Takes = std::invocable<const Call&, const M&, A...> ||
                std::invocable<const Call&, const M&, A..., workspace_t<M>&>;

/// Calls the member with these arguments, and the workspace where it takes one.
template <class Call, class M, class... A>
void call_member(const Call& member, const M& model, workspace_t<M>& workspace, A&... arguments) {
  if constexpr (std::invocable<const Call&, const M&, A&..., workspace_t<M>&>)
    member(model, arguments..., workspace);
  else
    member(model, arguments...);
}

/// The member takes `In...` and then an `Out` by reference: one taken by value would be callable
/// with a constant and with a temporary alike.
template <class Call, class M, class Out, class... In>
concept Overwrites = Takes<Call, M, In&..., Out&> &&
                     !(Takes<Call, M, In&..., const Out&> && Takes<Call, M, In&..., Out>);

}  // namespace detail

/// The gradient of L_B: `void batch_gradient(const Vector& theta, Batch batch, Vector& gradient)`
/// `const` overwrites `gradient` (N) with (1/m) Σ_{i∈B} ∇ℓ_i. This and all members that overwrite
/// their last argument may take a `Workspace&` after it.
template <class M>
concept HasBatchGradient =
    detail::Overwrites<detail::CallBatchGradient, M, vector_t<M>, const vector_t<M>, Batch>;

/// Gradients of several chains side by side, `void batch_gradients(std::span<const Vector* const>
/// thetas, std::span<const ness::Batch> batches, std::span<Vector* const> gradients) const`, of as
/// many as `M::chains_together` at most, and batches of one size: what `batch_gradient` makes of
/// each, to the last bit. `run_chains` advances so many in lock step.
template <class M>
concept HasBatchGradients =
    HasBatchGradient<M> &&
    requires(const M& model, std::span<const vector_t<M>* const> thetas,
             std::span<const Batch> batches, std::span<vector_t<M>* const> gradients) {
      requires M::chains_together >= 1;
      model.batch_gradients(thetas, batches, gradients);
    };

/// How many chains a model advances side by side at most: `M::chains_together` where it
/// `HasBatchGradients`, else 1.
template <class M>
inline constexpr std::size_t chains_together = 1;
template <HasBatchGradients M>
inline constexpr std::size_t chains_together<M> = M::chains_together;

/// Gradients of consecutive samples: `void sample_gradients(const Vector& theta, Index first,
/// Matrix& gradients) const` overwrites column j of `gradients` (N × block) with ∇ℓ_{first+j}.
template <class M>
concept HasSampleGradients =
    detail::Overwrites<detail::CallSampleGradients, M, block_t<M>, const vector_t<M>, Index>;

/// Hessian products of consecutive samples: `void sample_hessian_products(const Vector& theta,
/// Index first, const Matrix& directions, Matrix& products) const` overwrites column j of
/// `products` (N × block) with ∂∂ℓ_{first+j} times column j of `directions`.
template <class M>
concept HasSampleHessianProducts =
    detail::Overwrites<detail::CallSampleHessianProducts, M, block_t<M>, const vector_t<M>, Index,
                       const block_t<M>>;

/// Hessians of consecutive samples: `void sample_hessians(const Vector& theta, Index first,
/// Matrix& hessians) const` overwrites column j of `hessians` (N² × block) with ∂∂ℓ_{first+j}.
template <class M>
concept HasSampleHessians =
    detail::Overwrites<detail::CallSampleHessians, M, hessians_t<M>, const vector_t<M>, Index>;

/// Squared loss of outputs linear in θ: ∇ℓ_i = r_i ⊗ x_i and ∂∂ℓ_i = c I ⊗ x_i x_iᵀ, where
/// `features()` is the F × M matrix of the x_i and `curvature_factor()` is c. It makes sums over
/// the Hessians of all samples cheap.
template <class M>
concept HasKroneckerCurvature = requires(const M& model) {
  { model.features().col(0)[0] } -> std::convertible_to<scalar_t<M>>;
  { model.curvature_factor() } -> std::convertible_to<scalar_t<M>>;
};

/// A product with the Hessian H_L of L: `void hessian_product(const Vector& theta,
/// const Vector& direction, Vector& product) const`.
template <class M>
concept HasHessianProduct = detail::Overwrites<detail::CallHessianProduct, M, vector_t<M>,
                                               const vector_t<M>, const vector_t<M>>;

/// The Hessian H_L of L itself: `void hessian(const Vector& theta, Matrix& hessian) const`.
template <class M>
concept HasHessian = detail::Overwrites<detail::CallHessian, M, matrix_t<M>, const vector_t<M>>;

// For many parameters, by matrix products.

/// Products of the Hessian of a batch with several vectors: `void batch_hessian_products(const
/// Vector& theta, ness::Batch batch, const Matrix& directions, Matrix& products) const` overwrites
/// column k of `products` (N × any) with weight · Σ_{i∈B} ∂∂ℓ_i times column k of `directions`.
template <class M>
concept HasBatchHessianProducts =
    detail::Overwrites<detail::CallBatchHessianProducts, M, block_t<M>, const vector_t<M>, Batch,
                       const block_t<M>>;

/// Gradients of consecutive samples in a subspace: `void projected_gradients(const Vector& theta,
/// Index first, const Matrix& subspace, Projections& projections) const` overwrites column j of
/// `projections` (K × block) with Qᵀ∇ℓ_{first+j}, Q = `subspace` of K columns, N × K.
template <class M>
concept HasProjectedGradients =
    detail::Overwrites<detail::CallProjectedGradients, M, projections_t<M>, const vector_t<M>,
                       Index, const block_t<M>>;

/// Hessian products of consecutive samples in a subspace: `void projected_hessian_products(const
/// Vector& theta, Index first, const Vector& direction, const Matrix& subspace, Projections&
/// projections) const` overwrites column j of `projections` (K × block) with Qᵀ∂∂ℓ_{first+j} ·
/// direction.
template <class M>
concept HasProjectedHessianProducts =
    detail::Overwrites<detail::CallProjectedHessianProducts, M, projections_t<M>, const vector_t<M>,
                       Index, const vector_t<M>, const block_t<M>>;

/// The same along each sample's own gradient: `void projected_own_products(const Vector& theta,
/// Index first, const Matrix& subspace, Projections& projections) const` overwrites column j with
/// Qᵀ∂∂ℓ_{first+j}∇ℓ_{first+j}.
template <class M>
concept HasProjectedOwnProducts =
    detail::Overwrites<detail::CallProjectedOwnProducts, M, projections_t<M>, const vector_t<M>,
                       Index, const block_t<M>>;

/// Outputs f that are compared with targets, and how they move with θ, for all samples: `Index
/// outputs() const`; `void linearize_outputs(const Vector& theta, Dense& gram, Dense& slopes,
/// Dense& curvatures) const` overwrites `gram` with JJᵀ, J = ∂f/∂θ with a row for each output of
/// each sample in turn, `slopes` with ∂ℓ_i/∂f_i in column i and `curvatures` with ∂²ℓ_i/∂f_i∂f_i
/// side by side; `void output_products(const Vector& theta, const Matrix& directions, Dense&
/// products) const` with J · directions.
template <class M>
concept LinearizesOutputs =
    requires(const M& model, const vector_t<M>& theta, const block_t<M>& directions,
             DynamicMatrix<scalar_t<M>>& out) {
      { model.outputs() } -> std::convertible_to<Index>;
      model.linearize_outputs(theta, out, out, out);
      model.output_products(theta, directions, out);
    };

/// `Scalar summed_loss(const Vector& theta, Index first, Index count) const`: Σ_i ℓ_i.
template <class M>
concept HasSummedLoss = requires(const M& model, const vector_t<M>& theta, Index i) {
  { model.summed_loss(theta, i, i) } -> std::convertible_to<scalar_t<M>>;
};

/// L(θ) faster than by summing `sample_loss`: `Scalar loss(const Vector& theta) const`.
template <class M>
concept HasLoss = requires(const M& model, const vector_t<M>& theta) {
  { model.loss(theta) } -> std::convertible_to<scalar_t<M>>;
};

/// Gradients can be had: by the model's own, or by automatic differentiation.
template <class M>
concept Differentiable = HasBatchGradient<M> || HasSampleGradients<M> || HasGenericSampleLoss<M>;

/// Hessian products of single samples can be had.
template <class M>
concept TwiceDifferentiable = HasSampleHessianProducts<M> || HasGenericSampleLoss<M>;

/// The Hessian of L can be had.
template <class M>
concept HasCurvature = TwiceDifferentiable<M> || HasHessianProduct<M> || HasHessian<M>;

/// The least that training and its noise need. Write `static_assert(ness::Model<MyModel>);` beside
/// your model, and let `check_model` compare its members with each other.
template <class M>
concept Model = HasParameters<M> && HasSamples<M> && HasSampleLoss<M> && Differentiable<M>;

}  // namespace ness
