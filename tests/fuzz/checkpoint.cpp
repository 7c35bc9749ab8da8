// Checkpoints: the file with its checksums, and, behind a right one, the state of a run.
#include <Eigen/Dense>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <tuple>

#include "fuzz.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/random/philox.hpp"
#include "ness/training/training.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "ness/trajectory/draws.hpp"
#include "ness/trajectory/histogram.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/update/momentum.hpp"
#include "support/temporary_file.hpp"

namespace {

const std::string identity = "a run";

/// What a run keeps of a chain.
auto parts() {
  static const ness::Objective objective(
      ness::LinearModel(Eigen::MatrixXd(Eigen::MatrixXd::Ones(2, 6)),
                        Eigen::MatrixXd(Eigen::MatrixXd::Ones(1, 6))),
      ness::L2{1});
  const ness::Sgd<ness::WithoutReplacement, ness::HeavyBall> training{
      .learning_rate = 0.1, .minibatch = {2}, .update = {.momentum = 0.5}};
  const ness::Axis axis{-1, 1, 4};
  return std::tuple(
      ness::Chain(objective, training, Eigen::VectorXd::Zero(2).eval(), ness::Philox(1)),
      ness::StationaryEstimator<>(Eigen::MatrixXd::Identity(2, 2), 1, {1, 2}, 4, 1),
      ness::Histogram2d(0, axis, 1, axis), ness::Draws(2, 3));
}

std::string packed() {
  ness::CheckpointWriter writer;
  auto kept = parts();
  writer(kept);
  return writer.bytes();
}

}  // namespace

std::vector<std::string> good_files() {
  const TemporaryFile file;
  const ness::CheckpointSettings settings{.file = file.name};
  ness::detail::CheckpointOutput<ness::CheckpointSettings> output(settings, identity);
  output.add(packed());
  output.finish();
  // The first letter says whether the rest is a file, or the state in one.
  return {"f" + file.contents(), "s" + packed()};
}

void read_file(const std::string& name, std::size_t) {
  const TemporaryFile file;
  std::string bytes;
  {
    std::ifstream input(name, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(input), {});
  }
  if (bytes.empty()) return;
  const bool is_file = bytes.front() == 'f';
  bytes.erase(0, 1);
  if (is_file) {
    file.write(bytes);
    const ness::CheckpointSettings settings{.file = file.name};
    try {
      ness::detail::CheckpointInput<ness::CheckpointSettings> input(settings, identity);
      bytes = input.next();
      input.finish();
    } catch (const ness::CheckpointError&) {
      return;
    }
  }
  auto kept = parts();
  ness::CheckpointReader reader(bytes);
  try {
    reader(kept);
  } catch (const std::out_of_range&) {
  }
}
