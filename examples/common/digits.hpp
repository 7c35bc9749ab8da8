// The data of Sec. 4.2: digits of 28 × 28 pixels as 7 × 7 block means, and their labels.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "command_line.hpp"

inline constexpr Eigen::Index digit_classes = 10;
inline constexpr Eigen::Index pixels = 28;       ///< of an image, each way
inline constexpr Eigen::Index block_pixels = 4;  ///< of a block, each way
inline constexpr Eigen::Index blocks = pixels / block_pixels;
inline constexpr Eigen::Index digit_features = blocks * blocks;

/// Which digits a program works on.
struct DigitOptions {
  std::string images, labels;  ///< empty: none
  bool synthetic = false;
  std::int64_t samples = 0;  ///< the first ones; 0: all
};

void add_digit_options(CommandLine& line, DigitOptions& options);

/// Throws `UserError` where files go without each other, or there are none.
void check_digit_options(const DigitOptions& options);

/// Features in [0, 1], 49 × M, and labels 0 ... 9, M.
struct Digits {
  Eigen::MatrixXd features;
  std::vector<std::uint8_t> labels;
};

/// The images of an IDX file, 49 × M: the means of 4 × 4 blocks over 255, row by row. Throws
/// `UserError` that says what is wrong and where.
Eigen::MatrixXd read_images(const std::string& path);

/// The labels of an IDX file. Throws `UserError` that says what is wrong and where.
std::vector<std::uint8_t> read_labels(const std::string& path);

/// The first `samples` images and their labels, all for 0: the option --samples. Throws
/// `UserError`, also where the two are not equally many, or fewer.
Digits read_digits(const std::string& images, const std::string& labels, std::int64_t samples = 0);

/// The same with all pixels.
Digits read_pixel_digits(const std::string& images, const std::string& labels,
                         std::int64_t samples = 0);

/// Each block mean at all of its pixels: 784 × M, for made-up digits.
Eigen::MatrixXd spread_over_pixels(const Eigen::MatrixXd& features);

/// One column a sample, 1 in the row of its label: 10 × M.
Eigen::MatrixXd one_hot(const std::vector<std::uint8_t>& labels);

/// Made-up digits: ten blurred shapes of random brightness with noise, dark towards the border.
/// `stream` 0 is for training, 1 for tests: the same shapes, other samples.
Digits synthetic_digits(Eigen::Index samples, std::uint64_t stream = 0);
