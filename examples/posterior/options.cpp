#include "options.hpp"

#include "../common/user_error.hpp"

void add_options(CommandLine& line, Options& options) {
  add_data_options(line, options);
  line.add("--eta", options.eta, "Learning rates, as in 1e-7,1e-6");
  add_run_options(line, options,
                  "; 0 for theory and exact moments alone. Of SGLD: other samplers get as many "
                  "gradients of samples");
  line.add("--permutations", options.permutations,
           "Random orders of the samples that the exact moments are averaged over");
}

void add_options(CommandLine& line, ClassifierOptions& options) {
  line.add("--images", options.images, "FILE",
           "Sample the posterior of a softmax regression on these images of digits instead, IDX, "
           "plain or gzip, with --labels, --test-images and --test-labels. To get MNIST run  cmake "
           "-P examples/mnist/get_mnist.cmake");
  line.add("--labels", options.labels, "FILE", "Their labels");
  line.add("--test-images", options.test_images, "FILE", "Images to predict");
  line.add("--test-labels", options.test_labels, "FILE", "Their labels");
  line.add("--synthetic", options.synthetic, "The same on made-up data of that shape");
  line.add("--samples", options.samples, "Use only the first so many images; 0: all");
  line.add("--prior", options.prior, "Standard deviation of the prior of each weight");
  line.add("--budget", options.budget,
           "Gradients that each sampler may take of each image, over all chains");
  line.add("--reference-budget", options.reference_budget, "The same of the reference");
}

void add_options(CommandLine& line, NetworkOptions& options) {
  line.add("--network", options.network,
           "Sample the posterior of a neural network on the same data instead; --steps and --batch "
           "are those of SGLD, other samplers get as many gradients");
  line.add("--widths", options.widths, "Its layers, from the input to the output");
  line.add("--draws", options.draws, "FILE",
           "Write the parameters that its reference drew, chains x draws x N, to this .npy file");
}

void check(const Options& options) {
  check_run_options(options, 0);
  check_data_options(options);
  require_option(!options.eta.empty(), "--eta", "name a learning rate", "empty", "try 1e-7,1e-6");
  for (const double eta : options.eta) require_positive_option("--eta", eta, "1e-7,1e-6");
  require_count("--permutations", options.permutations, 64, 1'000'000'000, "try 2e4");
}

void check(const ClassifierOptions& options) {
  const bool some = !options.images.empty() || !options.labels.empty() ||
                    !options.test_images.empty() || !options.test_labels.empty();
  const bool all = !options.images.empty() && !options.labels.empty() &&
                   !options.test_images.empty() && !options.test_labels.empty();
  if (some && !all)
    throw UserError(
        "--images, --labels, --test-images and --test-labels go together, but one is missing: give "
        "all four");
  if (options.synthetic && some)
    throw UserError("--synthetic goes without --images: choose one of the two");
  require_count("--samples", options.samples, 0, many, "use 0 for all");
  require_positive_option("--prior", options.prior, "1");
  require_count("--budget", options.budget, 20, many, "try 1000");
  require_count("--reference-budget", options.reference_budget, 20, many, "try 6000");
}

void check(const NetworkOptions& of_network, const Options& options) {
  const auto& widths = of_network.widths;
  std::string given;
  for (const std::int64_t width : widths)
    given += (given.empty() ? "" : ",") + std::to_string(width);
  const bool asked = given != "1,2,1" || !of_network.draws.empty();
  if (!of_network.network && asked)
    throw UserError("--widths and --draws are of a network: give --network as well");
  if (!of_network.network) return;
  require_option(widths.size() >= 3 && widths.front() == 1 && widths.back() == 1, "--widths",
                 "begin and end with 1, and have a layer between", given, "try 1,2,1");
  for (const std::int64_t width : widths) require_count("--widths", width, 1, 10'000, "try 1,2,1");
  require_positive_option("--lambda", options.lambda, "10");
  require_count("--chains", options.chains, 2, 10'000, "try 8");
  require_count("--steps", options.steps, 1000, endless, "try 4e6");
}
