// What a fuzzer of a reader of files has to say; `fuzz.cpp` is between it and libFuzzer.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

/// Files that the reader accepts or nearly so, from which libFuzzer goes on.
std::vector<std::string> good_files();

/// Reads the file and checks what it says. What it throws other than the reader's own error ends
/// the fuzzer, and so do sanitizers, and more memory than the bytes can mean.
void read_file(const std::string& name, std::size_t bytes);
