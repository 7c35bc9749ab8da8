#include "titles.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

std::string number_title(double value) {
  const auto text = [](double number) {
    std::ostringstream out;
    out << number;
    return out.str();
  };
  const double size = std::abs(value);
  if (!(size > 0) || (size >= 0.01 && size < 1e4)) return text(value);
  const double power = std::floor(std::log10(size * (1 + 1e-12)));
  const std::string digits = text(value / std::pow(10, power));
  return (digits == "1" ? "" : digits + " · ") + "10^{" + (power < 0 ? "−" : "") +
         text(std::abs(power)) + "}";
}

std::string sampling_title(const std::string& sampling) {
  if (sampling == "wr") return "with replacement";
  if (sampling == "wor") return "without replacement";
  if (sampling == "earthquake") return "earthquake model";
  if (sampling == "iid") return "independent draws";
  if (sampling == "poisson") return "Poisson";
  if (sampling == "drop-last") return "last batch dropped";
  if (sampling == "there-and-back") return "there and back";
  return sampling;
}

std::string sampling_color(const std::string& sampling) {
  if (sampling == "wr") return "#1f4e9c";
  if (sampling == "wor") return "#2a9d5c";
  if (sampling == "earthquake") return "#c81d1d";
  return "#8e44ad";
}

std::string curvature_axes(double least, double most, double crossing) {
  std::ostringstream text;
  text << "set xrange [" << std::min(least, crossing) / 1.5 << ':' << std::max(most, crossing) * 1.5
       << "]\n"
       << R"(
set logscale xy
set format x '10^{%T}'
set format y '10^{%T}'
set xlabel 'curvature {/:Italic h} along an eigenvector of the Hessian'
set ylabel 'variance along it'
set grid lc rgb '#e0e0e0'
set key outside right top Left reverse samplen 3 font ',15'
set arrow from )"
       << crossing << ", graph 0 to " << crossing << R"(, graph 1 nohead dt (6,4) lc rgb '#888888'
set label '3(1 − {/:Italic β})/({/:Italic ηn})' at )"
       << crossing << ", graph 0.06 right offset -0.7,0\n";
  return text.str();
}

std::string minibatch_title(const std::string& sampling, double eta, long long batch) {
  return sampling_title(sampling) + ",  {/:Italic η} = " + number_title(eta) +
         ",  {/:Italic m} = " + std::to_string(batch);
}

std::string earthquake_title(double eta, double zeta) {
  return sampling_title("earthquake") + ",  {/:Italic η} = " + number_title(eta) +
         ",  {/:Italic ζ} = " + number_title(zeta);
}
