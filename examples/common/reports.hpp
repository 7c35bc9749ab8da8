// What the reports of several examples have in common.
#pragma once

#include <Eigen/Core>
#include <ness/trajectory/sub_trajectories.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "json.hpp"

/// Numbers side by side.
inline std::string in_row(const Eigen::VectorXd& numbers, int digits) {
  std::ostringstream text;
  text.precision(digits);
  for (Eigen::Index k = 0; k < numbers.size(); ++k) text << (k == 0 ? "" : " ") << numbers[k];
  return text.str();
}

/// ‖Σ − Σ_theory‖ / ‖Σ_theory‖
inline double relative_error(const Eigen::MatrixXd& value, const Eigen::MatrixXd& theory) {
  return (value - theory).norm() / theory.norm();
}

/// ⟨σ⟩ and ⟨e^{−σ}⟩ for each length.
inline void write_trajectories(const Json& json,
                               const std::vector<ness::SubTrajectories>& trajectories) {
  const Json entropy = json["entropy_production"];
  const Json integral = json["integral_fluctuation"];
  for (const auto& part : trajectories) {
    entropy["simulation"].push_back(part.entropy_production.value);
    entropy["standard_error"].push_back(part.entropy_production.standard_error);
    integral["simulation"].push_back(part.integral_fluctuation.value);
    integral["standard_error"].push_back(part.integral_fluctuation.standard_error);
  }
}
