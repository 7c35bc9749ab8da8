#include "files.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "user_error.hpp"

namespace {

/// `where` is the file and the line.
double read_number(const std::string& word, const std::string& where) {
  const auto quoted = [&] { return where + ": '" + word.substr(0, 40); };
  const char* const first = word.c_str() + (word[0] == '+' ? 1 : 0);
  const char* const last = word.c_str() + word.size();
  double value = 0;
  const auto [rest, error] = std::from_chars(first, last, value);
  if (error != std::errc() || rest != last)
    throw UserError(quoted() + "' is not a number: write one a line");
  if (!std::isfinite(value)) throw UserError(quoted() + "' is not finite: remove or correct it");
  return value;
}

}  // namespace

std::vector<double> read_numbers(const std::string& path) {
  std::error_code no_file;
  if (std::filesystem::is_directory(path, no_file))
    throw UserError("cannot read '" + path + "': it is a folder, name a file");
  std::ifstream file(path);
  if (!file)
    throw UserError("cannot open '" + path + "': check that the file exists and is readable");
  std::vector<double> numbers;
  std::string line;
  for (int count = 1; std::getline(file, line); ++count) {
    constexpr auto separators = " \t\r,;";
    for (std::size_t at = line.find_first_not_of(separators); at != std::string::npos;) {
      const std::size_t end = std::min(line.find_first_of(separators, at), line.size());
      numbers.push_back(read_number(line.substr(at, end - at), path + ":" + std::to_string(count)));
      at = line.find_first_not_of(separators, end);
    }
  }
  if (file.bad()) throw UserError("cannot read '" + path + "'");
  if (numbers.empty()) throw UserError("'" + path + "' holds no numbers: one a line is expected");
  return numbers;
}

void write_atomically(const std::string& path, const std::string& text) {
  const std::string partial = path + ".partial";
  {
    std::ofstream file(partial, std::ios::binary);
    file << text;
    file.flush();
    if (!file) throw UserError("cannot write '" + partial + "': is the disk full?");
  }
  std::error_code error;
  std::filesystem::rename(partial, path, error);
  if (error) throw UserError("cannot write '" + path + "': " + error.message());
}

void require_writable(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw UserError("cannot write '" + path + "': it is a folder, name a file");
  const std::string probe = path + ".partial";
  errno = 0;
  if (!std::ofstream(probe))
    throw UserError("cannot write '" + path + "': " + std::strerror(errno) +
                    ": choose a folder that exists and is yours");
  std::filesystem::remove(probe, error);
}
