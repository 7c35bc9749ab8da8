// The linear chain of each way of training: the pivot between policies and the stationary state.
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/posterior/samplers.hpp>
#include <ness/stationary/linear_chain.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/training/earthquake.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::LyapunovForm;
using ness::MarkovStep;
using Wr = ness::Sgd<ness::WithReplacement>;
using Wor = ness::Sgd<ness::WithoutReplacement>;

constexpr double eta = 0.01;

const auto& objective() {
  static const ness::Objective linear(
      ness::LinearModel<>(generic_values(3, 60, 21), generic_values(2, 60, 22)), ness::L2{0.05});
  return linear;
}

const auto& minimum() {
  static const auto found = ness::minimize(objective(), VectorXd::Zero(6));
  return found;
}

const MatrixXd identity = MatrixXd::Identity(6, 6);

template <class Training>
auto linearized(const Training& training, const ness::PredictSettings& settings = {}) {
  return ness::linearize(objective(), minimum(), training, settings);
}

/// Each number of the two states is the same, to the last bit.
template <class Training>
void check_is_predicted(const Training& training, const ness::PredictSettings& settings = {}) {
  const auto predicted = ness::predict(objective(), minimum(), training, settings);
  const ness::StationaryState state(linearized(training, settings), settings.rank_tolerance);
  CHECK(state.mean() == predicted.mean());
  CHECK(state.relaxation() == predicted.relaxation());
  CHECK(state.diffusion() == predicted.diffusion());
  CHECK(state.mobility() == predicted.mobility());
  CHECK(state.step() == predicted.step());
  CHECK(state.form() == predicted.form());
  CHECK(state.covariance() == predicted.covariance());
  CHECK(state.circulation() == predicted.circulation());
  CHECK(state.entropy_production() == predicted.entropy_production());
  CHECK(state.decay_rates() == predicted.decay_rates());
  CHECK(state.residual() == predicted.residual());
  CHECK(state.condition() == predicted.condition());
  CHECK(state.rank() == predicted.rank());
  CHECK(state.velocity_outside_range() == predicted.velocity_outside_range());
  CHECK(state.force_matrix() == predicted.force_matrix());
  CHECK((predicted.rank() < 6) == (settings.rank_tolerance > 0));
}

}  // namespace

TEST_CASE("With replacement the chain is ηH, D of Eq. 14 and ηI, each update") {
  const Wr training{.learning_rate = eta, .minibatch = {4}};
  for (auto form : {LyapunovForm::continuous, LyapunovForm::discrete}) {
    const auto chain = linearized(training, {.form = form});
    CHECK(chain.mean == minimum().theta);
    CHECK(relative_error(chain.relaxation, eta * minimum().hessian) <= 1e-15);
    CHECK(chain.diffusion == ness::diffusion(objective(), minimum().theta, training));
    CHECK(chain.mobility == eta * identity);
    CHECK(chain.step == MarkovStep::update);
    CHECK(chain.form == form);
  }
}

TEST_CASE("Without replacement the chain is ηnH₀, D̂ at θ̂₀ and ηI, each epoch") {
  const Wor training{.learning_rate = eta, .minibatch = {20}};
  const auto effective = ness::effective_minimum(objective(), minimum(), training);
  REQUIRE(effective.status == ness::MinimumStatus::converged);
  const auto chain = linearized(training);
  CHECK(chain.mean == effective.theta);
  CHECK(chain.mean != minimum().theta);
  CHECK(relative_error(chain.relaxation, 3 * eta * minimum().hessian) <= 1e-15);
  CHECK(chain.diffusion == ness::diffusion(objective(), effective.theta, training));
  CHECK(chain.mobility == eta * identity);
  CHECK(chain.step == MarkovStep::epoch);
  CHECK(chain.form == LyapunovForm::continuous);

  const auto of_effective = linearized(
      training,
      {.epochs = {.noise = ness::EpochNoise::printed, .hessian = ness::EpochHessian::effective}});
  CHECK(relative_error(of_effective.relaxation, eta * effective.hessian) <= 1e-15);
  CHECK(of_effective.diffusion ==
        ness::diffusion(objective(), effective.theta, training, ness::EpochNoise::printed));

  const ness::EpochMapSettings few{.permutations = 200};
  const auto all = linearized(training, {.epochs = {.order = ness::EpochOrder::all, .map = few}});
  const auto map = ness::sample_epoch_map(objective(), effective.theta, training, few);
  CHECK(all.mean == map.mean.value);
  CHECK(all.relaxation == map.relaxation.value);
  CHECK(all.diffusion == map.diffusion.value);
  CHECK(all.step == MarkovStep::epoch);
  CHECK(all.form == LyapunovForm::discrete);
}

