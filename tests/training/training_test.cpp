// What is taken for a training and for a noise policy, what is not, and what a training says.
#include "ness/training/training.hpp"

#include <Eigen/Core>

#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/training/earthquake.hpp"
#include "support/catch.hpp"
#include "support/own_policies.hpp"

namespace {

using ness::Sgd;
using ness::WithoutReplacement;
using ness::WithReplacement;

/// All that a noise policy needs, but that it does not say what it does.
struct NoStatement {
  void check(std::string_view) const {}
  std::string description() const { return "a noise"; }
  template <class Vector>
  struct Source {
    Source(const NoStatement&, const ness::ChainShape&) {}
  };
};
struct Silent : NoStatement {
  static constexpr bool silent = true;
};
struct Loud : NoStatement {
  static constexpr bool silent = false;
};
struct Misspelt : NoStatement {
  [[maybe_unused]] static constexpr ness::Injection injektion{.once_a_markov_step = false,
                                                              .shared = false};
};
struct NoDescription {
  static constexpr bool silent = true;
  void check(std::string_view) const {}
  template <class Vector>
  struct Source {
    Source(const NoDescription&, const ness::ChainShape&) {}
  };
};
struct NoSource {
  static constexpr bool silent = true;
  void check(std::string_view) const {}
  std::string description() const { return {}; }
};
struct SourceOfNoShape : NoSource {
  template <class Vector>
  struct Source {};
};

struct Injected : NoStatement {
  static constexpr ness::Injection injection{.once_a_markov_step = false, .shared = false};
  template <class Vector>
  struct Source {
    Source(const Injected&, const ness::ChainShape&) {}
    void after_update(Vector&, ness::Philox&) {}
  };
};
struct InjectedWithoutHook : NoStatement {
  static constexpr ness::Injection injection{.once_a_markov_step = false, .shared = false};
};
struct Shaking : NoStatement {
  double evaluation_variance() const { return 1; }
  template <class Vector>
  struct Source {
    Source(const Shaking&, const ness::ChainShape&) {}
    const Vector& evaluation_point(const Vector& theta, ness::Philox&) { return theta; }
  };
};
struct OddVariance : NoStatement {
  std::string evaluation_variance() const { return {}; }
  template <class Vector>
  struct Source {
    Source(const OddVariance&, const ness::ChainShape&) {}
    const Vector& evaluation_point(const Vector& theta, ness::Philox&) { return theta; }
  };
};
struct ShakingWithoutHook : NoStatement {
  double evaluation_variance() const { return 1; }
};

template <class Noise>
constexpr bool is_noise = ness::NoisePolicy<Noise, Eigen::VectorXd>;

/// A training that is no `ness::Training`.
struct OwnTraining {
  using Minibatch = WithReplacement;
  using Update = ness::Plain;
  using Noise = ness::NoNoise;
  using Correction = ness::NoCorrection;
  double learning_rate;
  Minibatch minibatch;
  Update update;
  Noise noise;
  Correction correction;
  void check(ness::Index, std::string_view) const {}
  ness::Index updates_per_markov_step(ness::Index) const { return 1; }
  std::string description() const { return "my own"; }
};
struct TrainingWithoutWords {
  using Minibatch = WithReplacement;
  using Update = ness::Plain;
  using Noise = ness::NoNoise;
  using Correction = ness::NoCorrection;
  double learning_rate;
  Minibatch minibatch;
  Update update;
  Noise noise;
  Correction correction;
  void check(ness::Index, std::string_view) const {}
  ness::Index updates_per_markov_step(ness::Index) const { return 1; }
};

}  // namespace

TEST_CASE("Trainings are known by what they have, and by how they draw") {
  STATIC_REQUIRE(ness::IsTraining<Sgd<WithReplacement>>);
  STATIC_REQUIRE(ness::IsTraining<Sgd<WithoutReplacement>>);
  STATIC_REQUIRE(ness::IsTraining<Sgd<WithRepeats>>);
  STATIC_REQUIRE(ness::IsTraining<ness::EarthquakeModel>);
  STATIC_REQUIRE(ness::IsTraining<ness::SgworldLm>);
  STATIC_REQUIRE(ness::IsTraining<OwnTraining>);
  STATIC_REQUIRE_FALSE(ness::IsTraining<TrainingWithoutWords>);
  STATIC_REQUIRE_FALSE(ness::IsTraining<WithReplacement>);
  STATIC_REQUIRE_FALSE(ness::IsTraining<double>);

  STATIC_REQUIRE(ness::DrawsIndependently<Sgd<WithReplacement>>);
  STATIC_REQUIRE(ness::DrawsIndependently<Sgd<WithRepeats>>);
  STATIC_REQUIRE(ness::DrawsIndependently<ness::EarthquakeModel>);
  STATIC_REQUIRE_FALSE(ness::DrawsIndependently<Sgd<WithoutReplacement>>);
  STATIC_REQUIRE_FALSE(ness::DrawsEpochs<Sgd<WithReplacement>>);
  STATIC_REQUIRE(ness::DrawsEpochs<Sgd<WithoutReplacement>>);
  STATIC_REQUIRE(ness::DrawsEpochs<ness::Sgworld>);

  STATIC_REQUIRE(ness::IsSampler<ness::Sgld>);
  STATIC_REQUIRE(ness::IsSampler<ness::SgworldLm>);
  STATIC_REQUIRE_FALSE(ness::IsSampler<Sgd<WithReplacement>>);
  STATIC_REQUIRE_FALSE(ness::IsSampler<ness::EarthquakeModel>);
}

