// Where results go besides standard output: a JSON file, and a folder of figures.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "figures.hpp"
#include "json.hpp"
#include "training_options.hpp"

class Outputs {
 public:
  /// To be made before a long run: throws `UserError` where something cannot be written.
  explicit Outputs(const RunOptions& options);

  /// Writes the JSON file, if it is asked for.
  void write(const Json& json) const;

  /// Lets `draw` fill the folder, if it is asked for, and says what was drawn. Throws `UserError`.
  void draw(const std::function<void(FigureFolder&)>& draw);

 private:
  std::string json_;
  std::optional<FigureFolder> folder_;
};
