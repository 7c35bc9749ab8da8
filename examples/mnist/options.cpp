#include "options.hpp"

#include <ness/trajectory/run.hpp>

#include "../common/user_error.hpp"

void add_options(CommandLine& line, Options& options) {
  add_digit_options(line, options);
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
  line.add("--clones", options.clones,
           "Of epochs: how rare other entropy productions are, by cloning as many chains, as 600. "
           "0 for none");
  line.add("--clone-steps", options.clone_steps, "Epochs of each clone, after a quarter as many");
}

void check(const Options& options) {
  check_training_options(options, {"wr", "wor"}, 0);
  check_digit_options(options);
  require_option(options.stride >= 1 && options.stride <= ness::block_steps &&
                     ness::block_steps % options.stride == 0,
                 "--stride", "divide " + std::to_string(ness::block_steps), options.stride,
                 "try 24");
  require_option(options.clones == 0 || options.clones >= 2, "--clones", "be 0 or at least 2",
                 options.clones, "try 600");
  require_option(options.clone_steps >= 8, "--clone-steps", "be at least 8", options.clone_steps,
                 "try 48");
  require_positive_option("--checkpoint-seconds", options.checkpoint_seconds, "60");
}