TEST_CASE("The earthquake's chain is ηH, ½η²ζ²H² and ηH², each update") {
  const auto chain = linearized(ness::EarthquakeModel{.learning_rate = eta, .noise = {0.3}});
  const MatrixXd& h = minimum().hessian;
  CHECK(chain.mean == minimum().theta);
  CHECK(relative_error(chain.relaxation, eta * h) <= 1e-15);
  CHECK(relative_error(chain.diffusion, eta * eta * 0.3 * 0.3 / 2 * h * h) <= 1e-14);
  CHECK(relative_error(chain.mobility, eta * h * h) <= 1e-14);
  CHECK(chain.step == MarkovStep::update);
}

TEST_CASE("Samplers add ηI to D in each update, ηnI in each epoch") {
  const auto sampling = [](const auto& training, const auto& at) -> MatrixXd {
    return ness::diffusion(objective(), at, ness::without_noise(training));
  };
  const ness::Sgld sgld{.learning_rate = eta, .minibatch = {4}};
  const auto chain = linearized(sgld);
  CHECK(relative_error(chain.diffusion, sampling(sgld, minimum().theta) + eta * identity) <= 1e-15);
  CHECK(relative_error(chain.relaxation, eta * minimum().hessian) <= 1e-15);
  CHECK(chain.mobility == eta * identity);
  CHECK(chain.step == MarkovStep::update);

  // What neighbours share is missing in discrete time.
  const ness::SgldLm lm{.learning_rate = eta, .minibatch = {4}};
  CHECK(relative_error(linearized(lm).diffusion, chain.diffusion) <= 1e-15);
  CHECK(relative_error(linearized(lm, {.form = LyapunovForm::discrete}).diffusion,
                       chain.diffusion - eta * eta / 2 * minimum().hessian) <= 1e-15);

  const ness::SgworldUncorrected epochs{.learning_rate = eta, .minibatch = {20}};
  const auto effective = ness::effective_minimum(objective(), minimum(), epochs);
  const auto by_epoch = linearized(epochs);
  CHECK(by_epoch.mean == effective.theta);
  CHECK(relative_error(by_epoch.diffusion,
                       sampling(epochs, effective.theta) + 3 * eta * identity) <= 1e-15);
  CHECK(relative_error(by_epoch.relaxation, eta * effective.hessian) <= 1e-15);
  CHECK(by_epoch.step == MarkovStep::epoch);
}

TEST_CASE("A prediction is the state of the chain, to the last bit") {
  check_is_predicted(Wr{eta, {4}});
  check_is_predicted(Wr{eta, {4}}, {.form = LyapunovForm::discrete, .rank_tolerance = 0.3});
  check_is_predicted(Wor{eta, {20}});
  check_is_predicted(Wor{eta, {20}},
                     {.epochs = {.order = ness::EpochOrder::all, .map = {.permutations = 100}}});
  check_is_predicted(ness::EarthquakeModel{.learning_rate = eta, .noise = {0.3}});
  check_is_predicted(ness::Sgld{.learning_rate = eta, .minibatch = {4}});
  check_is_predicted(ness::SgworldLm{.learning_rate = eta, .minibatch = {20}});
}

TEST_CASE("What cannot be predicted of epochs with injected noise is refused") {
  const ness::SgworldLm sampler{.learning_rate = eta, .minibatch = {20}};
  CHECK_THROWS_WITH(linearized(sampler, {.epochs = {.order = ness::EpochOrder::all}}),
                    contains("epochs.order must be leading"));
  CHECK_THROWS_WITH(linearized(sampler, {.form = LyapunovForm::discrete}),
                    contains("form must be continuous"));
  CHECK_NOTHROW(linearized(ness::SgworldUncorrected{.learning_rate = eta, .minibatch = {20}},
                           {.form = LyapunovForm::discrete}));
}

