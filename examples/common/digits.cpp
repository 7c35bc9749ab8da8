#include "digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ness/random/normal.hpp>
#include <ness/random/philox.hpp>
#include <ness/random/uniform.hpp>
#include <utility>

#include "idx.hpp"
#include "user_error.hpp"

namespace {

using Image = std::array<std::uint8_t, static_cast<std::size_t>(pixels* pixels)>;

void block_means(const Image& image, Eigen::Ref<Eigen::VectorXd> means) {
  means.setZero();
  for (Eigen::Index row = 0; row < pixels; ++row)
    for (Eigen::Index column = 0; column < pixels; ++column)
      means[row / block_pixels * blocks + column / block_pixels] +=
          image[static_cast<std::size_t>(row * pixels + column)];
  means /= 255.0 * block_pixels * block_pixels;
}

/// Of a file: those of its images that are kept, and how many it holds.
struct Features {
  Eigen::MatrixXd kept;
  Eigen::Index held;
};

/// The first `samples` images, all for 0; the others are read, to see whether the file is whole.
/// `fill(image, column)` makes the features of one, of which there are `size`.
template <class Fill>
Features read_features(const std::string& path, Eigen::Index size, std::int64_t samples,
                       const Fill& fill) {
  IdxFile file(path, 3, "images");
  if (file.sizes()[1] != pixels || file.sizes()[2] != pixels)
    file.fail("announces images of " + std::to_string(file.sizes()[1]) + " x " +
              std::to_string(file.sizes()[2]) + " pixels at byte 8: they must be 28 x 28");
  Image image;
  // The header is not believed before the data are there.
  constexpr Eigen::Index portion = 10'000;
  const auto count = static_cast<Eigen::Index>(file.count());
  require_option(samples <= count, "--samples",
                 "be at most the number of images, " + std::to_string(count), samples,
                 "use 0 for all");
  const Eigen::Index kept = samples == 0 ? count : static_cast<Eigen::Index>(samples);
  Features features{Eigen::MatrixXd(size, std::min(kept, portion)), count};
  for (Eigen::Index i = 0; i < count; ++i) {
    file.read(image);
    if (i >= kept) continue;
    if (i == features.kept.cols())
      features.kept.conservativeResize(Eigen::NoChange, std::min(kept, 2 * features.kept.cols()));
    fill(image, features.kept.col(i));
  }
  file.expect_end();
  return features;
}

Features read_means(const std::string& path, std::int64_t samples) {
  return read_features(path, digit_features, samples, block_means);
}
Features read_all_pixels(const std::string& path, std::int64_t samples) {
  return read_features(path, pixels * pixels, samples, [](const Image& image, auto column) {
    for (Eigen::Index k = 0; k < column.size(); ++k)
      column[k] = image[static_cast<std::size_t>(k)] / 255.0;
  });
}

Digits with_labels(const std::string& images, const std::string& labels, Features features) {
  Digits digits{std::move(features.kept), read_labels(labels)};
  if (features.held != static_cast<Eigen::Index>(digits.labels.size()))
    throw UserError("'" + images + "' holds " + std::to_string(features.held) + " images and '" +
                    labels + "' " + std::to_string(digits.labels.size()) +
                    " labels (byte 4 of each): they must be of the same set");
  digits.labels.resize(static_cast<std::size_t>(digits.features.cols()));
  return digits;
}

/// Brightness of each feature, 49 × 10.
Eigen::MatrixXd shapes_of_digits(ness::Philox& random) {
  Eigen::MatrixXd shapes(digit_features, digit_classes);
  const auto from_centre = [](Eigen::Index at) {
    return std::abs(static_cast<double>(at) - 3) / 3.5;
  };
  for (Eigen::Index k = 0; k < digit_classes; ++k)
    for (Eigen::Index f = 0; f < digit_features; ++f) {
      const double r = std::max(from_centre(f / blocks), from_centre(f % blocks));
      shapes(f, k) = 0.8 * (1 - r * r) * ness::uniform_real(random);
    }
  return shapes;
}

}  // namespace

