// The reader of IDX files: what it reads, and that whatever is wrong with a file is told.
#include <zlib.h>

#include <iostream>
#include <string>

#include "examples/common/digits.hpp"
#include "examples/common/user_error.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/uniform.hpp"
#include "support/catch.hpp"
#include "temporary_folder.hpp"

namespace {

using Bytes = std::string;

Bytes big_endian(std::uint32_t number) {
  Bytes bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xFF);
  return bytes;
}

Bytes labels_of(const std::vector<int>& labels) {
  Bytes bytes = big_endian(0x801) + big_endian(static_cast<std::uint32_t>(labels.size()));
  for (const int label : labels) bytes += static_cast<char>(label);
  return bytes;
}

/// Pixel p of image i is (7p + 31i) mod 256.
Bytes images_of(std::uint32_t count) {
  Bytes bytes = big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28);
  for (std::uint32_t i = 0; i < count; ++i)
    for (std::uint32_t p = 0; p < 784; ++p) bytes += static_cast<char>((7 * p + 31 * i) % 256);
  return bytes;
}

Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes result(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<unsigned>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<unsigned>(result.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

}  // namespace

TEST_CASE("Images become 7 x 7 block means over 255, row by row, plain or gzip") {
  const TemporaryFolder folder;
  const Bytes bytes = images_of(3);
  const Eigen::MatrixXd plain = read_images(folder.write("images", bytes));
  REQUIRE(plain.rows() == 49);
  REQUIRE(plain.cols() == 3);
  for (int i = 0; i < 3; ++i)
    for (int block = 0; block < 49; ++block) {
      double sum = 0;
      for (int row = 0; row < 4; ++row)
        for (int column = 0; column < 4; ++column) {
          const int p = (block / 7 * 4 + row) * 28 + block % 7 * 4 + column;
          sum += (7 * p + 31 * i) % 256;
        }
      CHECK(std::abs(plain(block, i) - sum / (16 * 255)) <= 1e-15);
    }
  CHECK(read_images(folder.write("images.gz", gzip(bytes))) == plain);
  CHECK(read_images(folder.write("no_ending", gzip(bytes))) == plain);
  const std::vector<std::uint8_t> labels{0, 9, 3};
  CHECK(read_labels(folder.write("labels", labels_of({0, 9, 3}))) == labels);
  CHECK(read_labels(folder.write("labels.gz", gzip(labels_of({0, 9, 3})))) == labels);
  const Eigen::MatrixXd targets = one_hot(labels);
  CHECK(targets.colwise().sum() == Eigen::RowVectorXd::Ones(3));
  CHECK((targets(0, 0) == 1 && targets(9, 1) == 1 && targets(3, 2) == 1));
  // More images than are made room for at first.
  CHECK(read_images(folder.write("many", images_of(10'001))).cols() == 10'001);
}

TEST_CASE("Whatever is wrong with a file is told, with its name and the byte") {
  const TemporaryFolder folder;
  const auto images = [&](const Bytes& bytes, const std::string& name = "file") {
    return [&folder, bytes, name] { return read_images(folder.write(name, bytes)); };
  };
  const auto labels = [&](const Bytes& bytes, const std::string& name = "file") {
    return [&folder, bytes, name] { return read_labels(folder.write(name, bytes)); };
  };
  const Bytes good = images_of(2);
  CHECK_THROWS_WITH(read_images((folder.path / "none").string()),
                    contains("cannot open") && contains("No such file") &&
                        contains("get_mnist.cmake") && contains("--synthetic"));
  CHECK_THROWS_WITH(read_images(folder.path.string()), contains("it is a folder"));
  CHECK_THROWS_WITH(images("")(), contains("ends after 0 bytes, within its header"));
  CHECK_THROWS_WITH(images(good.substr(0, 9))(), contains("ends after 9 bytes, within its header"));
  CHECK_THROWS_WITH(images(labels_of({1, 2}))(),
                    contains("magic number 0x00000801 at byte 0") && contains("0x00000803") &&
                        contains("are --images and --labels exchanged?"));
  CHECK_THROWS_WITH(images("text, not data")(),
                    contains("magic number 0x74657874") && contains("is it the right file?"));
  CHECK_THROWS_WITH(labels(good)(), contains("exchanged?"));
  CHECK_THROWS_WITH(images(good.substr(0, good.size() - 1))(),
                    contains("ends after 1583 bytes, but its header announces 1584"));
  CHECK_THROWS_WITH(images(good + "x")(), contains("goes on after byte 1584"));
  CHECK_THROWS_WITH(labels(labels_of({1, 2}) + "x")(), contains("goes on after byte 10"));
  CHECK_THROWS_WITH(labels(labels_of({1, 2}).substr(0, 9))(), contains("announces 10"));
  CHECK_THROWS_WITH(labels(labels_of({1, 10, 2}))(),
                    contains("has the label 10 at byte 9 (sample 1, counted from 0)") &&
                        contains("must be 0 ... 9"));
  CHECK_THROWS_WITH(labels(labels_of({}))(), contains("announces 0 labels at byte 4"));
  CHECK_THROWS_WITH(images(big_endian(0x803) + big_endian(1) + big_endian(32) + big_endian(28))(),
                    contains("images of 32 x 28 pixels at byte 8") && contains("must be 28 x 28"));
  // A header that announces the most there can be takes no memory.
  CHECK_THROWS_WITH(images(big_endian(0x803) + big_endian(~0U) + big_endian(28) + big_endian(28))(),
                    contains("header announces 3367254359296"));
  CHECK_THROWS_WITH(images(good, "file.gz")(), contains("is named .gz, but is not compressed"));
  const Bytes packed = gzip(good);
  CHECK_THROWS_WITH(images(packed.substr(0, packed.size() / 2), "file.gz")(),
                    contains("damaged or cut short"));
  CHECK_THROWS_WITH(images(packed.substr(0, packed.size() - 3), "file.gz")(),
                    contains("damaged or cut short"));
  Bytes bad_sum = packed;
  bad_sum[packed.size() - 6] ^= 1;
  CHECK_THROWS_WITH(images(bad_sum, "file.gz")(), contains("damaged or cut short"));
  CHECK_THROWS_WITH(read_digits(folder.write("i", good), folder.write("l", labels_of({1, 2, 3}))),
                    contains("holds 2 images") && contains("3 labels"));
}

TEST_CASE("The first images are those of all, and the whole file is looked at") {
  const TemporaryFolder folder;
  const std::string images = folder.write("i", images_of(4));
  const std::string labels = folder.write("l", labels_of({1, 2, 3, 9}));
  for (const auto& [all, some] :
       {std::pair{read_digits(images, labels), read_digits(images, labels, 3)},
        std::pair{read_pixel_digits(images, labels), read_pixel_digits(images, labels, 3)}}) {
    CHECK(all.features.cols() == 4);
    CHECK(some.features == all.features.leftCols(3));
    CHECK(some.labels == std::vector<std::uint8_t>{1, 2, 3});
  }
  CHECK_THROWS_WITH(read_digits(images, labels, 5),
                    contains("--samples must be at most the number of images, 4, but is 5"));
  const Bytes cut = images_of(4).substr(0, 3000);
  CHECK_THROWS_WITH(read_digits(folder.write("cut", cut), labels, 1), contains("cut short"));
}

TEST_CASE("Files changed at random are read or refused, and nothing else happens") {
  const TemporaryFolder folder;
  ness::Philox random(5);
  const auto below = [&](std::size_t bound) {
    return std::size_t{ness::uniform_index(random, static_cast<std::uint32_t>(bound))};
  };
  const std::vector<Bytes> seeds{images_of(2), gzip(images_of(2)), labels_of({1, 2, 3, 9, 0}),
                                 gzip(labels_of({1, 2, 3, 9, 0}))};
  const auto change = [&](Bytes& bytes) {
    const std::size_t at = bytes.empty() ? 0 : below(bytes.size());
    switch (below(6)) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        if (!bytes.empty()) bytes[std::min(at, below(24))] = static_cast<char>(below(256));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(at, below(40), static_cast<char>(below(256)));
        break;
      case 4:
        bytes.erase(at, below(40));
        break;
      default:
        bytes += seeds[below(seeds.size())].substr(0, below(100));
    }
  };
  constexpr int inputs = 20'000;
  int refused = 0;
  for (int k = 0; k < inputs; ++k) {
    Bytes bytes = seeds[below(seeds.size())];
    for (std::size_t n = 1 + below(3); n > 0; --n) change(bytes);
    const std::string name = folder.write(below(2) == 0 ? "file" : "file.gz", bytes);
    try {
      if (below(2) == 0) {
        const Eigen::MatrixXd features = read_images(name);
        if (!(features.minCoeff() >= 0 && features.maxCoeff() <= 1))
          FAIL("features beyond 0 ... 1");
      } else {
        for (const std::uint8_t label : read_labels(name))
          if (label > 9) FAIL("a label above 9");
      }
    } catch (const UserError& error) {
      ++refused;
      if (std::string(error.what()).find(name) == std::string::npos) FAIL(error.what());
    }
  }
  std::cout << inputs << " changed files: " << refused << " refused, " << inputs - refused
            << " read\n";
  CHECK(refused > inputs / 2);
  CHECK(refused < inputs);
}
