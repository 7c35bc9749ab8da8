// Arrays in NumPy's format (NumPy Enhancement Proposal 1), which most tools for numbers open.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/files/atomic_file.hpp"

namespace ness {

/// Numbers with a shape, the last index running fastest: what `numpy.load` returns.
struct NpyArray {
  std::vector<std::int64_t> shape;  ///< the extent in each dimension
  std::vector<double> values;       ///< as many as the product of the shape
};

namespace detail {

/// "{'descr': '<f8', …}" and what stands before it, a multiple of 64 bytes. `Text` is std::string,
/// a template argument only so that this is compiled where it is used.
template <class Text>
Text npy_header(const Text& kind, bool columns_first, const std::vector<std::int64_t>& shape);
template <class Text>
void write_npy(const Text& file, const Text& header, std::string_view values);
template <class Text>
NpyArray read_npy(const Text& file);

/// What the header of a .npy file says.
struct NpyLayout {
  std::vector<std::int64_t> shape;
  bool columns_first = false;
  std::size_t size = 0, start = 0;  ///< bytes of a number, and before the first of them
  void (*append)(std::string_view bytes, std::vector<double>& values) = nullptr;
};

template <class Text>
class NpyStream {
 public:
  /// Throws `FileError` for what is no array of numbers of one or two dimensions, cut short or
  /// longer than its shape says.
  explicit NpyStream(const Text& file);

  /// The first extent.
  Eigen::Index rows() const { return layout_.shape[0]; }
  /// The second one; 1 of an array of one dimension.
  Eigen::Index cols() const { return layout_.shape.size() == 2 ? layout_.shape[1] : 1; }
  /// Sets the rows of `block`, as many as it has, to those from `first` on. Throws `FileError`
  /// where they cannot be read, `std::invalid_argument` where there are not as many, or the columns
  /// are others.
  void read(Eigen::Index first, DynamicMatrix<double>& block);

 private:
  /// The next numbers from number `first` of the file on, `count` of them.
  void read_numbers(Eigen::Index first, Eigen::Index count);

