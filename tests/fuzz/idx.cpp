// Images and labels of the IDX format, plain and compressed.
#include <zlib.h>

#include <cstdlib>

#include "examples/common/digits.hpp"
#include "examples/common/user_error.hpp"
#include "fuzz.hpp"
#include "support/temporary_file.hpp"

namespace {

std::string big_endian(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 255U);
  return bytes;
}

std::string compressed(const std::string& bytes) {
  const TemporaryFile file;
  const gzFile out = gzopen(file.name.c_str(), "wb");
  gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(out);
  return file.contents();
}

}  // namespace

std::vector<std::string> good_files() {
  const std::string images =
      big_endian(0x803) + big_endian(1) + big_endian(28) + big_endian(28) + std::string(784, '\7');
  const std::string labels = big_endian(0x801) + big_endian(3) + std::string("\1\0\11", 3);
  return {images, labels, compressed(images), compressed(labels)};
}

void read_file(const std::string& name, std::size_t bytes) {
  const std::size_t most = 1100 * (bytes + 1);  // what gzip can make of them
  try {
    const Eigen::MatrixXd means = read_images(name);
    if (static_cast<std::size_t>(means.cols()) * pixels * pixels > most) std::abort();
    if (!(means.array() >= 0 && means.array() <= 1).all()) std::abort();
  } catch (const UserError&) {
  }
  try {
    const std::vector<std::uint8_t> labels = read_labels(name);
    if (labels.size() > most) std::abort();
    for (const std::uint8_t label : labels)
      if (label >= digit_classes) std::abort();
  } catch (const UserError&) {
  }
}
