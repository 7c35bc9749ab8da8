#include "options.hpp"

#include "../common/digits.hpp"
#include "../common/user_error.hpp"

void add_options(CommandLine& line, Options& options) {
  add_digit_options(line, options);
  line.add("--widths", options.widths,
           "Units of each layer, as 784,100,10. The first is 784 for all pixels or 49 for means of "
           "4 x 4 of them, the last 10");
  line.add("--directions", options.directions, "Leading eigenvectors of the Hessian to look along");
  line.add("--momentum", options.momentum, "Momentum, in 0 ... 1; 0: none");
  add_training_options(line, options,
                       "How minibatches are drawn: wr, with replacement; wor, without. Both, as in "
                       "wr,wor, are set side by side",
                       "; 0 for the theory alone");
  line.add("--stride", options.stride, "With replacement, look at every so many updates");
  line.add("--start", options.start, "FILE",
           "Begin the search for the minimum here: parameters, one a line, as --save writes them");
  line.add("--save", options.save, "FILE",
           "Keep the best parameters of the search for the minimum in this file");
  line.add("--checkpoint", options.checkpoint, "FILE",
           "Keep the run in this file, and go on from it if it is there; with several ways of "
           "sampling, in FILE.wr and FILE.wor");
  line.add("--checkpoint-seconds", options.checkpoint_seconds,
           "Time between two writings of it: what a kill may lose");
}

namespace {

void check_widths(const Options& options) {
  const auto& widths = options.widths;
  std::string given;
  bool positive = true;
  for (const std::int64_t width : widths) {
    given += (given.empty() ? "" : ",") + std::to_string(width);
    positive = positive && width >= 1 && width <= 100'000;
  }
  require_option(widths.size() >= 2 && positive, "--widths",
                 "be at least two numbers in 1 ... 100000", given, "try 784,100,10");
  require_option(widths.front() == pixels * pixels || widths.front() == digit_features, "--widths",
                 "begin with 784, all pixels, or 49, their means", given, "try 784,100,10");
  require_option(widths.back() == digit_classes, "--widths", "end with 10, the digits", given,
                 "try 784,100,10");
}

}  // namespace

void check(const Options& options) {
  check_training_options(options, {"wr", "wor"}, 0);
  check_digit_options(options);
  check_widths(options);
  require_count("--directions", options.directions, 1, 1000, "try 20");
  require_count("--stride", options.stride, 1, many, "try 10");
  require_option(options.momentum >= 0 && options.momentum < 1, "--momentum",
                 "be at least 0 and below 1", options.momentum, "try 0.9");
  require_positive_option("--checkpoint-seconds", options.checkpoint_seconds, "60");
}
