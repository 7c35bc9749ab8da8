// Files in NumPy's format: bytes as NumPy writes them, there and back, and all that is wrong with
// others.
#include "ness/files/npy.hpp"

#include <filesystem>
#include <stdexcept>

#include "ness/random/philox.hpp"
#include "support/catch.hpp"
#include "support/generic_values.hpp"
#include "support/temporary_file.hpp"

namespace {

using Eigen::MatrixXd;
using namespace std::string_literals;

/// A header of version 1 as NumPy writes it.
std::string header(const std::string& words) {
  std::string padded = words;
  padded.append(64 - (10 + words.size() + 1) % 64, ' ').append(1, '\n');
  return "\x93NUMPY\x01\x00"s + static_cast<char>(padded.size()) + "\0"s + padded;
}

std::string bytes_of(const auto& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(numbers[0])};
}

void check_refused(const std::string& bytes, const std::string& words) {
  const TemporaryFile file;
  file.write(bytes);
  CHECK_THROWS_WITH(ness::read_npy(file.name), contains(words) && contains(file.name));
}

}  // namespace

TEST_CASE("matrices and vectors are written byte by byte as NumPy does") {
  const TemporaryFile file;
  const Eigen::Matrix<double, 2, 3> matrix{{1, 2, 3}, {4, 5, 6}};
  ness::write_npy(file.name, matrix);
  CHECK(file.contents() == header("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3, ), }") +
                               bytes_of(std::vector<double>{1, 4, 2, 5, 3, 6}));
  ness::write_npy(file.name, Eigen::Vector3f(1, 2, 3));
  CHECK(file.contents() == header("{'descr': '<f4', 'fortran_order': True, 'shape': (3, ), }") +
                               bytes_of(std::vector<float>{1, 2, 3}));
  ness::write_npy(file.name, ness::NpyArray{{1, 2, 1}, {7, 8}});
  CHECK(file.contents() ==
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 1, ), }") +
            bytes_of(std::vector<double>{7, 8}));
  CHECK(file.contents().size() % 8 == 0);
  CHECK_FALSE(std::filesystem::exists(file.name + ".partial"));
  const TemporaryFile link;  // is followed
  std::filesystem::create_symlink(file.name, link.name);
  ness::write_npy(link.name, MatrixXd::Ones(1, 3).eval());
  CHECK(std::filesystem::is_symlink(link.name));
  CHECK(ness::read_npy(file.name) == MatrixXd::Ones(1, 3));
}

TEST_CASE("what was written is read again, to the last bit") {
  const TemporaryFile file;
  const MatrixXd matrix = generic_values(5, 7, 1);
  ness::write_npy(file.name, matrix);
  CHECK(ness::read_npy(file.name) == matrix);
  ness::write_npy(file.name, matrix.block(1, 2, 3, 4).transpose());
  CHECK(ness::read_npy(file.name) == matrix.block(1, 2, 3, 4).transpose());
  const Eigen::Matrix<std::int8_t, 2, 1> bytes(-3, 100);
  ness::write_npy(file.name, bytes);
  CHECK(ness::read_npy<std::int8_t>(file.name) == bytes);
  ness::write_npy(file.name, MatrixXd(0, 3));
  CHECK(ness::read_npy(file.name).cols() == 3);
  const ness::NpyArray array{{2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
  ness::write_npy(file.name, array);
  CHECK(ness::read_npy_array(file.name).shape == array.shape);
  CHECK(ness::read_npy_array(file.name).values == array.values);
}

TEST_CASE("numbers of every kind, order and version are read") {
  const TemporaryFile file;
  const auto read = [&](const std::string& bytes) {
    file.write(bytes);
    return ness::read_npy_array(file.name).values;
  };
  const std::vector<double> expected{1, 2, 3, 4, 5, 6};
  CHECK(read(header("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }") +
             bytes_of(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6})) == expected);
  CHECK(read(header("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }") +
             "\1\4\2\5\3\6"s) == expected);
  CHECK(read(header("{'shape': (6,), 'fortran_order': False, 'descr': '<f4'}") +
             bytes_of(std::vector<float>{1, 2, 3, 4, 5, 6})) == expected);
  // The first index fastest, of three.
  std::vector<std::int64_t> mixed;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) mixed.push_back(100 * i + 10 * j + k);
  CHECK(read(header("{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3, 2), }") +
             bytes_of(mixed)) ==
        std::vector<double>{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});
  // Version 2 has four bytes for the length of its header.
  std::string second = header("{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }") + "\7";
  second[6] = '\2';
  second.insert(10, "\0\0"s);
  CHECK(read(second) == std::vector<double>{7});
  CHECK(read(header("{'descr': '<f8', 'fortran_order': False, 'shape': (), }") +
             bytes_of(std::vector<double>{2.5})) == std::vector<double>{2.5});
}

