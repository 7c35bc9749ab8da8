#include "outputs.hpp"

#include <iostream>

#include "files.hpp"

Outputs::Outputs(const RunOptions& options) : json_(options.json) {
  if (!json_.empty()) require_writable(json_);
  if (!options.figures.empty()) folder_.emplace(options.figures);
}

void Outputs::write(const Json& json) const {
  std::cout.flush();  // the table is whole before anything else is done
  if (!json_.empty()) write_atomically(json_, json.text() + "\n");
}

void Outputs::draw(const std::function<void(FigureFolder&)>& draw) {
  if (!folder_) return;
  draw(*folder_);
  std::cout << '\n' << folder_->summary() << '\n';
}
