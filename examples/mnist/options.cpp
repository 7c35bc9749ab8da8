#include "options.hpp"

#include <ness/trajectory/run.hpp>

#include "../common/user_error.hpp"

void add_options(CommandLine& line, Options& options) {
  line.add("--images", options.images, "FILE",
           "The training images, IDX, plain or gzip, with --labels. To get MNIST run  cmake -P "
           "examples/mnist/get_mnist.cmake");
  line.add("--labels", options.labels, "FILE", "Their labels, IDX, plain or gzip");
  line.add("--synthetic", options.synthetic, "Use made-up data of the same shape instead");
  line.add("--samples", options.samples, "Use only the first so many samples; 0: all");
  add_training_options(
      line, options,
      "How minibatches are drawn: wr, with replacement; wor, without. Both, as in wr,wor, are set "
      "side by side",
      "; 0 for the theory alone");
  line.add("--single", options.single, "Simulate in single precision");
  line.add("--stride", options.stride,
           "With replacement, look at every so many steps: a divisor of 192");
  line.add("--checkpoint", options.checkpoint, "FILE",
           "Keep the run in this file, and go on from it if it is there; with several ways of "
           "sampling, in FILE.wr and FILE.wor");
  line.add("--checkpoint-seconds", options.checkpoint_seconds,
           "Time between two writings of it: what a kill may lose");
}

void check(const Options& options) {
  check_training_options(options, {"wr", "wor"}, 0);
  if (options.images.empty() != options.labels.empty())
    throw UserError("--images and --labels go together, but only one is there: give the other");
  if (options.synthetic && !options.images.empty())
    throw UserError("--synthetic goes without --images and --labels: choose one of the two");
  if (!options.synthetic && options.images.empty())
    throw UserError(
        "there are no data: give --images FILE and --labels FILE; to get MNIST, run  cmake -P "
        "examples/mnist/get_mnist.cmake  ; or use --synthetic");
  require_count("--samples", options.samples, 0, many, "use 0 for all");
  require_option(options.stride >= 1 && options.stride <= ness::block_steps &&
                     ness::block_steps % options.stride == 0,
                 "--stride", "divide " + std::to_string(ness::block_steps), options.stride,
                 "try 24");
  require_positive_option("--checkpoint-seconds", options.checkpoint_seconds, "60");
}
