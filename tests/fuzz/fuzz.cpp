// Between libFuzzer and the readers of files.
#include "fuzz.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "support/temporary_file.hpp"

/// Called once, before all else: good files go into the first folder of the command line.
extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  for (int k = 1; k < *count; ++k) {
    const std::string folder = (*arguments)[k];
    if (folder.empty() || folder.front() == '-') continue;
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const std::string& bytes : good_files())
      std::ofstream(folder + "/good" + std::to_string(number++), std::ios::binary) << bytes;
    break;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TemporaryFile file;
  file.write({reinterpret_cast<const char*>(data), size});
  read_file(file.name, size);
  return 0;
}