TEST_CASE("what is no array is refused, with its name and what is wrong") {
  const std::string one = bytes_of(std::vector<double>{1});
  check_refused("", "is no .npy file");
  check_refused("PK\3\4 a zip file of NumPy", "is no .npy file");
  check_refused(header("{'descr': '<f8'").substr(0, 30), "its header is not whole");
  check_refused(header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }") + one,
                "as many bytes as its shape says, but has 8");
  check_refused(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }") + one + one,
                "but has 16");
  check_refused(header("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }") + one,
                "little-endian");
  check_refused(header("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }") + one + one,
                "real numbers");
  check_refused(header("{'descr': '<f8', 'fortran_order': False, }") + one, "without a shape");
  check_refused(header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }") + one,
                "without a shape");
  check_refused(header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, "
                       "4294967297), }") +
                    one,
                "as many bytes");
  check_refused(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1), }") + one,
                "one or two dimensions, but has 3");
  CHECK_THROWS_WITH(ness::read_npy("/no/such/file"), contains("No such file"));
  CHECK_THROWS_WITH(ness::read_npy("/"), contains("'/' cannot be read"));
  CHECK_THROWS_WITH(ness::write_npy("/no/such/folder/file", MatrixXd::Zero(1, 1).eval()),
                    contains("cannot be written"));
  CHECK_THROWS_WITH(ness::write_npy("/dev/full", MatrixXd::Zero(1, 1).eval()),
                    contains("cannot be written"));
  CHECK_THROWS_WITH(ness::write_npy("x", ness::NpyArray{{2}, {1}}),
                    contains("the values must be 2, as the shape says, but are 1"));
}

TEST_CASE("no change of bytes is read as more than there is, or brings the reader down") {
  const TemporaryFile file;
  const MatrixXd matrix = generic_values(3, 4, 1);
  ness::write_npy(file.name, matrix);
  const std::string good = file.contents();
  ness::Philox random(1, 0);
  int refused = 0;
  for (int round = 0; round < 4'000; ++round) {
    std::string bytes = good;
    for (int change = 0; change < 1 + round % 3; ++change) {
      const std::size_t at = random() % bytes.size();
      if (random() % 4 == 0)
        bytes.erase(at, random() % 5);
      else
        bytes[at] = static_cast<char>(random());
      if (bytes.empty()) bytes = "x";
    }
    file.write(bytes);
    try {
      const std::size_t count = ness::read_npy_array(file.name).values.size();
      CHECK(count <= bytes.size());
    } catch (const ness::FileError&) {
      ++refused;
    }
  }
  CHECK(refused > 1'000);
  CHECK(refused < 4'000);
}

TEST_CASE("rows are read from anywhere in the file, in either order and any kind of numbers") {
  const TemporaryFile file;
  const MatrixXd matrix = generic_values<MatrixXd>(50, 3, 4);
  const auto check = [&](const MatrixXd& wanted) {
    ness::NpyRows rows(file.name);
    REQUIRE(rows.rows() == wanted.rows());
    REQUIRE(rows.cols() == wanted.cols());
    for (const auto& [first, count] :
         {std::pair{0, 20}, {20, 30}, {19, 1}, {0, 50}, {49, 1}, {7, 0}, {0, 3}}) {
      MatrixXd block(count, wanted.cols());
      rows.read(first, block);
      CHECK(block == wanted.middleRows(first, count));
    }
  };
  ness::write_npy(file.name, matrix);  // columns first
  check(matrix);
  ness::write_npy(file.name, matrix.cast<float>().eval());
  check(matrix.cast<float>().cast<double>());
  ness::write_npy(file.name, matrix.col(1).eval());
  check(matrix.col(1));
  ness::NpyArray array{{50, 3}, {}};
  for (Eigen::Index i = 0; i < 50; ++i)
    for (Eigen::Index j = 0; j < 3; ++j) array.values.push_back(matrix(i, j));
  ness::write_npy(file.name, array);
  check(matrix);

  ness::NpyRows rows(file.name);
  MatrixXd block(2, 3), wide(2, 4);
  CHECK_THROWS_WITH(rows.read(49, block), contains("rows must be in 0 ... 49, but are 49 ... 50"));
  CHECK_THROWS_WITH(rows.read(-1, block), contains("but are -1 ... 0"));
  CHECK_THROWS_WITH(rows.read(0, wide), contains("block must be 2 x 3, but is 2 x 4"));
  ness::write_npy(file.name, ness::NpyArray{{1, 2, 1}, {7, 8}});
  CHECK_THROWS_WITH(ness::NpyRows(file.name), contains("must have one or two dimensions"));
  CHECK_THROWS_WITH(ness::NpyRows(file.name + ".none"), contains("cannot be read"));
}
