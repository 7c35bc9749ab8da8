// A file that is there only as long as a test.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

struct TemporaryFile {
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::remove(name.c_str()); }

  std::string name = (std::filesystem::temp_directory_path() /
                      ("ness_test_" + std::to_string(std::random_device()())))
                         .string();
  std::string contents() const {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& bytes) const { std::ofstream(name, std::ios::binary) << bytes; }
};
