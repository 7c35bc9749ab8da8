#include "ness/trajectory/checkpoint.hpp"

#include <filesystem>
#include <random>

#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/training/earthquake.hpp"
#include "ness/trajectory/measure.hpp"
#include "support/catch.hpp"
#include "support/foreign_locale.hpp"
#include "support/generic_values.hpp"
#include "support/temporary_file.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

const auto& objective() {
  static const ness::Objective result(
      ness::LinearModel<>(generic_values(3, 40, 31), generic_values(1, 40, 32)), ness::L2{0.1});
  return result;
}

template <class T>
auto predicted(const T& training) {
  return ness::predict(objective(), ness::minimize(objective(), VectorXd::Zero(3).eval()),
                       training);
}

void check_same(const ness::Measurement& a, const ness::Measurement& b) {
  CHECK(a.markov_steps == b.markov_steps);
  CHECK(a.mean.value == b.mean.value);
  CHECK(a.covariance.value == b.covariance.value);
  CHECK(a.covariance.standard_error == b.covariance.standard_error);
  CHECK(a.circulation.value == b.circulation.value);
  CHECK(a.trajectories.size() == b.trajectories.size());
  for (std::size_t k = 0; k < a.trajectories.size(); ++k) {
    CHECK(a.trajectories[k].count == b.trajectories[k].count);
    CHECK(a.trajectories[k].integral_fluctuation.value ==
          b.trajectories[k].integral_fluctuation.value);
    CHECK(a.trajectories[k].entropy_production.value == b.trajectories[k].entropy_production.value);
    for (Eigen::Index bin = 0; bin < a.trajectories[k].histogram.axis().bins; ++bin)
      CHECK(a.trajectories[k].histogram.count(bin) == b.trajectories[k].histogram.count(bin));
  }
}

struct Killed {};

/// Runs until `updates` are done, and is killed there.
template <class T, class State>
bool run_until(const T& training, const State& state, ness::MeasureSettings settings,
               std::int64_t updates) {
  settings.run.progress = [&](std::int64_t done, std::int64_t) {
    if (done >= updates) throw Killed{};
  };
  try {
    (void)ness::measure(objective(), training, state, settings);
  } catch (const Killed&) {
    return true;
  }
  return false;
}

template <class T>
void check_continued(const T& training, Eigen::Index stride) {
  const auto state = predicted(training);
  const TemporaryFile file;
  ness::MeasureSettings settings{
      .run = {.steps = 50'000, .burn_in = 1'000, .chains = 3, .threads = 2},
      .lengths = {1, 2, 3, 5},
      .stride = stride};
  const auto whole = ness::measure(objective(), training, state, settings);
  settings.run.checkpoint = {.file = file.name, .seconds = 1e-9, .identity = "a test"};
  int kills = 0;
  for (const std::int64_t updates : {1, 2'000, 60'000, 60'001, 151'000})
    kills += run_until(training, state, settings, updates);
  CHECK(kills == 5);
  const auto continued = ness::measure(objective(), training, state, settings);
  check_same(whole, continued);
  // And once more, when there is nothing left to do.
  check_same(whole, ness::measure(objective(), training, state, settings));
  CHECK_FALSE(std::filesystem::exists(file.name + ".partial"));
}

/// Keeps so many numbers.
struct Changing {
  int numbers = 0;
  double value = 0;
  void add(const ness::TrajectoryBlock<double>&) {}
  void merge(const Changing&) {}
  void serialize(auto& archive) {
    for (int k = 0; k < numbers; ++k) archive(value);
  }
};

}  // namespace

TEST_CASE("a run that is killed again and again goes on to the same numbers, to the last bit") {
  check_continued(ness::Sgd<ness::WithReplacement>{0.01, {4}}, 1);
  check_continued(ness::Sgd<ness::WithReplacement>{0.01, {4}}, 24);
  check_continued(ness::Sgd<ness::WithoutReplacement>{0.01, {4}}, 1);
  check_continued(ness::EarthquakeModel{.learning_rate = 0.01, .noise = {0.1}}, 1);
}

