// JSON documents, filled by name: json["covariance"]["theory"] = Σ.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

/// A vector or a matrix of Eigen's.
template <class Type>
concept EigenMatrix = requires { typename Type::PlainObject; };

/// A document, or a place in one. A copy is the same place; to assign is to set what is there.
class Json {
 public:
  Json();
  Json(const Json&) = default;
  Json& operator=(const Json&) = delete;

  /// The place of that name in an object.
  Json operator[](const std::string& name) const;

  void operator=(bool value) const;
  void operator=(std::int64_t value) const;
  /// What is not finite becomes null.
  void operator=(double value) const;
  void operator=(const std::string& value) const;
  void operator=(const char* value) const { *this = std::string(value); }
  void operator=(const std::vector<double>& array) const;
  void operator=(const std::vector<std::vector<double>>& rows) const;

  /// A vector is an array, a matrix an array of its rows.
  template <EigenMatrix Matrix>
  void operator=(const Matrix& matrix) const {
    if constexpr (Matrix::IsVectorAtCompileTime) {
      *this = std::vector<double>(matrix.begin(), matrix.end());
    } else {
      std::vector<std::vector<double>> rows;
      for (const auto& row : matrix.rowwise()) rows.emplace_back(row.begin(), row.end());
      *this = rows;
    }
  }

  /// Makes an array longer by a number, or by a copy of another document.
  void push_back(double value) const;
  void push_back(const Json& document) const;

  /// Indented by two blanks.
  std::string text() const;

 private:
  explicit Json(std::shared_ptr<nlohmann::json> place);

  std::shared_ptr<nlohmann::json> place_;
};
