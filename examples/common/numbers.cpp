#include "numbers.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "user_error.hpp"

namespace {

constexpr std::string_view blanks = " \t\v\f";
constexpr std::string_view separators = ",;|";
constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// As it can be shown in one line: not too long, and control characters as \x1b.
std::string shown(std::string_view text) {
  constexpr std::size_t most = 40;
  std::size_t end = std::min(most, text.size());
  while (end > 0 && end < text.size() && continues_character(text[end])) --end;
  std::string result;
  for (const char c : text.substr(0, end)) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) {
      result += c;
      continue;
    }
    char code[5];
    std::snprintf(code, sizeof code, "\\x%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    result += code;
  }
  return "'" + result + (end < text.size() ? "...'" : "'");
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

/// One line of a file, for messages.
struct Line {
  const std::string& path;
  std::size_t number;  ///< from 1
  std::string_view text;

  /// Columns are counted in characters, from 1, as editors do.
  [[noreturn]] void fail(const char* at, const std::string& what) const {
    const auto column =
        1 + std::count_if(text.data(), at, [](char c) { return !continues_character(c); });
    throw UserError(path + ":" + std::to_string(number) + ":" + std::to_string(column) + ": " +
                    what);
  }
};

struct Parsed {
  double value;
  const char* rest;  ///< where the number ends
};

/// A decimal number at the beginning of the text, if there is one.
std::optional<Parsed> parse_number(std::string_view text) {
  const char* const last = text.data() + text.size();
  const char* first = text.data();
  if (first != last && *first == '+') ++first;
  if (first == last || (first != text.data() && *first == '-')) return {};  // "+-1"
  double value = 0;
  const auto [rest, error] = std::from_chars(first, last, value);
  if (error == std::errc::invalid_argument) return {};
  // from_chars does not say in which direction a number is out of range; strtod does, and the C
  // locale, whose decimal point it takes, is never changed.
  if (error == std::errc::result_out_of_range)
    value = std::strtod(std::string(first, rest).c_str(), nullptr);
  return Parsed{value, rest};
}

bool is_number(std::string_view text) {
  const auto parsed = parse_number(text);
  return parsed && parsed->rest == text.data() + text.size();
}

/// "-0.9" of "-0,9", if that is what it may be.
std::optional<std::string> with_decimal_point(std::string_view cell) {
  const std::size_t comma = cell.find(',');
  if (comma == std::string_view::npos) return {};
  std::string result(cell);
  result[comma] = '.';
  if (comma + 1 == cell.size() || !is_digit(cell[comma + 1]) || !is_number(result)) return {};
  return result;
}

std::string why_no_number(std::string_view cell, const Line& line) {
  if (cell.front() == '"' || cell.front() == '\'') return "is in quotes: remove them";
  if (cell.find('\0') != std::string_view::npos)
    return "has a zero byte: save the file as plain text, in UTF-8";
  if (cell.find("\xE2\x88\x92") != std::string_view::npos)
    return "has a minus sign that is not '-' (U+2212): write '-'";
  if (cell.find("\xC2\xA0") != std::string_view::npos)
    return "has a blank that is no space (U+00A0): remove it";
  if (line.number == 1 && std::isalpha(static_cast<unsigned char>(cell.front())) != 0)
    return "is not a number: if it is a header, remove it; write one number a line";
  return "is not a number: write one a line";
}

/// What stands behind the number of a line.
[[noreturn]] void fail_behind(const Line& line, std::string_view cell, const char* at) {
  const std::string_view behind(at, static_cast<std::size_t>(cell.data() + cell.size() - at));
  if (const auto number = with_decimal_point(cell))
    line.fail(at, shown(cell) + " has a decimal comma, or is two numbers: write " + *number +
                      ", or one number a line");
  const bool separated = blanks.find(behind.front()) != std::string_view::npos ||
                         separators.find(behind.front()) != std::string_view::npos;
  if (!separated) line.fail(cell.data(), shown(cell) + " " + why_no_number(cell, line));
  line.fail(at, shown(behind) +
                    " stands behind the number: there must be one number a line, in "
                    "one column");
}

double read_number(const Line& line) {
  const std::string_view cell = trimmed(line.text);
  if (separators.find(cell.front()) != std::string_view::npos)
    line.fail(cell.data(), shown(cell) + " has a blank cell before " + shown(cell.substr(0, 1)) +
                               ": there must be one number a line, in one column");
  const auto parsed = parse_number(cell);
  if (!parsed) line.fail(cell.data(), shown(cell) + " " + why_no_number(cell, line));
  if (parsed->rest != cell.data() + cell.size()) fail_behind(line, cell, parsed->rest);
  if (std::isinf(parsed->value) && cell.find_first_of("0123456789") != std::string_view::npos)
    line.fail(cell.data(), shown(cell) + " is not in the range of double: correct it");
  if (!std::isfinite(parsed->value))
    line.fail(cell.data(), shown(cell) + " is not finite: remove or correct it");
  return parsed->value;
}

/// The length of the end of line at the beginning of the text, of any system.
std::size_t end_of_line(std::string_view text) {
  if (text.empty()) return 0;
  return text.substr(0, 2) == "\r\n" ? 2 : 1;
}

void require_text(std::string_view text, const std::string& path) {
  const std::string_view mark = text.substr(0, 2);
  if (mark == "\xFF\xFE" || mark == "\xFE\xFF")
    throw UserError(path + ":1:1: a byte-order mark of UTF-16: save the file in UTF-8");
}

}  // namespace

std::vector<double> parse_numbers(std::string_view text, const std::string& path) {
  require_text(text, path);
  if (text.substr(0, utf8_mark.size()) == utf8_mark) text.remove_prefix(utf8_mark.size());
  std::vector<double> numbers;
  std::optional<Line> blank;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const Line line{path, number, text.substr(0, text.find_first_of("\r\n"))};
    text.remove_prefix(line.text.size());
    text.remove_prefix(end_of_line(text));
    if (trimmed(line.text).empty()) {
      if (!blank) blank.emplace(line);
      continue;
    }
    const double value = read_number(line);
    if (blank)
      blank->fail(blank->text.data(), "the line is blank, but a number follows in line " +
                                          std::to_string(number) +
                                          ": is one missing? Else remove the line");
    numbers.push_back(value);
  }
  if (numbers.empty()) throw UserError("'" + path + "' holds no numbers: one a line is expected");
  return numbers;
}

std::vector<double> read_numbers(const std::string& path) {
  std::error_code no_file;
  if (std::filesystem::is_directory(path, no_file))
    throw UserError("cannot read '" + path + "': it is a folder, name a file");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw UserError("cannot open '" + path + "': check that the file exists and is readable");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) throw UserError("cannot read '" + path + "'");
  return parse_numbers(text, path);
}
