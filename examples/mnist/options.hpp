// What the user asks for, and whether it can be done.
#pragma once

#include "../common/training_options.hpp"

struct Options : TrainingOptions {
  std::string images, labels;  ///< empty: none
  bool synthetic = false;
  std::int64_t samples = 0;  ///< the first ones; 0: all
  bool single = false;
  std::int64_t stride = 24;  ///< with replacement
  std::string checkpoint;    ///< empty: none
  double checkpoint_seconds = 60;

  Options() {
    eta = 1e-4;
    batch = 100;
    lambda = 1e-2;
    steps = 10'000'000;
    chains = 2;
  }
};

inline void add_options(CLI::App& app, Options& options) {
  app.add_option("--images", options.images,
                 "The training images, IDX, plain or gzip, with --labels. To get MNIST run  cmake "
                 "-P examples/mnist/get_mnist.cmake")
      ->type_name("FILE");
  app.add_option("--labels", options.labels, "Their labels, IDX, plain or gzip")->type_name("FILE");
  app.add_flag("--synthetic", options.synthetic, "Use made-up data of the same shape instead");
  add_count(app, "--samples", options.samples, "Use only the first so many samples; 0: all");
  add_training_options(
      app, options,
      "How minibatches are drawn: wr, with replacement; wor, without. Both, as in wr,wor, are set "
      "side by side",
      "; 0 for the theory alone");
  app.add_flag("--single", options.single, "Simulate in single precision");
  add_count(app, "--stride", options.stride,
            "With replacement, look at every so many steps: a divisor of 192");
  app.add_option("--checkpoint", options.checkpoint,
                 "Keep the run in this file, and go on from it if it is there; with several ways "
                 "of sampling, in FILE.wr and FILE.wor")
      ->type_name("FILE");
  add_number(app, "--checkpoint-seconds", options.checkpoint_seconds,
             "Time between two writings of it: what a kill may lose");
}

/// What is wrong whatever the data are. Throws `UserError`.
inline void check(const Options& options) {
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
