// What stands above a figure: how training was done, as gnuplot's enhanced text.
#pragma once

#include <string>

/// As 3 · 10^{−7}, or as it is where that is short.
std::string number_title(double value);

/// "with replacement" and so on; of a way of sampling without a longer name, the name.
std::string sampling_title(const std::string& sampling);

/// The same colour for a way of sampling in all pictures.
std::string sampling_color(const std::string& sampling);

/// The axes of a picture of variances against curvatures h of `least` ... `most`, with a line at
/// the h where epochs without replacement cross over, 3(1 − β)/(ηn) = `crossing`.
std::string curvature_axes(double least, double most, double crossing);

/// The way of sampling with η, and m where there are minibatches, else ζ.
std::string minibatch_title(const std::string& sampling, double eta, long long batch);
std::string earthquake_title(double eta, double zeta);
