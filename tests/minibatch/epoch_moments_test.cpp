#include "ness/minibatch/epoch_moments.hpp"

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_partition.hpp"

using ness::EpochMoments;

namespace {

/// Means over all partitions of what their definitions say of samples 0, 1, 2 and 3.
EpochMoments enumerated(int samples, int batch) {
  const double middle = (samples / batch - 1) / 2.0;
  const double share = (samples - batch) / (2.0 * (samples - 1));
  EpochMoments sum{};
  int count = 0;
  for_every_partition(samples, batch, [&](const std::vector<int>& batch_of) {
    const auto zeta = [&](std::size_t i) { return middle - batch_of[i]; };
    const auto chi = [&](std::size_t i, std::size_t j) {
      return (batch_of[i] > batch_of[j] ? 1 : 0) - share;
    };
    ++count;
    sum.a0 += zeta(0) * zeta(0);
    sum.a0_off += zeta(0) * zeta(1);
    sum.a1 += zeta(0) * chi(1, 0);
    sum.a2 += chi(0, 1) * chi(0, 2);
    sum.a3 += chi(0, 1) * chi(0, 1);
    sum.a4 += chi(0, 1) * chi(1, 0);
    sum.a5 += chi(0, 1) * chi(2, 0);
    sum.a6 += chi(0, 1) * chi(2, 3);
  });
  for (double* each : {&sum.a0, &sum.a0_off, &sum.a1, &sum.a2, &sum.a3, &sum.a4, &sum.a5, &sum.a6})
    *each /= count;
  return sum;
}

void check_close(double found, double expected) { CHECK(std::abs(found - expected) <= 1e-14); }

}  // namespace

TEST_CASE("The moments of a random order are those of all partitions, enumerated") {
  for (const auto& [samples, batch] : {std::pair{6, 2}, std::pair{6, 3}, std::pair{4, 1}}) {
    const EpochMoments found = EpochMoments::exact(samples, batch);
    const EpochMoments expected = enumerated(samples, batch);
    check_close(found.a0, expected.a0);
    check_close(found.a0_off, expected.a0_off);
    check_close(found.a1, expected.a1);
    check_close(found.a2, expected.a2);
    check_close(found.a3, expected.a3);
    check_close(found.a4, expected.a4);
    check_close(found.a5, expected.a5);
    check_close(found.a6, expected.a6);
  }
}

TEST_CASE("As the paper prints them a5 is off by the order 1/M², and two are 0") {
  const EpochMoments printed = EpochMoments::exact(6, 2).printed(6, 3);
  check_close(printed.a5, -4.0 * (72 + 2 * (36 + 12 * 2)) / (12 * 4 * 5 * 5 * 6));
  CHECK(printed.a0_off == 0);
  CHECK(printed.a6 == 0);
  CHECK(printed.a2 == EpochMoments::exact(6, 2).a2);
  const auto difference = [](int samples) {
    const EpochMoments exact = EpochMoments::exact(samples, samples / 5);
    return std::abs(exact.printed(samples, 5).a5 - exact.a5);
  };
  CHECK(difference(1000) > 0);
  CHECK(std::abs(difference(1000) / difference(2000) - 4) < 0.1);
}