void add_digit_options(CommandLine& line, DigitOptions& options) {
  line.add("--images", options.images, "FILE",
           "The training images, IDX, plain or gzip, with --labels. To get MNIST run  cmake -P "
           "examples/mnist/get_mnist.cmake");
  line.add("--labels", options.labels, "FILE", "Their labels, IDX, plain or gzip");
  line.add("--synthetic", options.synthetic, "Use made-up data of the same shape instead");
  line.add("--samples", options.samples, "Use only the first so many samples; 0: all");
}

void check_digit_options(const DigitOptions& options) {
  if (options.images.empty() != options.labels.empty())
    throw UserError("--images and --labels go together, but only one is there: give the other");
  if (options.synthetic && !options.images.empty())
    throw UserError("--synthetic goes without --images and --labels: choose one of the two");
  if (!options.synthetic && options.images.empty())
    throw UserError(
        "there are no data: give --images FILE and --labels FILE; to get MNIST, run  cmake -P "
        "examples/mnist/get_mnist.cmake  ; or use --synthetic");
  constexpr std::int64_t many = 1'000'000;
  require_option(options.samples >= 0 && options.samples <= many, "--samples",
                 "be in 0 ... " + std::to_string(many), options.samples, "use 0 for all");
}

Eigen::MatrixXd read_images(const std::string& path) { return read_means(path, 0).kept; }

std::vector<std::uint8_t> read_labels(const std::string& path) {
  IdxFile file(path, 1, "labels");
  std::vector<std::uint8_t> labels;
  for (std::uint32_t i = 0; i < file.count(); ++i) {
    std::uint8_t label = 0;
    file.read({&label, 1});
    if (label >= digit_classes)
      file.fail("has the label " + std::to_string(label) + " at byte " +
                std::to_string(file.position() - 1) + " (sample " + std::to_string(i) +
                ", counted from 0): it must be 0 ... 9");
    labels.push_back(label);
  }
  file.expect_end();
  return labels;
}

Digits read_digits(const std::string& images, const std::string& labels, std::int64_t samples) {
  return with_labels(images, labels, read_means(images, samples));
}

Digits read_pixel_digits(const std::string& images, const std::string& labels,
                         std::int64_t samples) {
  return with_labels(images, labels, read_all_pixels(images, samples));
}

Eigen::MatrixXd spread_over_pixels(const Eigen::MatrixXd& features) {
  Eigen::MatrixXd result(pixels * pixels, features.cols());
  for (Eigen::Index row = 0; row < pixels; ++row)
    for (Eigen::Index column = 0; column < pixels; ++column)
      result.row(row * pixels + column) =
          features.row(row / block_pixels * blocks + column / block_pixels);
  return result;
}

Eigen::MatrixXd one_hot(const std::vector<std::uint8_t>& labels) {
  Eigen::MatrixXd targets =
      Eigen::MatrixXd::Zero(digit_classes, static_cast<Eigen::Index>(labels.size()));
  for (std::size_t i = 0; i < labels.size(); ++i)
    targets(labels[i], static_cast<Eigen::Index>(i)) = 1;
  return targets;
}

Digits synthetic_digits(Eigen::Index samples, std::uint64_t stream) {
  constexpr std::uint64_t seed = 2306'03521;  // the data are the same for every --seed
  ness::Philox random(seed);
  ness::Normal normal;
  const Eigen::MatrixXd shapes = shapes_of_digits(random);
  if (stream > 0) random = ness::Philox(seed, stream);
  Digits digits{Eigen::MatrixXd(digit_features, samples), {}};
  for (Eigen::Index i = 0; i < samples; ++i) {
    const auto label = static_cast<Eigen::Index>(ness::uniform_index(random, digit_classes));
    digits.labels.push_back(static_cast<std::uint8_t>(label));
    const double brightness = 0.6 + 0.8 * ness::uniform_real(random);
    for (Eigen::Index f = 0; f < digit_features; ++f)
      digits.features(f, i) =
          std::clamp(shapes(f, label) * (brightness + 0.3 * normal(random)), 0.0, 1.0);
  }
  return digits;
}
