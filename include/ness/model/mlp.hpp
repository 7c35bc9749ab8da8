// Multilayer perceptrons of any widths (the network of Eq. 30 is one), with hand-derived backward
// and R-operator passes (B. A. Pearlmutter, Neural Comput. 6, 1994, doi:10.1162/neco.1994.6.1.147).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/model/activations.hpp"
#include "ness/model/concepts.hpp"
#include "ness/model/layers.hpp"
#include "ness/model/losses.hpp"
#include "ness/model/mlp_lanes.hpp"
#include "ness/model/mlp_tile.hpp"

namespace ness {

/// A fully connected network with a linear last layer: a ready-made model.
///
///   ness::Mlp<ness::Layers<1, 2, 1>> network(inputs, targets, {}, ness::SquaredLoss{scale});
///   ness::Mlp<ness::DynamicLayers> wide(inputs, targets, {49, 100, 10}, ness::SquaredLoss{});
///
/// `Layers` gives static sizes: no allocation, loops unrolled. Gradients and Hessian products cost
/// two and four passes over the weights, in tiles of 16 (static) or at most 128 samples.
template <class Shape, class Activation = Tanh, class Loss = SquaredLoss, class S = double>
class Mlp {
  using Views = detail::MlpViews<Shape, S>;
  static constexpr bool in_lanes = detail::fits_lanes<Shape, Activation, Loss, S>();

 public:
  using Scalar = S;
  using Workspace = detail::MlpWorkspace<Shape, S>;
  using Data = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

  /// `inputs` is (input width) × M and `targets` (output width) × M, one column a sample. Throws
  /// `std::invalid_argument` where a size disagrees, a number is not finite or the scale of the
  /// loss is not positive.
  Mlp(Data inputs, Data targets, Shape shape = {}, Loss loss = {}, Activation activation = {})
      : inputs_(std::move(inputs)),
        targets_(std::move(targets)),
        shape_(std::move(shape)),
        loss_(std::move(loss)),
        activation_(std::move(activation)) {
    detail::require_size(inputs_, shape_.width(0), inputs_.cols(), "Mlp", "inputs");
    detail::require_size(targets_, shape_.width(shape_.count), inputs_.cols(), "Mlp", "targets");
    detail::require(inputs_.cols() >= 1, "Mlp", "there must be at least 1 sample", inputs_.cols());
    detail::require_finite(inputs_, "Mlp", "inputs");
    detail::require_finite(targets_, "Mlp", "targets");
    if constexpr (requires { loss_.scale; })
      detail::require_positive(loss_.scale, "Mlp", "loss.scale");
  }

  Index parameters() const
    requires(!Shape::is_static)
  {
    return shape_.parameters();
  }
  static constexpr Index parameters()
    requires(Shape::is_static)
  {
    return Shape::parameters();
  }
  Index samples() const { return inputs_.cols(); }
  /// Input width × M.
  const Data& inputs() const { return inputs_; }
  /// Output width × M.
  const Data& targets() const { return targets_; }

  /// f(x; θ), generic over the scalar of θ; `x` is a vector of the input width.
  template <class Vector, class Input>
  auto output(const Vector& theta, const Input& x) const {
    using T = typename Vector::Scalar;
    using Units = Eigen::Matrix<T, Eigen::Dynamic, 1, 0, Views::static_units(), 1>;  // at most
    Units below = x.template cast<T>();
    Units above;
    for (int layer = 1; layer <= shape_.count; ++layer) {
      const Index in = shape_.width(layer - 1);
      const Index out = shape_.width(layer);
      const Index first = shape_.weight_offset(layer);
      above.resize(out);
      for (Index j = 0; j < out; ++j) {
        T z = theta[first + in * out + j];
        for (Index k = 0; k < in; ++k) z += theta[first + in * j + k] * below[k];
        above[j] = layer < shape_.count ? activation_.value(z) : z;
      }
      below.swap(above);
    }
    return below;
  }

  template <class Vector>
  auto sample_loss(const Vector& theta, Index i) const {
    return loss_.value(output(theta, inputs_.col(i)), targets_.col(i));
  }

