// The passes of a multilayer perceptron over a tile: a few samples side by side, one a row, so that
// small static networks become vector instructions over samples and large ones matrix products.
//
// Layer l has inputs A_{l−1} (rows × width), weights W_l (width(l−1) × width(l)), biases b_l, and
// Z_l = A_{l−1} W_l + b_l, A_l = σ(Z_l); the last layer is linear.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <type_traits>

namespace ness::detail {

/// Sizes and views, for widths known to the compiler or not.
template <class Shape, class S>
struct MlpViews {
  using Scalar = S;
  static constexpr bool is_static = Shape::is_static;
  /// Most samples in a tile.
  static constexpr Eigen::Index capacity = is_static ? 16 : 128;
  static constexpr int rows_at_compile_time = is_static ? int{capacity} : Eigen::Dynamic;

  /// Rows of each tile of `samples` samples; spare ones in the last tile count for nothing. All
  /// have as many: at static size so that loops have a length known to the compiler, and at dynamic
  /// size, where the samples are shared out evenly, so that memory never changes its size.
  static constexpr Eigen::Index tile_rows(Eigen::Index samples) {
    if (is_static) return capacity;
    const Eigen::Index tiles = (samples + capacity - 1) / capacity;
    return (samples + tiles - 1) / tiles;
  }

  static constexpr int static_units() {
    if constexpr (is_static)
      return Shape::units();
    else
      return Eigen::Dynamic;
  }
  static constexpr int static_parameters() {
    if constexpr (is_static)
      return Shape::parameters();
    else
      return Eigen::Dynamic;
  }
  static constexpr int static_outputs() {
    if constexpr (is_static)
      return Shape::width(Shape::count);
    else
      return Eigen::Dynamic;
  }
  using Units = Eigen::Matrix<Scalar, rows_at_compile_time, static_units()>;
  using Outputs = Eigen::Matrix<Scalar, rows_at_compile_time, static_outputs()>;
  using SampleParameters = Eigen::Matrix<Scalar, rows_at_compile_time, static_parameters()>;

  // Layer numbers are `std::integral_constant` for static shapes and `int` otherwise.
  template <class Layer>
  static constexpr int static_width(Layer) {
    if constexpr (is_static)
      return Shape::width(Layer::value);
    else
      return Eigen::Dynamic;
  }
  template <class Layer>
  static constexpr auto previous(Layer layer) {
    if constexpr (is_static)
      return std::integral_constant<int, Layer::value - 1>{};
    else
      return layer - 1;
  }

  /// Small fixed-size products are unrolled; the others go to the blocked kernel.
  template <class Layer>
  static constexpr bool unrolled() {
    if constexpr (is_static)
      return Shape::width(Layer::value) * Shape::width(Layer::value - 1) <= 256;
    else
      return false;
  }

  template <class Matrix, class Layer>
  static auto units(Matrix& all, const Shape& shape, Layer layer) {
    return all.template block<rows_at_compile_time, static_width(Layer{})>(
        0, shape.unit_offset(layer), all.rows(), shape.width(layer));
  }

  template <class Vector, class Layer>
  static auto weights(Vector& theta, const Shape& shape, Layer layer) {
    constexpr int in = static_width(decltype(previous(Layer{})){});
    constexpr int out = static_width(Layer{});
    using Matrix = Eigen::Matrix<Scalar, in, out>;
    using Mapped = std::conditional_t<std::is_const_v<Vector>, const Matrix, Matrix>;
    return Eigen::Map<Mapped>(theta.data() + shape.weight_offset(layer), shape.width(layer - 1),
                              shape.width(layer));
  }

  template <class Vector, class Layer>
  static auto biases(Vector& theta, const Shape& shape, Layer layer) {
    using Row = Eigen::Matrix<Scalar, 1, static_width(Layer{})>;
    using Mapped = std::conditional_t<std::is_const_v<Vector>, const Row, Row>;
    return Eigen::Map<Mapped>(
        theta.data() + shape.weight_offset(layer) + shape.width(layer - 1) * shape.width(layer),
        shape.width(layer));
  }

  /// result += a · b
  template <class Layer, class Result, class A, class B>
  static void add_product(Layer, Result&& result, const A& a, const B& b) {
    if constexpr (unrolled<Layer>())
      result += a.lazyProduct(b);
    else
      result.noalias() += a * b;
  }
};

/// The scratch memory of one thread.
template <class Shape, class Scalar>
struct MlpWorkspace {
  using Views = MlpViews<Shape, Scalar>;
  using Units = typename Views::Units;

