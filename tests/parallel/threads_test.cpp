// All that is sampled on threads of its own: small, for the thread sanitizer, which sees ranks and
// chains as well.
#include "ness/fluctuation/predict_fluctuations.hpp"
#include "ness/fluctuation/sample_noise_cumulants.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/stationary/sampled_epochs.hpp"
#include "ness/trajectory/relaxation.hpp"
#include "support/catch.hpp"
#include "support/shared_work.hpp"

namespace {

using namespace shared_work;

constexpr ness::Sgd<ness::WithoutReplacement> epochs{.learning_rate = 0.01, .minibatch = {10}};

const auto& minimum() {
  static const auto result = ness::minimize(objective(), VectorXd::Zero(3).eval());
  return result;
}

/// What `work(threads)` returns has the same bits for one thread and for three.
template <class Work>
void check_threads(const Work& work) {
  const MatrixXd one = work(1);
  CHECK(one.allFinite());
  CHECK(bytes_of(one) == bytes_of(work(3)));
}

}  // namespace

TEST_CASE("fluctuation theorems are the same for any number of threads") {
  const auto state = predicted(epochs);
  check_threads([&](int threads) -> MatrixXd {
    const auto theorem = ness::predict_fluctuations(
        objective(), epochs, state, {.lengths = {2}, .starts = 640, .threads = threads});
    return MatrixXd::Constant(1, 1, theorem[0].integral_fluctuation.value);
  });
}

TEST_CASE("cumulants of the noise are the same for any number of threads") {
  check_threads([&](int threads) -> MatrixXd {
    const auto found =
        ness::sample_noise_cumulants(objective(), minimum().theta, epochs, MatrixXd::Identity(3, 3),
                                     {.steps = 1'280, .threads = threads});
    return found.value.skewness;
  });
}

TEST_CASE("relaxations are the same for any number of threads") {
  check_threads([&](int threads) -> MatrixXd {
    return ness::measure_relaxation(objective(), sgd, VectorXd::Ones(3).eval(),
                                    MatrixXd::Zero(3, 3).eval(), {0, 30},
                                    {.runs = 100, .groups = 50, .threads = threads})[1]
        .covariance.value;
  });
}

TEST_CASE("sampled epochs are the same for any number of threads") {
  check_threads([&](int threads) -> MatrixXd {
    return ness::sample_epochs(objective(), minimum().theta, epochs, ness::EpochPhase::mean,
                               {.permutations = 300, .threads = threads})
        .covariance.value;
  });
  check_threads([&](int threads) -> MatrixXd {
    const ness::SgworldLmUncorrected sampler{.learning_rate = 0.01, .minibatch = {10}};
    const auto error = ness::exact_posterior_error(
        objective(), minimum(), sampler, {.epoch_map = {.permutations = 300, .threads = threads}});
    return MatrixXd::Constant(1, 1, error.divergence.value);
  });
}
