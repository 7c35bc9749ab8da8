// Results, written whole or not at all.
#pragma once

#include <string>

/// Writes beside `path` and renames, so that an interrupt leaves the old file or the new one. A
/// link is followed; a pipe or a device is written to as it is. Throws `UserError`, and leaves
/// nothing behind.
void write_atomically(const std::string& path, const std::string& text);

/// To be called before a long run, which it would be a pity to lose: tries to write beside `path`.
void require_writable(const std::string& path);