  Units activation, slope, curvature;  // A, σ'(Z), σ''(Z)
  Units delta, back;                   // ∂ℓ/∂Z, and ∂ℓ/∂A before the factor σ'
  Units tangent, activation_tangent;   // of Z and of A along the direction
  Units delta_tangent, back_tangent;   // of delta and of back
  typename Views::Outputs targets;
  typename Views::SampleParameters sample_parameters, sample_directions;

  void resize(const Shape& shape, Eigen::Index rows) {
    for (Units* units : {&activation, &slope, &curvature, &delta, &back, &tangent,
                         &activation_tangent, &delta_tangent, &back_tangent})
      units->resize(rows, shape.units());
    targets.resize(rows, shape.width(shape.count));
  }
};

/// Collects Σ over samples of inputᵀ delta, as a vector laid out like θ.
template <class Shape, class Vector>
struct SampleSum {
  using Views = MlpViews<Shape, typename Vector::Scalar>;
  const Shape& shape;
  Vector& sum;

  template <class Layer, class Input, class Delta>
  void add_weights(Layer layer, const Input& input, const Delta& delta) {
    Views::add_product(layer, Views::weights(sum, shape, layer), input.transpose(), delta);
  }
  template <class Layer, class Delta>
  void add_biases(Layer layer, const Delta& delta) {
    Views::biases(sum, shape, layer) += delta.colwise().sum();
  }
};

/// Collects the same for each sample apart: one row a sample, one column a parameter.
template <class Shape, class Matrix>
struct EachSample {
  const Shape& shape;
  Matrix& rows;

  template <class Layer, class Input, class Delta>
  void add_weights(Layer layer, const Input& input, const Delta& delta) {
    Eigen::Index column = shape.weight_offset(layer);
    for (Eigen::Index j = 0; j < delta.cols(); ++j)
      for (Eigen::Index k = 0; k < input.cols(); ++k)
        rows.col(column++) += input.col(k).cwiseProduct(delta.col(j));
  }
  template <class Layer, class Delta>
  void add_biases(Layer layer, const Delta& delta) {
    const Eigen::Index first = shape.weight_offset(layer) + shape.width(layer - 1) * delta.cols();
    rows.middleCols(first, delta.cols()) += delta;
  }
};

/// Collects what the gradient of each sample has along each column of `subspace`, Σ_jk a_j Q_jk
/// δ_k, in the columns `begin` ... of `projections`.
template <class Shape, class Block, class Projections>
struct ProjectedSum {
  using Scalar = typename Block::Scalar;
  using Views = MlpViews<Shape, Scalar>;
  using Column = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;
  const Shape& shape;
  const Block& subspace;
  Projections& projections;
  Eigen::Index begin, count;
  Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>& outputs;  // scratch

  template <class Layer, class Input, class Delta>
  void add_weights(Layer layer, const Input& input, const Delta& delta) {
    for (Eigen::Index k = 0; k < subspace.cols(); ++k) {
      const Column direction = column(k);
      auto out = outputs.leftCols(delta.cols());
      out.noalias() = input * Views::weights(direction, shape, layer);
      for (Eigen::Index j = 0; j < out.cols(); ++j)
        projections.row(k).segment(begin, count) +=
            out.col(j).head(count).cwiseProduct(delta.col(j).head(count)).transpose();
    }
  }
  template <class Layer, class Delta>
  void add_biases(Layer layer, const Delta& delta) {
    for (Eigen::Index k = 0; k < subspace.cols(); ++k) {
      const Column direction = column(k);
      projections.row(k).segment(begin, count) +=
          (delta.topRows(count) * Views::biases(direction, shape, layer).transpose()).transpose();
    }
  }

 private:
  Column column(Eigen::Index k) const { return Column(subspace.col(k).data(), subspace.rows()); }
};

/// One direction v in parameter space for all samples.
template <class Shape, class Vector>
struct CommonDirection {
  using Views = MlpViews<Shape, typename Vector::Scalar>;
  const Shape& shape;
  const Vector& direction;

  /// tangent += inputs · V_l + c_l
  template <class Layer, class Input, class Tangent>
  void add_forward(Layer layer, const Input& input, Tangent&& tangent) const {
    Views::add_product(layer, tangent, input, Views::weights(direction, shape, layer));
    tangent.rowwise() += Views::biases(direction, shape, layer);
  }
  /// back += delta · V_lᵀ
  template <class Layer, class Delta, class Back>
  void add_backward(Layer layer, const Delta& delta, Back&& back) const {
    Views::add_product(layer, back, delta, Views::weights(direction, shape, layer).transpose());
  }
};

/// A direction for each sample: one row a sample, one column a parameter.
template <class Shape, class Matrix>
struct SampleDirections {
  const Shape& shape;
  const Matrix& rows;

