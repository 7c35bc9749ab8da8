// Text files of numbers, one a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The numbers in a text file, one a line. Throws `UserError` with the file, the line, the column,
/// what was seen there and what to do.
///
/// UTF-8 with or without a byte-order mark, lines that end as on any system, blanks around a number
/// and blank lines behind the last one are read. Whatever might be meant in more than one way is
/// refused: a second column, a decimal comma, a header, quotes, a blank line before further
/// numbers, UTF-16; and so is what is not finite. A number too small for a double is 0.
std::vector<double> read_numbers(const std::string& path);

/// The same of the contents of a file; `path` is for messages.
std::vector<double> parse_numbers(std::string_view text, const std::string& path);
