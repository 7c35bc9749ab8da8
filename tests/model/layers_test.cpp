#include "ness/model/layers.hpp"

#include <stdexcept>
#include <vector>

#include "support/catch.hpp"

namespace {

// The offsets are running sums of (inputs + 1) · units, and of units.
template <class Shape>
void check_offsets(const Shape& shape, const std::vector<int>& widths) {
  REQUIRE(shape.count == static_cast<int>(widths.size()) - 1);
  int units = 0;
  int parameters = 0;
  for (int layer = 0; layer <= shape.count; ++layer) {
    const int width = widths[static_cast<std::size_t>(layer)];
    CHECK(shape.width(layer) == width);
    CHECK(shape.unit_offset(layer) == units);
    units += width;
    if (layer == 0) continue;
    CHECK(shape.weight_offset(layer) == parameters);
    parameters += (widths[static_cast<std::size_t>(layer) - 1] + 1) * width;
  }
  CHECK(shape.units() == units);
  CHECK(shape.parameters() == parameters);

  std::vector<int> up;
  std::vector<int> down;
  shape.upward([&](auto layer) { up.push_back(layer); });
  shape.downward([&](auto layer) { down.push_back(layer); });
  for (int layer = 1; layer <= shape.count; ++layer) {
    CHECK(up.at(static_cast<std::size_t>(layer) - 1) == layer);
    CHECK(down.at(static_cast<std::size_t>(shape.count - layer)) == layer);
  }
  CHECK(up.size() == static_cast<std::size_t>(shape.count));
  CHECK(down.size() == static_cast<std::size_t>(shape.count));
}

}  // namespace

TEST_CASE("Layers stand in θ one after the other, weights before biases") {
  check_offsets(ness::Layers<1, 2, 1>{}, {1, 2, 1});
  check_offsets(ness::Layers<3, 1>{}, {3, 1});
  check_offsets(ness::Layers<4, 3, 5, 2>{}, {4, 3, 5, 2});
  for (const auto& widths :
       {std::vector<int>{1, 2, 1}, {3, 1}, {4, 3, 5, 2}, {49, 100, 10}, {1, 1, 1, 1, 1}})
    check_offsets(ness::DynamicLayers(widths), widths);
  STATIC_REQUIRE(ness::Layers<1, 2, 1>::parameters() == 7);
  CHECK(ness::DynamicLayers{49, 10}.parameters() == 500);
}

TEST_CASE("DynamicLayers refuses fewer than two widths and widths below 1, and says them") {
  using ness::DynamicLayers;
  REQUIRE_THROWS_AS(DynamicLayers({3}), std::invalid_argument);
  REQUIRE_THROWS_WITH(DynamicLayers(std::vector<int>{3}),
                      contains("DynamicLayers") && contains("at least 2 widths, but is 1"));
  REQUIRE_THROWS_WITH(DynamicLayers(std::vector<int>{}), contains("but is 0"));
  REQUIRE_THROWS_WITH(DynamicLayers({3, -4, 2}),
                      contains("every width must be at least 1, but is -4"));
  REQUIRE_THROWS_WITH(DynamicLayers({3, 2, 0}), contains("but is 0"));
}