  template <class Layer, class Input, class Tangent>
  void add_forward(Layer layer, const Input& input, Tangent&& tangent) const {
    Eigen::Index column = shape.weight_offset(layer);
    for (Eigen::Index j = 0; j < tangent.cols(); ++j)
      for (Eigen::Index k = 0; k < input.cols(); ++k)
        tangent.col(j) += input.col(k).cwiseProduct(rows.col(column++));
    tangent += rows.middleCols(column, tangent.cols());
  }
  template <class Layer, class Delta, class Back>
  void add_backward(Layer layer, const Delta& delta, Back&& back) const {
    Eigen::Index column = shape.weight_offset(layer);
    for (Eigen::Index j = 0; j < delta.cols(); ++j)
      for (Eigen::Index k = 0; k < back.cols(); ++k)
        back.col(k) += delta.col(j).cwiseProduct(rows.col(column++));
  }
};

/// The gradient of each sample itself, Σ_l a_{l−1} ⊗ δ_l, of which no number is formed.
template <class Shape, class Scalar>
struct OwnGradients {
  using Views = MlpViews<Shape, Scalar>;
  const Shape& shape;
  const MlpWorkspace<Shape, Scalar>& ws;

  template <class Layer, class Input, class Tangent>
  void add_forward(Layer layer, const Input& input, Tangent&& tangent) const {
    const auto delta = Views::units(ws.delta, shape, layer);
    for (Eigen::Index row = 0; row < input.rows(); ++row)
      tangent.row(row) += (input.row(row).squaredNorm() + 1) * delta.row(row);
  }
  template <class Layer, class Delta, class Back>
  void add_backward(Layer layer, const Delta& delta, Back&& back) const {
    const auto below = Views::units(ws.activation, shape, Views::previous(layer));
    for (Eigen::Index row = 0; row < delta.rows(); ++row)
      back.row(row) += delta.row(row).squaredNorm() * below.row(row);
  }
};

/// Collects nothing: where the deltas themselves are wanted.
struct Nowhere {
  void add_weights(const auto&, const auto&, const auto&) {}
  void add_biases(const auto&, const auto&) {}
};

/// The passes themselves. Order 1 gives gradients, order 2 Hessian products as well.
template <class Shape, class Activation, class Loss, class Vector>
struct MlpPasses {
  using Scalar = typename Vector::Scalar;
  using Views = MlpViews<Shape, Scalar>;

  const Shape& shape;
  const Activation& activation;
  const Loss& loss;
  const Vector& theta;
  MlpWorkspace<Shape, Scalar>& ws;

  /// Copies samples `index(0)` ... `index(count − 1)` into a tile of `rows` ≥ count.
  template <class Data, class IndexOf>
  void gather(const Data& inputs, const Data& targets, Eigen::Index rows, Eigen::Index count,
              const IndexOf& index) {
    ws.resize(shape, rows);
    if constexpr (Views::is_static) {
      for (Eigen::Index row = 0; row < ws.activation.rows(); ++row) {
        const Eigen::Index sample = index(std::min(row, count - 1));
        for (int k = 0; k < shape.width(0); ++k) ws.activation(row, k) = inputs(k, sample);
        for (int k = 0; k < shape.width(shape.count); ++k) ws.targets(row, k) = targets(k, sample);
      }
    } else {
      gather_columns(inputs, ws.activation, rows, count, index);
      gather_columns(targets, ws.targets, rows, count, index);
    }
  }

  template <int Order>
  void forward() {
    shape.upward([&](auto layer) {
      auto z = units(ws.activation, layer);
      const auto biases = Views::biases(theta, shape, layer);
      for (Eigen::Index j = 0; j < z.cols(); ++j) z.col(j).setConstant(biases[j]);
      Views::add_product(layer, z, units(ws.activation, Views::previous(layer)), weights(layer));
      if (layer < shape.count) activate<Order>(layer);
    });
  }

  auto outputs() { return last(ws.activation); }

  /// Adds the gradients of the first `count` samples to `sink`, at dynamic size times `weight`;
  /// call after `forward`.
  template <class Sink>
  void backward(Eigen::Index count, Sink sink, Scalar weight = 1) {
    auto delta = last(ws.delta);
    loss.gradient(outputs(), ws.targets, delta);
    if constexpr (!Views::is_static) delta *= weight;  // else of few parameters the gradient is
    delta.bottomRows(delta.rows() - count).setZero();
    pull_back(sink);
  }

  /// The same of output k instead of the loss.
  void backward_of_output(Eigen::Index count, Eigen::Index k) {
    auto delta = last(ws.delta);
    delta.setZero();
    delta.col(k).head(count).setOnes();
    pull_back(Nowhere{});
  }

