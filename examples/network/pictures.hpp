// The figures.
#pragma once

#include <string>
#include <vector>

#include "../common/figures.hpp"
#include "options.hpp"
#include "results.hpp"

/// The density of the eigenvalues of H, and the K leading ones.
void draw_spectrum(FigureFolder& folder, const ness::SpectralDensity<double>& density,
                   const Summary& summary);

/// A way of training, in theory.
struct Line {
  std::string name, title, color;
  bool dashed;
  Eigen::VectorXd values;
};

/// Variance along the leading eigenvectors against h, in theory and in simulation.
void draw_variance(FigureFolder& folder, const Summary& summary, const std::vector<Line>& theory,
                   const std::vector<Results>& all, const Options& options);

/// D against h: along the leading eigenvectors, and the mean of all near each h.
void draw_noise(FigureFolder& folder, const ness::SpectralDensity<double>& density,
                const Summary& summary, const Prediction& predicted, const Options& options);

/// The ellipse of Σ in the plane of the two leading eigenvectors, in theory and simulation, with
/// the current on it.
void draw_plane(FigureFolder& folder, const Results& results, const Options& options);

/// 𝓛 along the leading eigenvectors, and its quadratic form.
void draw_loss(FigureFolder& folder, const LossAlong& loss, const Summary& summary);
