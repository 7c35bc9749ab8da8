// A progress bar on standard error, with rate and time left; silent where that is no terminal.
#pragma once

#include <cstdint>
#include <string>

class ProgressBar {
 public:
  explicit ProgressBar(std::string what);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  /// Draws at most ten times a second.
  void operator()(std::int64_t done, std::int64_t total);

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
  std::int64_t first_ = -1;  // done when it began: a continued run has some behind it
  double start_, drawn_;     // in seconds
};
