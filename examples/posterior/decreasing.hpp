// Learning rates that fall: what the draws of a whole run are worth, and the law where it ends.
#pragma once

#include <Eigen/Core>
#include <iosfwd>
#include <string>
#include <vector>

#include "../common/figures.hpp"
#include "../common/json.hpp"

/// After some passes over the data.
struct DecreasingPoint {
  double passes;         ///< gradients of single samples over M
  double learning_rate;  ///< η of the last Markov step
  double divergence;     ///< of the law there from the posterior, in bits
  double error;          ///< of the variances, relative: √ of the mean square over directions
  double bias;           ///< the same of their mean over runs
  double measured = 0;   ///< `error`, over runs
  double standard_error = 0;  ///< of it; 0 where nothing was run so far
};

/// A sampler with one exponent.
struct DecreasingSeries {
  std::string key, title;  ///< of the sampler
  std::string name;        ///< of the exponent: best or usual
  double order;            ///< p, of the error η^p of the stationary state
  double first;            ///< η₁
  double delay;            ///< t₁, in Markov steps
  double exponent;         ///< γ
  std::vector<DecreasingPoint> points;
};

void print(std::ostream& out, const std::vector<DecreasingSeries>& all);
void write(const Json& json, const std::vector<DecreasingSeries>& all);
void draw(FigureFolder& folder, const std::vector<DecreasingSeries>& all);