  template <class Vector>
  Scalar loss(const Vector& theta) const {
    return summed_loss(theta, 0, samples()) / static_cast<Scalar>(samples());
  }

  template <class Vector>
  Scalar summed_loss(const Vector& theta, Index first, Index size) const {
    Workspace ws;
    Scalar sum(0);
    for_each_tile(theta, first, size, ws, [&](auto& passes, Index, Index count) {
      passes.template forward<0>();
      for (Index row = 0; row < count; ++row)
        sum += loss_.value(passes.outputs().row(row), ws.targets.row(row));
    });
    return sum;
  }

  template <class Vector>
  void batch_gradient(const Vector& theta, Batch batch, Vector& gradient, Workspace& ws) const {
    if constexpr (in_lanes) return lanes().of_one_chain(theta, batch, gradient);
    gradient.setZero(parameters());
    const auto weight = static_cast<Scalar>(batch.weight());
    for_each_tile_of(theta, batch, ws, [&](auto& pass, Index count) {
      pass.template forward<1>();
      pass.backward(count, detail::SampleSum<Shape, Vector>{shape_, gradient}, weight);
    });
    if constexpr (Shape::is_static) gradient *= weight;
  }

  /// As many as a register has lanes: the cost of all of them is that of three or so.
  static constexpr std::size_t chains_together = detail::lanes;

  /// To the last bit as `batch_gradient` of each, of a small static network of tanh and squared
  /// loss.
  template <class Vector>
  void batch_gradients(std::span<const Vector* const> thetas, std::span<const Batch> batches,
                       std::span<Vector* const> gradients) const
    requires(in_lanes)
  {
    lanes().of_chains(thetas, batches, gradients);
  }

  template <class Vector, class Block>
  void sample_gradients(const Vector& theta, Index first, Block& gradients, Workspace& ws) const {
    for_each_tile(theta, first, gradients.cols(), ws, [&](auto& pass, Index begin, Index count) {
      auto& rows = ws.sample_parameters;
      rows.setZero(ws.activation.rows(), parameters());
      pass.template forward<1>();
      pass.backward(count, each_sample(rows));
      gradients.middleCols(begin, count) = rows.topRows(count).transpose();
    });
  }

  template <class Vector, class Block>
  void sample_hessian_products(const Vector& theta, Index first, const Block& directions,
                               Block& products, Workspace& ws) const {
    for_each_tile(theta, first, directions.cols(), ws, [&](auto& pass, Index begin, Index count) {
      auto& rows = ws.sample_parameters;
      auto& along = ws.sample_directions;
      rows.setZero(ws.activation.rows(), parameters());
      along.setZero(ws.activation.rows(), parameters());
      along.topRows(count) = directions.middleCols(begin, count).transpose();
      pass.template forward<2>();
      pass.backward(count, detail::Nowhere{});
      pass.hessian_product(
          count, detail::SampleDirections<Shape, typename Views::SampleParameters>{shape_, along},
          each_sample(rows));
      products.middleCols(begin, count) = rows.topRows(count).transpose();
    });
  }

  template <class Vector, class Hessians>
  void sample_hessians(const Vector& theta, Index first, Hessians& hessians, Workspace& ws) const {
    const Index n = parameters();
    Vector unit = Vector::Zero(n);
    for_each_tile(theta, first, hessians.cols(), ws, [&](auto& pass, Index begin, Index count) {
      auto& rows = ws.sample_parameters;
      pass.template forward<2>();
      pass.backward(count, detail::Nowhere{});
      for (Index k = 0; k < n; ++k) {
        rows.setZero(ws.activation.rows(), n);
        unit[k] = Scalar(1);
        pass.hessian_product(count, detail::CommonDirection<Shape, Vector>{shape_, unit},
                             each_sample(rows));
        hessians.block(k * n, begin, n, count) = rows.topRows(count).transpose();
        unit[k] = Scalar(0);
      }
    });
  }

  template <class Vector>
  void hessian_product(const Vector& theta, const Vector& direction, Vector& product,
                       Workspace& ws) const {
    product.setZero(parameters());
    for_each_tile(theta, 0, samples(), ws, [&](auto& pass, Index, Index count) {
      pass.template forward<2>();
      pass.backward(count, detail::Nowhere{});
      pass.hessian_product(count, detail::CommonDirection<Shape, Vector>{shape_, direction},
                           detail::SampleSum<Shape, Vector>{shape_, product});
    });
    product /= static_cast<Scalar>(samples());
  }

