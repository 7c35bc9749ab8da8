// A progress bar on standard error, with rate and time left; silent where that is no terminal.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

class ProgressBar {
 public:
  explicit ProgressBar(std::string what) : what_(std::move(what)) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

  /// Draws at most ten times a second.
  void operator()(std::int64_t done, std::int64_t total) {
    if (!terminal_) return;
    const auto now = Clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    shown_ = true;
    const double fraction =
        static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(total, 1));
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(done) / seconds;
    const int filled = static_cast<int>(fraction * width);
    std::string bar(static_cast<std::size_t>(width), '.');
    std::fill(bar.begin(), bar.begin() + filled, '#');
    std::fprintf(stderr, "\r\033[K%s [%s] %3.0f %%  %.3g/s  %.0f s left", what_.c_str(),
                 bar.c_str(), 100 * fraction, rate, static_cast<double>(total - done) / rate);
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int width = 40;

  std::string what_;
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = start_;
};