TEST_CASE("generators of the standard library can be kept too, and read in another locale") {
  std::mt19937_64 random(3);
  random.discard(1000);
  std::string bytes;
  {
    const ForeignLocale foreign;
    ness::CheckpointWriter writer;
    writer(random);
    bytes = writer.bytes();
  }
  std::mt19937_64 other;
  ness::CheckpointReader reader(bytes);
  reader(other);
  CHECK(reader.at_end());
  CHECK(random == other);
  std::mt19937_64 none;
  ness::CheckpointWriter writer;
  std::string words = "no generator";
  writer(words);
  ness::CheckpointReader bad(writer.bytes());
  CHECK_THROWS_AS(bad(none), std::out_of_range);
}

TEST_CASE("a checkpoint that is damaged, cut short or of another run is refused") {
  const ness::Sgd<ness::WithReplacement> training{0.01, {4}};
  const auto state = predicted(training);
  const TemporaryFile file;
  ness::MeasureSettings settings{.run = {.steps = 2'000, .chains = 2}};
  settings.run.checkpoint = {.file = file.name, .identity = "eta 0.01"};
  const auto measure = [&](const ness::MeasureSettings& with) {
    return ness::measure(objective(), training, state, with);
  };
  (void)measure(settings);
  const std::string good = file.contents();
  REQUIRE(good.size() > 1000);

  for (const std::size_t length :
       {good.size() - 1, good.size() / 2, std::size_t{60}, std::size_t{20}}) {
    file.write(good.substr(0, length));
    CHECK_THROWS_AS(measure(settings), ness::CheckpointError);
    CHECK_THROWS_WITH(measure(settings), contains("cut short: remove it to start anew"));
  }
  for (std::size_t at = 18; at < good.size(); at += 97) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    file.write(bad);
    CHECK_THROWS_AS(measure(settings), ness::CheckpointError);
  }
  file.write("something else");
  CHECK_THROWS_WITH(measure(settings), contains("is no checkpoint"));
  file.write("");
  CHECK_THROWS_WITH(measure(settings), contains("is no checkpoint"));

  file.write(good);
  ness::MeasureSettings other = settings;
  other.run.seed = 2;
  CHECK_THROWS_WITH(measure(other),
                    contains("is of another run") && contains("seed 1") && contains("seed 2"));
  other = settings;
  other.run.checkpoint.identity = "eta 0.02";
  CHECK_THROWS_WITH(measure(other), contains("eta 0.01") && contains("eta 0.02"));
  other = settings;
  other.lengths = {1};
  CHECK_THROWS_WITH(measure(other), contains("lengths 1 2 3") && contains("lengths 1]"));
  CHECK(file.contents() == good);

  other = settings;
  other.run.checkpoint.file = "/no/such/folder/file";
  CHECK_THROWS_WITH(measure(other), contains("cannot be written"));
}

TEST_CASE("an estimator that cannot be kept is refused before the run") {
  struct Counting {
    std::int64_t blocks = 0;
    void add(const ness::TrajectoryBlock<double>&) { ++blocks; }
    void merge(const Counting& other) { blocks += other.blocks; }
  };
  const ness::Sgd<ness::WithReplacement> training{0.01, {4}};
  const auto state = predicted(training);
  const TemporaryFile file;
  ness::MeasureSettings settings{.run = {.steps = 2'000}};
  CHECK(
      std::get<1>(ness::measure_with(objective(), training, state, settings, Counting{})).blocks ==
      11);
  settings.run.checkpoint.file = file.name;
  CHECK_THROWS_WITH(ness::measure_with(objective(), training, state, settings, Counting{}),
                    contains("serialize"));
}

TEST_CASE("a checkpoint of an estimator that has changed since is refused, longer or shorter") {
  const ness::Sgd<ness::WithReplacement> training{0.01, {4}};
  const auto state = predicted(training);
  const TemporaryFile file;
  const ness::MeasureSettings settings{.run = {.steps = 2'000, .checkpoint = {.file = file.name}}};
  const auto measure = [&](int numbers) {
    (void)ness::measure_with(objective(), training, state, settings, Changing{numbers});
  };
  measure(2);
  CHECK_NOTHROW(measure(2));
  CHECK_THROWS_WITH(measure(1), contains("does not fit: it goes on where this run ends"));
  CHECK_THROWS_WITH(measure(3), contains("does not fit: it ends too early"));
}