  /// From the deltas of the last layer on.
  template <class Sink>
  void pull_back(Sink sink) {
    shape.downward([&](auto layer) {
      const auto below = Views::previous(layer);
      sink.add_weights(layer, units(ws.activation, below), units(ws.delta, layer));
      sink.add_biases(layer, units(ws.delta, layer));
      if (layer > 1) {
        auto back = units(ws.back, below);
        back.setZero();
        Views::add_product(layer, back, units(ws.delta, layer), weights(layer).transpose());
        units(ws.delta, below) = back.cwiseProduct(units(ws.slope, below));
      }
    });
  }

  /// Adds the Hessian products along `direction` to `sink`: Pearlmutter's R-operator, the tangents
  /// of `forward` and `backward` (doi:10.1162/neco.1994.6.1.147). Call after `backward`, with its
  /// `weight`.
  template <class Direction, class Sink>
  void hessian_product(Eigen::Index count, const Direction& direction, Sink sink,
                       Scalar weight = 1) {
    push_forward(direction);
    auto delta_tangent = last(ws.delta_tangent);
    loss.curvature(outputs(), ws.targets, last(ws.tangent), delta_tangent);
    if constexpr (!Views::is_static) delta_tangent *= weight;
    delta_tangent.bottomRows(delta_tangent.rows() - count).setZero();
    shape.downward([&](auto layer) {
      const auto below = Views::previous(layer);
      sink.add_weights(layer, units(ws.activation, below), units(ws.delta_tangent, layer));
      sink.add_biases(layer, units(ws.delta_tangent, layer));
      if (layer > 1) {
        sink.add_weights(layer, units(ws.activation_tangent, below), units(ws.delta, layer));
        auto back = units(ws.back_tangent, below);
        back.setZero();
        Views::add_product(layer, back, units(ws.delta_tangent, layer), weights(layer).transpose());
        direction.add_backward(layer, units(ws.delta, layer), back);
        units(ws.delta_tangent, below) = back.cwiseProduct(units(ws.slope, below)) +
                                         units(ws.back, below)
                                             .cwiseProduct(units(ws.curvature, below))
                                             .cwiseProduct(units(ws.tangent, below));
      }
    });
  }

  /// The tangents of all layers along a direction; call after `forward`.
  template <class Direction>
  void push_forward(const Direction& direction) {
    shape.upward([&](auto layer) {
      const auto below = Views::previous(layer);
      auto tangent = units(ws.tangent, layer);
      tangent.setZero();
      direction.add_forward(layer, units(ws.activation, below), tangent);
      if (layer > 1)
        Views::add_product(layer, tangent, units(ws.activation_tangent, below), weights(layer));
      if (layer < shape.count)
        units(ws.activation_tangent, layer) = tangent.cwiseProduct(units(ws.slope, layer));
    });
  }

  auto tangents() { return last(ws.tangent); }

 private:
  // Columns of `from` to rows of `to`, several at a time, so that whole cache lines are written.
  template <class From, class To, class IndexOf>
  static void gather_columns(const From& from, To& to, Eigen::Index rows, Eigen::Index count,
                             const IndexOf& index) {
    constexpr Eigen::Index width = 8;
    std::array<const Scalar*, width> columns;
    for (Eigen::Index row = 0; row < rows; row += width) {
      const Eigen::Index some = std::min(width, rows - row);
      for (Eigen::Index j = 0; j < some; ++j)
        columns[static_cast<std::size_t>(j)] = from.col(index(std::min(row + j, count - 1))).data();
      for (Eigen::Index k = 0; k < from.rows(); ++k) {
        Scalar* const out = &to(row, k);
        for (Eigen::Index j = 0; j < some; ++j) out[j] = columns[static_cast<std::size_t>(j)][k];
      }
    }
  }

  template <class Matrix, class Layer>
  auto units(Matrix& all, Layer layer) const {
    return Views::units(all, shape, layer);
  }
  // The units of the last layer.
  template <class Matrix>
  auto last(Matrix& all) const {
    return all.template rightCols<Views::static_outputs()>(shape.width(shape.count));
  }
  template <class Layer>
  auto weights(Layer layer) const {
    return Views::weights(theta, shape, layer);
  }

  template <int Order, class Layer>
  void activate(Layer layer) {
    auto a = units(ws.activation, layer).reshaped();
    auto slope = units(ws.slope, layer).reshaped();
    auto curvature = units(ws.curvature, layer).reshaped();
    for (Eigen::Index i = 0; i < a.size(); ++i) {
      const Scalar z = a[i];
      a[i] = activation.value(z);
      if constexpr (Order >= 1) slope[i] = activation.slope(z, a[i]);
      if constexpr (Order >= 2) curvature[i] = activation.curvature(z, a[i]);
    }
  }
};

}  // namespace ness::detail
