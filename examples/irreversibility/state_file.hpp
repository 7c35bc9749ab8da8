// States in a file that need not fit in memory.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <fstream>
#include <memory>
#include <ness/files/npy.hpp>
#include <string>
#include <vector>

/// Rows of numbers with blanks, tabs, commas or semicolons between them; `#` begins a remark, and
/// lines without a number do not count. A `ness::StateSource`.
class TextStates {
 public:
  /// Reads all of it once, to count. Throws `UserError`, with the line, for what is no number or
  /// not finite, and rows of different lengths.
  explicit TextStates(const std::string& path);

  Eigen::Index rows() const { return rows_; }
  Eigen::Index cols() const { return cols_; }
  void read(Eigen::Index first, Eigen::MatrixXd& block);

 private:
  bool next_row();
  void rewind();

  std::string path_, line_;
  std::ifstream file_;
  std::size_t line_number_ = 0;
  Eigen::Index rows_ = 0, cols_ = 0, at_ = 0;
  std::vector<double> row_;
};

/// Either kind of file, by its first bytes. A `ness::StateSource`.
class StateFile {
 public:
  /// Throws `UserError` for a file that is not there or holds no states.
  explicit StateFile(const std::string& path);

  Eigen::Index rows() const { return npy_ ? npy_->rows() : text_->rows(); }
  Eigen::Index cols() const { return npy_ ? npy_->cols() : text_->cols(); }
  void read(Eigen::Index first, Eigen::MatrixXd& block) {
    if (npy_)
      npy_->read(first, block);
    else
      text_->read(first, block);
  }

 private:
  std::unique_ptr<ness::NpyRows> npy_;
  std::unique_ptr<TextStates> text_;
};
