// The results: a table for people and JSON for machines.
#pragma once

#include <iomanip>
#include <ostream>
#include <sstream>
#include <vector>

#include "../common/json.hpp"
#include "study.hpp"

/// ‖Σ − Σ_theory‖ / ‖Σ_theory‖
inline double relative_error(const Matrix& value, const Matrix& theory) {
  return (value - theory).norm() / theory.norm();
}

inline void print_problem(std::ostream& out, const Options& options, const Objective& objective,
                          const Minimum& minimum) {
  if (options.synthetic)
    out << "MADE-UP DATA (--synthetic): of the shape of MNIST, but not MNIST\n";
  out << "linear classifier, N = " << objective.parameters() << ", M = " << objective.samples()
      << ", m = " << options.batch << ", eta = " << options.eta << ", lambda = " << options.lambda
      << '\n'
      << "loss at the minimum      " << minimum.value << "  (|gradient| " << minimum.gradient_norm
      << ", of terms that sum to " << minimum.gradient_scale << ")\n"
      << "accuracy in training     " << 100 * accuracy(objective, minimum.theta) << " %\n"
      << "Hessian eigenvalues      " << minimum.hessian_eigenvalues.minCoeff() << " ... "
      << minimum.hessian_eigenvalues.maxCoeff() << '\n';
}

inline void print_theory(std::ostream& out, const Minimum& minimum, const Results& results) {
  const Predicted& predicted = results.predicted;
  out << "\nsampling " << results.sampling << ", per " << (results.effective ? "epoch" : "update")
      << "\n\n";
  if (results.effective)
    out << "effective minimum        |theta^_0 - theta_0| = "
        << (results.effective->theta - minimum.theta).norm() << "  (" << results.effective_seconds
        << " s)\n";
  out << "eta h_max                "
      << predicted.learning_rate * predicted.hessian_eigenvalues.maxCoeff()
      << "  (what the theory leaves out is of this relative order)\n"
      << "slowest relaxation       " << relaxation_time(predicted) << " Markov steps\n"
      << "diffusion                trace " << predicted.diffusion.trace() << ", rank "
      << predicted.rank << " of " << predicted.mean.size() << "  (" << results.diffusion_seconds
      << " s)\n"
      << "covariance               trace " << predicted.covariance.trace() << ", norm "
      << predicted.covariance.norm() << ", residual " << predicted.residual << "  ("
      << results.covariance_seconds << " s)\n"
      << "circulation              norm " << predicted.circulation.norm()
      << ", |C| / |D| = " << predicted.nonequilibrium_ratio() << '\n'
      << "entropy production       " << predicted.entropy_production
      << " on the range of D; of the velocity, a relative " << predicted.velocity_outside_range
      << " is outside of it\n";
  for (const RankCheck& check : results.ranks)
    out << "  with eigenvalues below " << std::setw(8) << check.tolerance
        << " of the largest dropped: " << check.entropy_production << ", rank " << check.rank
        << '\n';
  for (const NoiseLevel& level : results.levels)
    out << "  noise of an epoch, " << std::left << std::setw(17) << level.name << std::right
        << " trace " << std::setw(12) << level.trace << ", off by " << std::setw(10)
        << 100 * level.difference << " %  (" << level.seconds << " s)\n";
}

/// Batches must be long beside the slowest relaxation, or else their scatter says too little.
inline void warn_of_short_run(std::ostream& out, const Results& results) {
  const double relaxation = relaxation_time(results.predicted);
  if (static_cast<double>(results.measured->batch_length) >= 1.5 * relaxation) return;
  out << "The run is short beside the slowest relaxation of " << relaxation
      << " Markov steps: the standard errors are too small,\nand a FAIL may come of that. Raise "
         "--steps.\n\n";
}