  /// What does not depend on the direction is done once for all of them.
  template <class Vector, class Block>
  void batch_hessian_products(const Vector& theta, Batch batch, const Block& directions,
                              Block& products, Workspace& ws) const
    requires(!Shape::is_static)
  {
    products.setZero(parameters(), directions.cols());
    const auto weight = static_cast<Scalar>(batch.weight());
    for_each_tile_of(theta, batch, ws, [&](auto& pass, Index count) {
      pass.template forward<2>();
      pass.backward(count, detail::Nowhere{}, weight);
      for (Index k = 0; k < directions.cols(); ++k) {
        const Eigen::Map<const Vector> along(directions.col(k).data(), parameters());
        Eigen::Map<Vector> sum(products.col(k).data(), parameters());
        pass.hessian_product(
            count, detail::CommonDirection<Shape, const Eigen::Map<const Vector>>{shape_, along},
            detail::SampleSum<Shape, Eigen::Map<Vector>>{shape_, sum}, weight);
      }
    });
  }

  /// Cost: that of as many forward passes as there are directions.
  template <class Vector, class Block, class Projections>
  void projected_gradients(const Vector& theta, Index first, const Block& subspace,
                           Projections& projections, Workspace& ws) const
    requires(!Shape::is_static)
  {
    projections.setZero();
    for_each_tile(theta, first, projections.cols(), ws, [&](auto& pass, Index begin, Index count) {
      pass.template forward<1>();
      pass.backward(count, projected(subspace, projections, begin, count, ws));
    });
  }

  /// Cost: that of twice as many forward passes as the subspace has columns.
  template <class Vector, class Block, class Projections>
  void projected_hessian_products(const Vector& theta, Index first, const Vector& direction,
                                  const Block& subspace, Projections& projections,
                                  Workspace& ws) const
    requires(!Shape::is_static)
  {
    project_products(theta, first, detail::CommonDirection<Shape, Vector>{shape_, direction},
                     subspace, projections, ws);
  }

  /// The same cost.
  template <class Vector, class Block, class Projections>
  void projected_own_products(const Vector& theta, Index first, const Block& subspace,
                              Projections& projections, Workspace& ws) const
    requires(!Shape::is_static)
  {
    project_products(theta, first, detail::OwnGradients<Shape, Scalar>{shape_, ws}, subspace,
                     projections, ws);
  }

  /// Of one sample.
  Index outputs() const { return shape_.width(shape_.count); }

  /// JJᵀ, of layers Σ_l (A_{l−1}A_{l−1}ᵀ + 1) ∘ Δ_lΔ_lᵀ, and the loss at the outputs. Cost: M'²
  /// times the number of units, M' = outputs · M.
  template <class Vector>
  void linearize_outputs(const Vector& theta, Data& gram, Data& slopes, Data& curvatures) const
    requires(!Shape::is_static)
  {
    const Index count = outputs(), all = count * samples();
    Data activations(samples(), shape_.units()), deltas(all, shape_.units());
    slopes.resize(count, samples());
    curvatures.resize(count, all);
    Workspace ws;
    for_each_tile(theta, 0, samples(), ws, [&](auto& pass, Index begin, Index rows) {
      pass.template forward<1>();
      activations.middleRows(begin, rows) = ws.activation.topRows(rows);
      Data part(ws.activation.rows(), count), unit;
      loss_.gradient(pass.outputs(), ws.targets, part);
      slopes.middleCols(begin, rows) = part.topRows(rows).transpose();
      for (Index k = 0; k < count; ++k) {
        pass.backward_of_output(rows, k);
        unit.setZero(part.rows(), count);
        unit.col(k).setOnes();
        loss_.curvature(pass.outputs(), ws.targets, unit, part);
        for (Index row = 0; row < rows; ++row) {
          const Index at = (begin + row) * count + k;
          deltas.row(at) = ws.delta.row(row);
          curvatures.col(at) = part.row(row).transpose();
        }
      }
    });
    gram.setZero(all, all);
    for (int layer = 1; layer <= shape_.count; ++layer) {
      const auto below = Views::units(activations, shape_, layer - 1);
      const auto above = Views::units(deltas, shape_, layer);
      const Data inputs = below * below.transpose();
      const Data back = above * above.transpose();
      for (Index j = 0; j < samples(); ++j)
        for (Index i = 0; i < samples(); ++i)
          gram.block(i * count, j * count, count, count) +=
              (inputs(i, j) + 1) * back.block(i * count, j * count, count, count);
    }
  }

