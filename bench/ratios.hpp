// Runs the benchmarks of a program and prints, beside the times, the ratios that matter: absolute
// times say little on a shared machine, a ratio measured in one run says much.
#pragma once

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

/// A ratio of two benchmarks' times, and the bound it should keep to.
struct Ratio {
  std::string label;
  std::string numerator;
  std::string denominator;  ///< one name, or the sum "one + other"
  double bound;             ///< 0: none
  bool at_least = false;    ///< the bound is one from below
};

class RatioReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs)
      if (run.run_type == Run::RT_Aggregate && run.aggregate_name == "median")
        medians_[run.run_name.function_name] = run.GetAdjustedRealTime();
    ConsoleReporter::ReportRuns(runs);
  }

  void print(const std::vector<Ratio>& ratios) {
    std::printf("\n%-64s %8s %8s\n", "ratio of median times", "ratio", "bound");
    for (const Ratio& ratio : ratios) {
      const double value = time_of(ratio.numerator) / time_of(ratio.denominator);
      if (!(value > 0)) continue;  // one of them was not run
      std::printf("%-64s %8.3f", ratio.label.c_str(), value);
      if (ratio.bound > 0) {
        const bool kept = ratio.at_least ? value >= ratio.bound : value <= ratio.bound;
        std::printf(" %s %5.2f  %s", ratio.at_least ? ">=" : "<=", ratio.bound,
                    kept ? "kept" : "MISSED");
      }
      std::printf("\n");
    }
  }

 private:
  // NaN where it was not run.
  double time_of(const std::string& names) const {
    const std::string plus = " + ";
    const std::size_t at = names.find(plus);
    const auto found = medians_.find(names.substr(0, at));
    const double time = found == medians_.end() ? std::nan("") : found->second;
    return at == std::string::npos ? time : time + time_of(names.substr(at + plus.size()));
  }

  std::map<std::string, double> medians_;
};

/// The body of `main`: all benchmarks, in random order over their repetitions, then the ratios.
inline int run_with_ratios(int argc, char** argv, const std::vector<Ratio>& ratios) {
  std::vector<char*> arguments(argv, argv + argc);
  char repetitions[] = "--benchmark_repetitions=7";
  char interleaving[] = "--benchmark_enable_random_interleaving=true";
  char aggregates[] = "--benchmark_display_aggregates_only=true";
  arguments.insert(arguments.begin() + 1, {repetitions, interleaving, aggregates});
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print(ratios);
  return 0;
}