  Text name_;
  InputFile<Text> input_;
  NpyLayout layout_;
  Text bytes_;
  std::vector<double> values_;
};

template <class Scalar>
std::string npy_kind() {
  static_assert(std::is_arithmetic_v<Scalar>, "ness: a .npy file holds numbers");
  const char letter = std::is_floating_point_v<Scalar> ? 'f' : std::is_signed_v<Scalar> ? 'i' : 'u';
  const char order = sizeof(Scalar) == 1 ? '|' : '<';  // of one byte there is none
  return std::string{order, letter} + std::to_string(sizeof(Scalar));
}

}  // namespace detail

/// Writes a matrix, or a vector as an array of one dimension, in its own precision:
///
///   ness::write_npy("covariance.npy", predicted.covariance());   // numpy.load("covariance.npy")
///
/// The file is written whole or not at all. Throws `FileError`.
template <class Derived>
void write_npy(const std::string& file, const Eigen::MatrixBase<Derived>& matrix) {
  using Scalar = typename Derived::Scalar;
  const DynamicMatrix<Scalar> values = matrix;
  std::vector<std::int64_t> shape{values.rows(), values.cols()};
  if constexpr (Derived::IsVectorAtCompileTime) shape = {values.size()};
  detail::write_npy(file, detail::npy_header(detail::npy_kind<Scalar>(), true, shape),
                    {reinterpret_cast<const char*>(values.data()),
                     sizeof(Scalar) * static_cast<std::size_t>(values.size())});
}

/// Writes an array of any dimension. Throws `FileError`, and `std::invalid_argument` where the
/// values are not as many as its shape says.
inline void write_npy(const std::string& file, const NpyArray& array) {
  std::int64_t count = 1;
  for (const std::int64_t size : array.shape) count *= size;
  if (count != static_cast<std::int64_t>(array.values.size()))
    detail::invalid("write_npy", "the values must be ", count, ", as the shape says, but are ",
                    array.values.size());
  detail::write_npy(
      file, detail::npy_header(detail::npy_kind<double>(), false, array.shape),
      {reinterpret_cast<const char*>(array.values.data()), sizeof(double) * array.values.size()});
}

/// Reads an array of numbers of any kind and dimension, as double. Throws `FileError` for what is
/// none, cut short or longer than its shape says.
inline NpyArray read_npy_array(const std::string& file) { return detail::read_npy(file); }

/// Reads an array of one or two dimensions; one of one is a column. Throws `FileError`, also for
/// more dimensions.
template <class Scalar = double>
DynamicMatrix<Scalar> read_npy(const std::string& file) {
  const NpyArray array = read_npy_array(file);
  if (array.shape.empty() || array.shape.size() > 2)
    throw FileError(file, "must have one or two dimensions, but has " +
                              std::to_string(array.shape.size()) + ": use read_npy_array");
  const std::int64_t cols = array.shape.size() == 2 ? array.shape[1] : 1;
  DynamicMatrix<Scalar> matrix(array.shape[0], cols);
  for (std::int64_t i = 0; i < matrix.rows(); ++i)
    for (std::int64_t j = 0; j < cols; ++j)
      matrix(i, j) = static_cast<Scalar>(array.values[static_cast<std::size_t>(i * cols + j)]);
  return matrix;
}

/// The rows of an array in a file that may be larger than memory, a block at a time, in any order
/// and as often as one wants; of numbers of any kind, as double:
///
///   ness::NpyRows states("states.npy");
///   Eigen::MatrixXd block(1000, states.cols());
///   states.read(5000, block);   // rows 5000 … 5999
///
/// Memory: a block. An array with columns first (Fortran's order, which `write_npy` makes of a
/// matrix) is read a piece of each column at a time.
using NpyRows = detail::NpyStream<std::string>;

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

namespace ness::detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";

template <class Text>
Text npy_header(const Text& kind, bool columns_first, const std::vector<std::int64_t>& shape) {
  static_assert(std::endian::native == std::endian::little);
  Text words = "{'descr': '" + kind + "', 'fortran_order': " + (columns_first ? "True" : "False") +
               ", 'shape': (";
  for (const std::int64_t size : shape) words += std::to_string(size) + ", ";
  words += "), }";
  Text header(npy_magic);
  header += {'\1', '\0', '\0', '\0'};
  words.append(64 - (header.size() + words.size() + 1) % 64, ' ').append(1, '\n');
  const auto size = static_cast<std::uint16_t>(words.size());
  std::memcpy(header.data() + 8, &size, sizeof(size));
  return header + words;
}

template <class Text>
void write_npy(const Text& file, const Text& header, std::string_view values) {
  AtomicFile<Text> output(file);
  output.write(header);
  output.write(values);
  if (const Text failure = output.finish(); !failure.empty())
    throw FileError(file, "cannot be written: " + failure);
}

/// What follows 'key': in a header, from the first letter that is no blank.
inline std::string_view after_key(std::string_view words, std::string_view key) {
  const std::size_t at = words.find("'" + std::string(key) + "'");
  if (at == std::string_view::npos) return {};
  words.remove_prefix(at + key.size() + 2);
  const std::size_t start = words.find_first_not_of(" :");
  return start == std::string_view::npos ? std::string_view() : words.substr(start);
}

/// The numbers between the brackets that `words` begins with; false where they are none.
inline bool read_shape(std::string_view words, std::vector<std::int64_t>& shape) {
  if (words.empty() || words.front() != '(') return false;
  words.remove_prefix(1);
  for (;;) {
    const std::size_t start = words.find_first_not_of(" ,");
    if (start == std::string_view::npos) return false;
    words.remove_prefix(start);
    if (words.front() == ')') return true;
    std::int64_t size = 0;
    const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), size);
    if (error != std::errc() || size < 0) return false;
    shape.push_back(size);
    words.remove_prefix(static_cast<std::size_t>(end - words.data()));
  }
}

template <class Number>
void append_as_double(std::string_view bytes, std::vector<double>& values) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Number)) {
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof(number));
    values.push_back(static_cast<double>(number));
  }
}

struct NpyKind {
  std::string_view name;
  std::size_t size;
  void (*append)(std::string_view, std::vector<double>&);
};

inline constexpr NpyKind npy_kinds[] = {
    {"<f8", 8, append_as_double<double>},        {"<f4", 4, append_as_double<float>},
    {"<i8", 8, append_as_double<std::int64_t>},  {"<i4", 4, append_as_double<std::int32_t>},
    {"<i2", 2, append_as_double<std::int16_t>},  {"|i1", 1, append_as_double<std::int8_t>},
    {"<u8", 8, append_as_double<std::uint64_t>}, {"<u4", 4, append_as_double<std::uint32_t>},
    {"<u2", 2, append_as_double<std::uint16_t>}, {"|u1", 1, append_as_double<std::uint8_t>},
    {"|b1", 1, append_as_double<std::uint8_t>}};

/// The values with the last index running fastest, of those with the first.
inline std::vector<double> rows_first(const std::vector<std::int64_t>& shape,
                                      const std::vector<double>& columns_first) {
  std::vector<double> result(columns_first.size());
  std::vector<std::int64_t> place(shape.size(), 0);
  for (const double value : columns_first) {
    std::int64_t at = 0;
    for (std::size_t k = 0; k < shape.size(); ++k) at = at * shape[k] + place[k];
    result[static_cast<std::size_t>(at)] = value;
    for (std::size_t k = 0; k < shape.size() && ++place[k] == shape[k]; ++k) place[k] = 0;
  }
  return result;
}