  /// Cost: a forward pass for each direction.
  template <class Vector, class Block>
  void output_products(const Vector& theta, const Block& directions, Data& products) const
    requires(!Shape::is_static)
  {
    const Index count = outputs();
    products.resize(count * samples(), directions.cols());
    Workspace ws;
    Vector along(parameters());
    for_each_tile(theta, 0, samples(), ws, [&](auto& pass, Index begin, Index rows) {
      pass.template forward<1>();
      for (Index d = 0; d < directions.cols(); ++d) {
        along = directions.col(d);
        pass.push_forward(detail::CommonDirection<Shape, Vector>{shape_, along});
        for (Index row = 0; row < rows; ++row)
          products.col(d).segment((begin + row) * count, count) =
              pass.tangents().row(row).transpose();
      }
    });
  }

 private:
  auto lanes() const {
    return detail::MlpLanes<Shape, Activation, Loss>(inputs_.data(), targets_.data(), activation_,
                                                     loss_);
  }

  template <class Vector>
  auto passes(const Vector& theta, Workspace& ws) const {
    return detail::MlpPasses<Shape, Activation, Loss, Vector>{shape_, activation_, loss_, theta,
                                                              ws};
  }

  auto each_sample(typename Views::SampleParameters& rows) const {
    return detail::EachSample<Shape, typename Views::SampleParameters>{shape_, rows};
  }

  // Scratch that is free whenever a layer is added to what comes out.
  template <class Block, class Projections>
  auto projected(const Block& subspace, Projections& projections, Index begin, Index count,
                 Workspace& ws) const {
    return detail::ProjectedSum<Shape, Block, Projections>{shape_, subspace, projections,
                                                           begin,  count,    ws.back_tangent};
  }

  template <class Vector, class Direction, class Block, class Projections>
  void project_products(const Vector& theta, Index first, const Direction& direction,
                        const Block& subspace, Projections& projections, Workspace& ws) const {
    projections.setZero();
    for_each_tile(theta, first, projections.cols(), ws, [&](auto& pass, Index begin, Index count) {
      pass.template forward<2>();
      pass.backward(count, detail::Nowhere{});
      pass.hessian_product(count, direction, projected(subspace, projections, begin, count, ws));
    });
  }

  // Calls `work(passes, begin, count)` with samples first + begin ... gathered into the tile.
  template <class Vector, class Work>
  void for_each_tile(const Vector& theta, Index first, Index size, Workspace& ws,
                     const Work& work) const {
    auto pass = passes(theta, ws);
    const Index rows = Views::tile_rows(size);
    for (Index begin = 0; begin < size; begin += rows) {
      const Index count = std::min(rows, size - begin);
      pass.gather(inputs_, targets_, rows, count, [&](Index row) { return first + begin + row; });
      work(pass, begin, count);
    }
  }

  // Calls `work(passes, count)` with the samples of a batch gathered into the tile.
  template <class Vector, class Work>
  void for_each_tile_of(const Vector& theta, Batch batch, Workspace& ws, const Work& work) const {
    auto pass = passes(theta, ws);
    const auto size = static_cast<Index>(batch.size());
    const Index rows = Views::tile_rows(size);
    for (Index first = 0; first < size; first += rows) {
      const Index count = std::min(rows, size - first);
      const std::uint32_t* const indices = batch.data() + first;
      pass.gather(inputs_, targets_, rows, count, [&](Index row) { return Index{indices[row]}; });
      work(pass, count);
    }
  }

  Data inputs_, targets_;
  Shape shape_;
  Loss loss_;
  Activation activation_;
};

}  // namespace ness
