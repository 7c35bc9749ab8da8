#include "state_file.hpp"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "../common/user_error.hpp"

namespace {

constexpr std::string_view between = " \t,;\r\v\f";

[[noreturn]] void fail(const std::string& path, std::size_t line, const std::string& what) {
  throw UserError(path + ":" + std::to_string(line) + ": " + what);
}

/// The numbers of a line, up to a remark.
void parse(std::string_view text, const std::string& path, std::size_t line,
           std::vector<double>& row) {
  row.clear();
  text = text.substr(0, text.find('#'));
  for (;;) {
    const std::size_t start = text.find_first_not_of(between);
    if (start == std::string_view::npos) return;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(between));
    const std::string_view digits = word.substr(word.front() == '+' ? 1 : 0);
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size())
      fail(path, line,
           "'" + std::string(word.substr(0, 40)) +
               "' is not a number: if the line is a header, put # before it");
    if (!std::isfinite(value))
      fail(path, line, "'" + std::string(word) + "' is not finite: remove or correct it");
    row.push_back(value);
    text.remove_prefix(word.size());
  }
}

}  // namespace

TextStates::TextStates(const std::string& path) : path_(path), file_(path, std::ios::binary) {
  while (next_row()) {
    if (rows_++ == 0) cols_ = static_cast<Eigen::Index>(row_.size());
    if (static_cast<Eigen::Index>(row_.size()) != cols_)
      fail(path_, line_number_,
           "the row has " + std::to_string(row_.size()) + " numbers, but those before have " +
               std::to_string(cols_));
  }
  rewind();
}

bool TextStates::next_row() {
  while (std::getline(file_, line_)) {
    ++line_number_;
    parse(line_, path_, line_number_, row_);
    if (!row_.empty()) return true;
  }
  if (file_.bad()) throw UserError("cannot read '" + path_ + "'");
  return false;
}

void TextStates::rewind() {
  file_.clear();
  file_.seekg(0);
  line_number_ = 0;
  at_ = 0;
}

void TextStates::read(Eigen::Index first, Eigen::MatrixXd& block) {
  if (first < at_) rewind();
  for (Eigen::Index k = 0; k < block.rows();) {
    if (!next_row() || static_cast<Eigen::Index>(row_.size()) != cols_)
      throw UserError("'" + path_ + "' has changed while it was read");
    if (at_++ < first) continue;
    for (Eigen::Index j = 0; j < cols_; ++j) block(k, j) = row_[static_cast<std::size_t>(j)];
    ++k;
  }
}

StateFile::StateFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw UserError("cannot read '" + path + "': it is a folder, name a file");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw UserError("cannot open '" + path + "': check that the file exists and is readable");
  std::string head(6, '\0');
  file.read(head.data(), 6);
  file.close();
  if (head == "\x93NUMPY")
    npy_ = std::make_unique<ness::NpyRows>(path);
  else
    text_ = std::make_unique<TextStates>(path);
  if (rows() == 0 || cols() == 0) throw UserError("'" + path + "' holds no states");
}
