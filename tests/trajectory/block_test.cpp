// What a block holds against plain loops, on both of its ways to take states in.
#include "ness/trajectory/block.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::Index;

template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
template <class S>
using Vector = Eigen::Matrix<S, Eigen::Dynamic, 1>;

/// Elements that are not `f(k, i)`: of equality and not of nearness.
template <class Found, class F>
Index different(const Found& found, Index rows, Index cols, const F& f) {
  if (found.rows() != rows || found.cols() != cols) return -1;
  Index count = 0;
  for (Index k = 0; k < rows; ++k)
    for (Index i = 0; i < cols; ++i)
      if (found(k, i) != f(k, i)) ++count;
  return count;
}

/// States in columns, fed by stretches of all lengths.
template <class S>
void check_against_loops(Index n) {
  constexpr Index capacity = 27;
  const Matrix<S> states = generic_values<Matrix<S>>(n, 200, 11);
  const Vector<S> reference = generic_values<Vector<S>>(n, 1, 12);
  ness::TrajectoryBlock<S> block(states.col(0), reference, capacity);
  CHECK(block.parameters() == n);
  CHECK(block.capacity() == capacity);
  CHECK(block.steps() == 0);
  Index start = 0;
  for (const Index steps : {1, 7, 8, 9, 16, 27, 2, 0, 21, 24, 15}) {
    INFO("N = " << n << ", " << steps << " steps from " << start);
    Index k = start;
    block.fill(steps, [&]() -> Vector<S> { return states.col(++k); });
    const auto deviation = [&](Index step, Index i) {
      return static_cast<S>(states(i, start + step) - reference[i]);
    };
    CHECK(k == start + steps);
    CHECK(block.steps() == steps);
    CHECK(block.reference() == reference);
    CHECK(block.first_diverged() == -1);
    CHECK(different(block.deviations(), steps, n, deviation) == 0);
    CHECK(different(block.all_deviations(), steps + 1, n, deviation) == 0);
    const Matrix<S> increments = block.increments();
    CHECK(different(increments, steps, n, [&](Index step, Index i) {
            return static_cast<S>(deviation(step + 1, i) - deviation(step, i));
          }) == 0);
    for (const Index stride : {1, 2, 3, 8, 27, 28})
      CHECK(different(block.deviations(stride), steps / stride, n,
                      [&](Index step, Index i) { return deviation(stride * step, i); }) == 0);
    start = k;
  }
}

/// One element that is not finite, everywhere: of the first state, of a step's outcome, of the
/// last.
template <class S>
void check_divergence(Index n) {
  constexpr Index steps = 19;
  const S bad[] = {std::numeric_limits<S>::quiet_NaN(), std::numeric_limits<S>::infinity(),
                   -std::numeric_limits<S>::infinity()};
  const Matrix<S> good = generic_values<Matrix<S>>(steps + 1, n, 13);
  const Vector<S> zero = Vector<S>::Zero(n);
  ness::TrajectoryBlock<S> block(zero, zero, steps);
  ness::TrajectoryBlock<S> filled(zero, zero, steps);
  for (Index k = 0; k <= steps; ++k) {
    for (const Index i : {Index{0}, n / 2, n - 1}) {
      Matrix<S> states = good;
      states(k, i) = bad[(k + i) % 3];
      block.assign(states);
      CHECK(block.first_diverged() == std::max<Index>(0, k - 1));
      // The first of them counts, whichever parameter it is of.
      states(steps, 0) = states(steps, n - 1) = bad[0];
      if (k > 0) states(std::min(steps, k + 1), n - 1 - i) = bad[1];
      block.assign(states);
      CHECK(block.first_diverged() == std::max<Index>(0, k - 1));
      if (k == 0) continue;
      Index row = 0;
      filled.assign(good.topRows(1));
      filled.fill(steps, [&]() -> Vector<S> { return states.row(++row); });
      CHECK(filled.first_diverged() == k - 1);
    }
  }
  // What was there before does not count.
  Matrix<S> states = good;
  states(12, 0) = bad[0];
  block.assign(states);
  REQUIRE(block.first_diverged() == 11);
  block.fill(5, [&]() -> Vector<S> { return zero; });
  CHECK(block.first_diverged() == -1);
}

template <class S>
void check_assign(Index n) {
  constexpr Index capacity = 12;
  const Matrix<S> given = generic_values<Matrix<S>>(capacity + 1, n, 14);
  const Vector<S> reference = generic_values<Vector<S>>(n, 1, 15);
  const Vector<S> next = generic_values<Vector<S>>(n, 1, 16);
  ness::TrajectoryBlock<S> block(reference, reference, capacity);
  for (const Index rows : {13, 1, 2, 9}) {
    block.assign(2 * given.bottomRows(rows));
    const auto twice = [&](Index k, Index i) { return 2 * given(capacity + 1 - rows + k, i); };
    CHECK(block.steps() == rows - 1);
    CHECK(different(block.all_deviations(), rows, n, twice) == 0);
    CHECK(different(block.deviations(), rows - 1, n, twice) == 0);
    ness::TrajectoryBlock<S> copy(reference, reference, capacity);
    copy.assign(block.all_deviations());
    CHECK(different(copy.all_deviations(), rows, n, twice) == 0);
    // It goes on from the last of them.
    block.fill(1, [&]() -> const Vector<S>& { return next; });
    CHECK(different(block.all_deviations(), 2, n, [&](Index k, Index i) {
            return k == 0 ? twice(rows - 1, i) : static_cast<S>(next[i] - reference[i]);
          }) == 0);
  }
}

}  // namespace

TEMPLATE_TEST_CASE("A block holds what plain loops find, on either side of 16 parameters", "",
                   double, float) {
  for (const Index n : {1, 7, 16, 17, 490}) check_against_loops<TestType>(n);
}

TEMPLATE_TEST_CASE("A block finds the first step that left the finite numbers, wherever it is", "",
                   double, float) {
  for (const Index n : {1, 7, 16, 17, 490}) check_divergence<TestType>(n);
}

TEMPLATE_TEST_CASE("A block of given deviations holds them, and is gone on with from the last", "",
                   double, float) {
  for (const Index n : {1, 7, 16, 17, 490}) check_assign<TestType>(n);
}
