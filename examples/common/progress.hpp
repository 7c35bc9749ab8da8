// A progress bar on standard error, with rate and time left; silent where that is no terminal.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

/// "12 s", "3 min 20 s", "2 h 5 min"
inline std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e9) + 0.5);
  const auto in = [](std::int64_t value, const char* unit) { return std::to_string(value) + unit; };
  if (whole < 60) return in(whole, " s");
  if (whole < 3600) return in(whole / 60, " min ") + in(whole % 60, " s");
  return in(whole / 3600, " h ") + in(whole % 3600 / 60, " min");
}

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
    if (first_ < 0) first_ = done;  // a continued run has some behind it
    const auto now = Clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    shown_ = true;
    const double fraction =
        static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(total, 1));
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = std::max(static_cast<double>(done - first_), 1.0) / seconds;
    const int filled = std::min(width, static_cast<int>(fraction * width));
    std::string bar(static_cast<std::size_t>(width), '.');
    std::fill(bar.begin(), bar.begin() + filled, '#');
    std::fprintf(stderr, "\r\033[K%s [%s] %3.0f %%  %.3g/s  %s left", what_.c_str(), bar.c_str(),
                 100 * fraction, rate, duration(static_cast<double>(total - done) / rate).c_str());
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int width = 40;

  std::string what_;
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  std::int64_t first_ = -1;  // done when it began
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = start_;
};
