#include "progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "ranks.hpp"

namespace {

double now() {
  const std::chrono::duration<double> time = std::chrono::steady_clock::now().time_since_epoch();
  return time.count();
}

/// "12 s", "3 min 20 s", "2 h 5 min"
std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e9) + 0.5);
  const auto in = [](std::int64_t value, const char* unit) { return std::to_string(value) + unit; };
  if (whole < 60) return in(whole, " s");
  if (whole < 3600) return in(whole / 60, " min ") + in(whole % 60, " s");
  return in(whole / 3600, " h ") + in(whole % 3600 / 60, " min");
}

}  // namespace

ProgressBar::ProgressBar(std::string what)
    : what_(std::move(what)),
      terminal_(isatty(STDERR_FILENO) != 0 && is_first_rank()),
      start_(now()),
      drawn_(start_) {}

ProgressBar::~ProgressBar() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::operator()(std::int64_t done, std::int64_t total) {
  if (!terminal_) return;
  if (first_ < 0) first_ = done;
  const double time = now();
  if (time - drawn_ < 0.1) return;
  drawn_ = time;
  shown_ = true;
  constexpr int width = 40;
  const double fraction =
      static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(total, 1));
  const double rate = std::max(static_cast<double>(done - first_), 1.0) / (time - start_);
  const int filled = std::min(width, static_cast<int>(fraction * width));
  std::string bar(width, '.');
  std::fill(bar.begin(), bar.begin() + filled, '#');
  std::fprintf(stderr, "\r\033[K%s [%s] %3.0f %%  %.3g/s  %s left", what_.c_str(), bar.c_str(),
               100 * fraction, rate, duration(static_cast<double>(total - done) / rate).c_str());
  std::fflush(stderr);
}