/// Reads the header, and leaves the file at the first number.
template <class Text>
NpyLayout npy_layout(const Text& file, InputFile<Text>& input) {
  const auto fail = [&](const Text& what) { throw FileError(file, what); };
  if (!input.found() || !input.failure().empty()) fail("cannot be read: " + input.failure());
  Text head, words;
  const bool begins = input.read(head, 10) && head.rfind(npy_magic, 0) == 0;
  if (!input.failure().empty()) fail("cannot be read: " + input.failure());
  if (!begins) fail("is no .npy file: it must begin with \\x93NUMPY");
  std::uint32_t size = 0;
  if (head[6] == '\1') {
    std::memcpy(&size, head.data() + 8, 2);
  } else {  // versions 2 and 3 have a header of any size
    Text more;
    if (!input.read(more, 2)) fail("is cut short: its header is not whole");
    head += more;
    std::memcpy(&size, head.data() + 8, 4);
  }
  if (!input.read(words, size)) fail("is cut short: its header is not whole");

  NpyLayout layout;
  const std::string_view kind = after_key(words, "descr");
  layout.columns_first = after_key(words, "fortran_order").substr(0, 4) == "True";
  layout.start = head.size() + words.size();
  if (!read_shape(after_key(words, "shape"), layout.shape))
    fail("has a header without a shape: " + words);
  for (const NpyKind& known : npy_kinds)
    if (kind.substr(0, 1) == "'" && kind.substr(1, 3) == known.name)
      layout.size = known.size, layout.append = known.append;
  if (layout.size == 0)
    fail("must hold real numbers in little-endian order, such as '<f8', but says " + words);
  std::size_t count = 1;
  bool fits = true;
  for (const std::int64_t extent : layout.shape) {
    const auto factor = static_cast<std::size_t>(extent);
    fits = fits && (factor == 0 || count <= std::numeric_limits<std::size_t>::max() / 64 / factor);
    if (fits) count *= factor;
  }
  if (!fits || count * layout.size != input.left())
    fail("must have as many bytes as its shape says, but has " + std::to_string(input.left()) +
         " after the header " + words);
  return layout;
}

template <class Text>
NpyArray read_npy(const Text& file) {
  InputFile<Text> input(file);
  const NpyLayout layout = npy_layout(file, input);
  NpyArray array{layout.shape, {}};
  Text bytes;
  if (!input.read(bytes, input.left())) throw FileError(file, "cannot be read: " + input.failure());
  array.values.reserve(bytes.size() / layout.size);
  layout.append(bytes, array.values);
  if (layout.columns_first) array.values = rows_first(array.shape, array.values);
  return array;
}

template <class Text>
NpyStream<Text>::NpyStream(const Text& file)
    : name_(file), input_(file), layout_(npy_layout(file, input_)) {
  if (layout_.shape.empty() || layout_.shape.size() > 2)
    throw FileError(
        file, "must have one or two dimensions, but has " + std::to_string(layout_.shape.size()));
}

template <class Text>
void NpyStream<Text>::read_numbers(Eigen::Index first, Eigen::Index count) {
  const std::size_t size = layout_.size;
  if (!input_.seek(layout_.start + size * static_cast<std::size_t>(first)) ||
      !input_.read(bytes_, size * static_cast<std::size_t>(count)))
    throw FileError(name_, "cannot be read: " + input_.failure());
  values_.clear();
  layout_.append(bytes_, values_);
}

template <class Text>
void NpyStream<Text>::read(Eigen::Index first, DynamicMatrix<double>& block) {
  const Eigen::Index count = block.rows(), n = cols();
  require_size(block, count, n, "NpyRows::read", "block");
  if (first < 0 || first + count > rows())
    invalid("NpyRows::read", "rows must be in 0 ... ", rows() - 1, ", but are ", first, " ... ",
            first + count - 1);
  if (layout_.columns_first) {
    for (Eigen::Index j = 0; j < n; ++j) {
      read_numbers(j * rows() + first, count);
      for (Eigen::Index i = 0; i < count; ++i) block(i, j) = values_[static_cast<std::size_t>(i)];
    }
    return;
  }
  read_numbers(first * n, count * n);
  for (Eigen::Index i = 0; i < count; ++i)
    for (Eigen::Index j = 0; j < n; ++j) block(i, j) = values_[static_cast<std::size_t>(i * n + j)];
}

}  // namespace ness::detail
#endif
