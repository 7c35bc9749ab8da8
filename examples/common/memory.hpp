// How much memory a program took.
#pragma once

#include <sys/resource.h>

#include <cstdint>

/// Of this process, so far.
inline std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}
