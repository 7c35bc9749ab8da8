// Eigen's vectors and matrices as JSON: arrays, and arrays of rows.
#pragma once

#include <Eigen/Core>
#include <nlohmann/json.hpp>

template <class Derived>
nlohmann::json to_json_array(const Eigen::DenseBase<Derived>& values) {
  nlohmann::json result = nlohmann::json::array();
  if constexpr (Derived::IsVectorAtCompileTime) {
    for (Eigen::Index i = 0; i < values.size(); ++i) result.push_back(values.derived()[i]);
  } else {
    for (Eigen::Index i = 0; i < values.rows(); ++i)
      result.push_back(to_json_array(values.derived().row(i)));
  }
  return result;
}
