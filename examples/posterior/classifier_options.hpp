// What the user asks for of the classifier, and whether it can be done.
#pragma once

#include <string>

#include "../common/training_options.hpp"

struct ClassifierOptions {
  std::string images, labels, test_images, test_labels;  ///< empty: none
  bool synthetic = false;
  std::int64_t samples = 0;  ///< the first ones; 0: all
  double prior = 1;          ///< standard deviation of each weight
  std::int64_t budget = 1000;
  std::int64_t reference_budget = 6000;

  bool wanted() const { return synthetic || !images.empty(); }
};

inline void add_classifier_options(CLI::App& app, ClassifierOptions& options) {
  app.add_option("--images", options.images,
                 "Sample the posterior of a softmax regression on these images of digits instead, "
                 "IDX, plain or gzip, with --labels, --test-images and --test-labels. To get MNIST "
                 "run  cmake -P examples/mnist/get_mnist.cmake")
      ->type_name("FILE");
  app.add_option("--labels", options.labels, "Their labels")->type_name("FILE");
  app.add_option("--test-images", options.test_images, "Images to predict")->type_name("FILE");
  app.add_option("--test-labels", options.test_labels, "Their labels")->type_name("FILE");
  app.add_flag("--synthetic", options.synthetic, "The same on made-up data of that shape");
  add_count(app, "--samples", options.samples, "Use only the first so many images; 0: all");
  add_number(app, "--prior", options.prior, "Standard deviation of the prior of each weight");
  add_count(app, "--budget", options.budget,
            "Gradients that each sampler may take of each image, over all chains");
  add_count(app, "--reference-budget", options.reference_budget, "The same of the reference");
}

/// What is wrong whatever the data are. Throws `UserError`.
inline void check(const ClassifierOptions& options) {
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
