// Files of numbers, read with errors that say where; results, written whole or not at all.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

/// Something the user can mend, told in one line.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The numbers in a text file, one or more a line, separated by blanks or commas.
inline Eigen::VectorXd read_numbers(const std::string& path) {
  std::error_code no_file;
  if (std::filesystem::is_directory(path, no_file))
    throw UserError("cannot read '" + path + "': it is a folder, name a file");
  std::ifstream file(path);
  if (!file)
    throw UserError("cannot open '" + path + "': check that the file exists and is readable");
  std::vector<double> numbers;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    constexpr auto separators = " \t\r,;";
    for (std::size_t at = line.find_first_not_of(separators); at != std::string::npos;) {
      const std::size_t end = std::min(line.find_first_of(separators, at), line.size());
      const std::string word = line.substr(at, end - at);
      const char* const first = word.c_str() + (word[0] == '+' ? 1 : 0);
      const std::string where = path + ":" + std::to_string(number) + ": '" + word.substr(0, 40);
      double value = 0;
      const auto [rest, error] = std::from_chars(first, word.c_str() + word.size(), value);
      if (error != std::errc() || rest != word.c_str() + word.size())
        throw UserError(where + "' is not a number: write one a line");
      if (!std::isfinite(value)) throw UserError(where + "' is not finite: remove or correct it");
      numbers.push_back(value);
      at = line.find_first_not_of(separators, end);
    }
  }
  if (file.bad()) throw UserError("cannot read '" + path + "'");
  if (numbers.empty()) throw UserError("'" + path + "' holds no numbers: one a line is expected");
  return Eigen::Map<const Eigen::VectorXd>(numbers.data(),
                                           static_cast<Eigen::Index>(numbers.size()));
}

/// Writes beside `path` and renames, so that an interrupt leaves the old file or the new one.
inline void write_atomically(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path partial = path.string() + ".partial";
  {
    std::ofstream file(partial, std::ios::binary);
    file << text;
    file.flush();
    if (!file) throw UserError("cannot write '" + partial.string() + "': is the disk full?");
  }
  std::error_code error;
  std::filesystem::rename(partial, path, error);
  if (error) throw UserError("cannot write '" + path.string() + "': " + error.message());
}

/// To be called before a long run, which it would be a pity to lose: tries to write beside `path`.
inline void require_writable(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw UserError("cannot write '" + path.string() + "': it is a folder, name a file");
  const std::filesystem::path probe = path.string() + ".partial";
  errno = 0;
  if (!std::ofstream(probe))
    throw UserError("cannot write '" + path.string() + "': " + std::strerror(errno) +
                    ": choose a folder that exists and is yours");
  std::filesystem::remove(probe, error);
}