TEST_CASE("A linear system is a chain in time") {
  MatrixXd mobility = generic_values(3, 3, 4, 0.1) + MatrixXd::Identity(3, 3);  // not symmetric
  const ness::LinearSystem<MatrixXd> system(generic_values<VectorXd>(3, 1, 1),
                                            positive_definite(3, 2, 0.5, 3), mobility,
                                            positive_definite(3, 3, 0.1, 1));
  const auto chain = ness::linear_chain(system);
  CHECK(chain.mean == system.center());
  CHECK(chain.relaxation == system.relaxation());
  CHECK(chain.diffusion == system.diffusion());
  CHECK(chain.mobility == system.mobility());
  CHECK(chain.step == MarkovStep::time);
  CHECK(chain.form == LyapunovForm::continuous);

  const auto steps = ness::linear_chain(system, 0.125, LyapunovForm::discrete);
  CHECK(steps.relaxation == system.relaxation() / 8);
  CHECK(steps.diffusion == system.diffusion() / 8);
  CHECK(steps.mobility == system.mobility() / 8);
  CHECK(steps.step == MarkovStep::time);
  CHECK(steps.form == LyapunovForm::discrete);

  const ness::StationaryState state(steps);
  CHECK(state.step() == MarkovStep::time);
  const MatrixXd map = MatrixXd::Identity(3, 3) - steps.relaxation;
  CHECK(relative_error(map * state.covariance() * map.transpose() + 2 * steps.diffusion,
                       state.covariance()) <= 1e-13);
  CHECK(ness::StationaryState(system).covariance() == ness::StationaryState(chain).covariance());
  for (const double bad : {0.0, -1.0, std::nan("")})
    CHECK_THROWS_WITH(ness::linear_chain(system, bad),
                      contains("linear_chain: time_step must be positive"));
}

TEST_CASE("In continuous time no relaxation is too fast; in steps it is") {
  const VectorXd mean = VectorXd::Zero(2);
  const MatrixXd d = MatrixXd::Identity(2, 2);
  const MatrixXd fast = Eigen::Vector2d(1, 50).asDiagonal();
  const ness::LinearSystem<MatrixXd> system(mean, fast, MatrixXd::Identity(2, 2), d);
  const MatrixXd exact = Eigen::Vector2d(1, 0.02).asDiagonal();
  CHECK(relative_error(ness::StationaryState(system).covariance(), exact) <= 1e-14);
  CHECK_THROWS_WITH(ness::StationaryState(ness::linear_chain(system, 1, LyapunovForm::discrete)),
                    contains("time_step must be smaller"));
  // The same by the eigenvectors of a symmetric K.
  auto chain = ness::linear_chain(mean, fast, d, 1);
  CHECK_THROWS_WITH(ness::StationaryState(chain), contains("the fastest does by 50"));
  chain.step = MarkovStep::time;
  CHECK(relative_error(ness::StationaryState(chain).covariance(), exact) <= 1e-14);
  chain.form = LyapunovForm::discrete;
  CHECK_THROWS_WITH(ness::StationaryState(chain), contains("in one time step"));
}

TEST_CASE("Both ways to solve a chain agree where K is symmetric") {
  for (auto form : {LyapunovForm::continuous, LyapunovForm::discrete}) {
    auto chain =
        ness::linear_chain(generic_values<VectorXd>(5, 1, 1), positive_definite(5, 2, 0.5, 6),
                           positive_definite(5, 3, 0.1, 1), 0.1, form);
    const ness::StationaryState by_eigenvectors(chain);
    chain.solve = &ness::detail::covariance_of_any_chain<double>;
    const ness::StationaryState by_schur(chain);
    CHECK(relative_error(by_schur.covariance(), by_eigenvectors.covariance()) <= 1e-13);
    CHECK(relative_error(by_schur.circulation(), by_eigenvectors.circulation()) <= 1e-12);
    CHECK(relative_error(by_schur.decay_rates(), by_eigenvectors.decay_rates()) <= 1e-13);
    CHECK(relative_error(by_schur.entropy_production(), by_eigenvectors.entropy_production()) <=
          1e-11);
  }
}

TEST_CASE("Every step has a name") {
  CHECK(to_string(MarkovStep::update) == "update");
  CHECK(to_string(MarkovStep::epoch) == "epoch");
  CHECK(to_string(MarkovStep::time) == "time step");
}
