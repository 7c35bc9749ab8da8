// The widths of a multilayer perceptron, and where in θ its weights and biases are.
#pragma once

#include <Eigen/Core>
#include <array>
#include <initializer_list>
#include <type_traits>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"

namespace ness {

/// Widths known to the compiler: `Layers<1, 2, 1>` is one input, two hidden units, one output.
///
/// θ holds, for each layer in turn, its weights and then its biases; the weights of one unit stand
/// together. With a single hidden layer of width 2 and scalar input this is the order of Eq. 30.
template <int... Widths>
struct Layers {
  static_assert(sizeof...(Widths) >= 2, "ness: Layers needs at least an input and an output width");
  static_assert(((Widths >= 1) && ...), "ness: every width of Layers must be at least 1");

  static constexpr bool is_static = true;              ///< widths are known to the compiler
  static constexpr int count = sizeof...(Widths) - 1;  ///< layers of weights
  static constexpr std::array<int, count + 1> widths{
      Widths...};  ///< of all layers, the input first

  /// Units of a layer, the input being layer 0.
  static constexpr int width(int layer) { return widths[static_cast<std::size_t>(layer)]; }

  /// Where the units of `layer` begin among those of all layers, the input being layer 0.
  static constexpr int unit_offset(int layer) {
    int offset = 0;
    for (int l = 0; l < layer; ++l) offset += width(l);
    return offset;
  }
  /// Units of all layers, the input among them.
  static constexpr int units() { return unit_offset(count + 1); }

  /// Where in θ the weights of `layer` ≥ 1 begin; its biases follow them.
  static constexpr int weight_offset(int layer) {
    int offset = 0;
    for (int l = 1; l < layer; ++l) offset += (width(l - 1) + 1) * width(l);
    return offset;
  }
  /// N, weights and biases.
  static constexpr int parameters() { return weight_offset(count + 1); }

  /// Calls `work(layer)` for layer 1 ... count, the number being a compile-time constant.
  template <class Work>
  static void upward(const Work& work) {
    [&]<int... L>(std::integer_sequence<int, L...>) {
      (work(std::integral_constant<int, L + 1>{}), ...);
    }(std::make_integer_sequence<int, count>{});
  }
  /// The same for layer count ... 1.
  template <class Work>
  static void downward(const Work& work) {
    [&]<int... L>(std::integer_sequence<int, L...>) {
      (work(std::integral_constant<int, count - L>{}), ...);
    }(std::make_integer_sequence<int, count>{});
  }
};

/// Widths known when the program runs; otherwise as `Layers`.
struct DynamicLayers {
  static constexpr bool is_static = false;  ///< widths are known when the program runs
  int count;                                ///< layers of weights
  std::vector<int> widths;                  ///< of all layers, the input first

  /// Throws `std::invalid_argument` for fewer than two widths, or one below 1.
  DynamicLayers(std::vector<int> w) : count(static_cast<int>(w.size()) - 1), widths(std::move(w)) {
    detail::require(count >= 1, "DynamicLayers", "there must be at least 2 widths", widths.size());
    for (int width : widths)
      detail::require(width >= 1, "DynamicLayers", "every width must be at least 1", width);
    unit_offsets_.push_back(0);
    for (int width : widths) unit_offsets_.push_back(unit_offsets_.back() + width);
    weight_offsets_ = {0, 0};
    for (int l = 1; l <= count; ++l)
      weight_offsets_.push_back(weight_offsets_.back() + (width(l - 1) + 1) * width(l));
  }
  /// The same, of widths in braces.
  DynamicLayers(std::initializer_list<int> w) : DynamicLayers(std::vector<int>(w)) {}

  /// Units of a layer, the input being layer 0.
  int width(int layer) const { return widths[static_cast<std::size_t>(layer)]; }
  /// Where the units of a layer begin among all of them.
  int unit_offset(int layer) const { return unit_offsets_[static_cast<std::size_t>(layer)]; }
  /// Units of all layers, the input among them.
  int units() const { return unit_offsets_.back(); }
  /// Where in θ the weights of a layer begin.
  int weight_offset(int layer) const { return weight_offsets_[static_cast<std::size_t>(layer)]; }
  /// N, weights and biases.
  int parameters() const { return weight_offsets_.back(); }

  /// Calls `work(layer)` for layer 1 ... count.
  template <class Work>
  void upward(const Work& work) const {
    for (int layer = 1; layer <= count; ++layer) work(layer);
  }
  /// The same for layer count ... 1.
  template <class Work>
  void downward(const Work& work) const {
    for (int layer = count; layer >= 1; --layer) work(layer);
  }

 private:
  std::vector<int> unit_offsets_, weight_offsets_;
};

}  // namespace ness