TEST_CASE("A noise policy says what it does, in words that are known") {
  STATIC_REQUIRE(is_noise<ness::NoNoise>);
  STATIC_REQUIRE(is_noise<ness::Earthquake>);
  STATIC_REQUIRE(is_noise<ness::LangevinNoise>);
  STATIC_REQUIRE(is_noise<ness::EpochLangevinNoise>);
  STATIC_REQUIRE(is_noise<ness::LeimkuhlerMatthewsNoise>);
  STATIC_REQUIRE(is_noise<Silent>);
  STATIC_REQUIRE(is_noise<Injected>);
  STATIC_REQUIRE(is_noise<Shaking>);
  STATIC_REQUIRE(ness::SilentNoise<ness::NoNoise>);
  STATIC_REQUIRE(ness::ShakingNoise<ness::Earthquake>);
  STATIC_REQUIRE(ness::InjectedNoise<ness::LangevinNoise>);
  STATIC_REQUIRE_FALSE(ness::InjectedNoise<ness::Earthquake>);
  STATIC_REQUIRE_FALSE(ness::ShakingNoise<ness::LangevinNoise>);
  STATIC_REQUIRE_FALSE(ness::SilentNoise<ness::LangevinNoise>);

  STATIC_REQUIRE_FALSE(is_noise<NoStatement>);
  STATIC_REQUIRE_FALSE(is_noise<Loud>);
  STATIC_REQUIRE_FALSE(is_noise<Misspelt>);
  STATIC_REQUIRE_FALSE(is_noise<OddVariance>);
  STATIC_REQUIRE_FALSE(is_noise<InjectedWithoutHook>);
  STATIC_REQUIRE_FALSE(is_noise<ShakingWithoutHook>);
  STATIC_REQUIRE_FALSE(is_noise<NoDescription>);
  STATIC_REQUIRE_FALSE(is_noise<NoSource>);
  STATIC_REQUIRE_FALSE(is_noise<SourceOfNoShape>);
  STATIC_REQUIRE_FALSE(is_noise<int>);
}

TEST_CASE("A correction is known by the parts that it cancels") {
  STATIC_REQUIRE(ness::CancelsLandscape<ness::LandscapeCorrection>);
  STATIC_REQUIRE(ness::CancelsLandscape<ness::SamplingCorrection>);
  STATIC_REQUIRE_FALSE(ness::CancelsLandscape<ness::NoCorrection>);
}

TEST_CASE("One Markov step is an update of independent batches, or an epoch of M/m") {
  CHECK(Sgd<WithReplacement>{0.1, {10}}.updates_per_markov_step(200) == 1);
  CHECK(Sgd<ness::FullBatch>{0.1, {}}.updates_per_markov_step(200) == 1);
  CHECK(Sgd<WithRepeats>{0.1, {10}}.updates_per_markov_step(200) == 1);
  CHECK(Sgd<WithoutReplacement>{0.1, {10}}.updates_per_markov_step(200) == 20);
  CHECK(ness::SgworldLm{.learning_rate = 0.1, .minibatch = {50}}.updates_per_markov_step(200) == 4);
}

TEST_CASE("A training describes itself by its learning rate and all its policies") {
  CHECK(Sgd<WithReplacement>{0.125, {10}}.description() ==
        "learning rate 0.125, minibatches of 10 distinct samples, with replacement, plain updates, "
        "no noise, no correction");
  CHECK(Sgd<WithRepeats>{0.125, {10}}.description() ==
        "learning rate 0.125, minibatches of 10 with repeats, plain updates, no noise, no "
        "correction");
  CHECK(ness::EarthquakeModel{.learning_rate = 0.5, .noise = {0.25}}.description() ==
        "learning rate 0.5, all samples in every step, plain updates, gradients at points shaken "
        "by zeta = 0.25, no correction");
  CHECK(ness::SgworldLm{.learning_rate = 0.5, .minibatch = {10}, .correction = {7}}.description() ==
        "learning rate 0.5, minibatches of 10, without replacement, plain updates, noise of "
        "Leimkuhler and Matthews, correction of the sampling from 7 samples (0: all)");
}

TEST_CASE("A training checks its learning rate and every policy") {
  using Full =
      ness::Training<WithoutReplacement, ness::Plain, ness::Earthquake, ness::SamplingCorrection>;
  const Full good{0.1, {10}, {}, {0.3}, {4}};
  CHECK_NOTHROW(good.check(200, "here"));
  const auto with = [&](const auto& change) {
    Full bad = good;
    change(bad);
    bad.check(200, "here");
  };
  CHECK_THROWS_WITH(with([](Full& t) { t.learning_rate = 0; }),
                    contains("ness::here: learning_rate must be positive"));
  CHECK_THROWS_WITH(with([](Full& t) { t.minibatch = {7}; }), contains("must divide M = 200"));
  CHECK_THROWS_WITH(with([](Full& t) { t.noise = {0}; }), contains("noise.zeta"));
  CHECK_THROWS_WITH(with([](Full& t) { t.correction = {1}; }), contains("correction.samples"));
}

TEST_CASE("Without noise a training keeps its learning rate and its batches") {
  const auto plain = ness::without_noise(ness::SgworldLm{.learning_rate = 0.3, .minibatch = {20}});
  STATIC_REQUIRE(std::is_same_v<decltype(plain), const Sgd<WithoutReplacement>>);
  CHECK(plain.learning_rate == 0.3);
  CHECK(plain.minibatch.batch_size == 20);
}
