#include "ness/detail/fingerprint.hpp"

#include <Eigen/Core>
#include <bit>
#include <cstdint>

#include "support/catch.hpp"

namespace {

template <class... Values>
std::uint64_t fingerprint(const Values&... values) {
  ness::detail::Fingerprint result;
  (result.add(values), ...);
  return result.value();
}

}  // namespace

TEST_CASE("The fingerprint of the eight letters 'chongo w' is their FNV-1a") {
  CHECK(fingerprint() == 0xCBF29CE484222325);
  CHECK(fingerprint(std::bit_cast<double>(std::uint64_t{0x77206F676E6F6863})) ==
        0xD1EDD10B507344D0);
}

TEST_CASE("A matrix is its elements column by column, whatever expression and scalar it is") {
  const Eigen::Matrix2d matrix{{1, 2}, {3, 4}};
  CHECK(fingerprint(matrix) == fingerprint(1., 3., 2., 4.));
  CHECK(fingerprint(matrix.transpose()) == fingerprint(1., 2., 3., 4.));
  CHECK(fingerprint(Eigen::MatrixXf(matrix.cast<float>())) == fingerprint(matrix));
  CHECK(fingerprint(matrix.row(1)) == fingerprint(3., 4.));
}

TEST_CASE("Another number, order or bit is another fingerprint; the sign of zero is not") {
  CHECK(fingerprint(1.) != fingerprint(2.));
  CHECK(fingerprint(1., 2.) != fingerprint(2., 1.));
  CHECK(fingerprint(0.1 + 0.2) != fingerprint(0.3));
  CHECK(fingerprint(1.) != fingerprint(-1.));
  CHECK(fingerprint(-0.) == fingerprint(0.));
}