inline void print_simulation(std::ostream& out, const Results& results) {
  const Measured& measured = *results.measured;
  const Predicted& predicted = results.predicted;
  const Directions& directions = *results.directions;
  out << "Markov steps             " << measured.markov_steps << " observed, after "
      << results.burn_in << " updates of burn-in in each chain; " << measured.seconds_per_step * 1e6
      << " us an update\n"
      << "                         every " << measured.stride << ". state; batches of "
      << measured.batch_length << "; autocorrelation times "
      << directions.autocorrelation_time.minCoeff() << " ... "
      << directions.autocorrelation_time.maxCoeff() << '\n'
      << '\n'
      << ness::compare(predicted, measured) << '\n';
  warn_of_short_run(out, results);
  out << "trace of the covariance, simulation / theory: "
      << measured.covariance.value.trace() / predicted.covariance.trace() << '\n'
      << "covariance, simulation against theory: "
      << 100 * relative_error(measured.covariance.value, predicted.covariance)
      << " %; what chance alone would leave: "
      << 100 * measured.covariance.standard_error.norm() / predicted.covariance.norm() << " %\n"
      << "variances along the " << directions.theory.size()
      << " eigenvectors of H: " << 100 * directions.within(1) << " % within 1, "
      << 100 * directions.within(2) << " % within 2, " << 100 * directions.within(3)
      << " % within 3 standard errors of theory\n";
  if (results.sampling == "wor" && predicted.entropy_production > 1)
    out << "An epoch produces so much entropy that <exp(-sigma)> comes from trajectories too rare "
           "to be seen:\nits rows say FAIL for any affordable number of epochs.\n";
}

inline void print(std::ostream& out, const Options& options, const Objective& objective,
                  const Minimum& minimum, const std::vector<Results>& all) {
  print_problem(out, options, objective, minimum);
  for (const Results& results : all) {
    print_theory(out, minimum, results);
    if (results.measured) print_simulation(out, results);
  }
  out << "\npeak memory              " << peak_memory_bytes() / 1'000'000 << " MB\n";
}

inline nlohmann::json to_json(const Objective& objective, const Minimum& minimum,
                              const Results& results) {
  const Predicted& predicted = results.predicted;
  nlohmann::json json;
  json["sampling"] = results.sampling;
  json["parameters"] = objective.parameters();
  json["samples"] = objective.samples();
  json["loss_at_minimum"] = minimum.value;
  json["train_accuracy"] = accuracy(objective, minimum.theta);
  json["hessian_eigenvalues"] = {{"min", minimum.hessian_eigenvalues.minCoeff()},
                                 {"max", minimum.hessian_eigenvalues.maxCoeff()}};
  json["diffusion"] = {{"trace", predicted.diffusion.trace()},
                       {"rank", predicted.rank},
                       {"seconds", results.diffusion_seconds}};
  json["covariance"] = {{"trace", predicted.covariance.trace()},
                        {"norm", predicted.covariance.norm()},
                        {"seconds", results.covariance_seconds}};
  json["circulation"] = {{"norm", predicted.circulation.norm()}};
  json["entropy_production"]["theory"] = predicted.entropy_production;
  for (const NoiseLevel& level : results.levels)
    json["diffusion"]["levels"].push_back({{"name", level.name},
                                           {"trace", level.trace},
                                           {"relative_difference", level.difference},
                                           {"seconds", level.seconds}});
  json["peak_memory_bytes"] = peak_memory_bytes();
  if (!results.measured) return json;
  const Measured& measured = *results.measured;
  auto& entropy = json["entropy_production"];
  auto& integral = json["integral_fluctuation"];
  for (const auto& part : measured.trajectories) {
    entropy["simulation"].push_back(part.entropy_production.value);
    entropy["standard_error"].push_back(part.entropy_production.standard_error);
    integral["simulation"].push_back(part.integral_fluctuation.value);
    integral["standard_error"].push_back(part.integral_fluctuation.standard_error);
  }
  auto& simulation = json["simulation"];
  simulation["covariance_trace"] = measured.covariance.value.trace();
  simulation["covariance_relative_error"] =
      relative_error(measured.covariance.value, predicted.covariance);
  simulation["circulation_relative_error"] =
      relative_error(measured.circulation.value, predicted.circulation);
  simulation["seconds_per_step"] = measured.seconds_per_step;
  simulation["markov_steps_total"] = measured.markov_steps;
  simulation["directions_within_3_standard_errors"] = results.directions->within(3);
  return json;
}

/// One way of sampling as it is; several under their names.
inline nlohmann::json to_json(const Objective& objective, const Minimum& minimum,
                              const std::vector<Results>& all) {
  if (all.size() == 1) return to_json(objective, minimum, all.front());
  nlohmann::json json;
  for (const Results& results : all) json[results.sampling] = to_json(objective, minimum, results);
  return json;
}
