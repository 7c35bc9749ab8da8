// What stands above a figure: how training was done, as gnuplot's enhanced text.
#pragma once

#include <string>

/// As 3 · 10^{−7}, or as it is where that is short.
std::string number_title(double value);

/// "with replacement" and so on; of a way of sampling without a longer name, the name.
std::string sampling_title(const std::string& sampling);

/// The way of sampling with η, and m where there are minibatches, else ζ.
std::string minibatch_title(const std::string& sampling, double eta, long long batch);
std::string earthquake_title(double eta, double zeta);
