// Files of numbers, read with errors that say where; results, written whole or not at all.
#pragma once

#include <string>
#include <vector>

/// The numbers in a text file, one or more a line, separated by blanks or commas. Throws
/// `UserError` with the file, the line and what is wrong.
std::vector<double> read_numbers(const std::string& path);

/// Writes beside `path` and renames, so that an interrupt leaves the old file or the new one.
void write_atomically(const std::string& path, const std::string& text);

/// To be called before a long run, which it would be a pity to lose: tries to write beside `path`.
void require_writable(const std::string& path);
