#include "titles.hpp"

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

std::string minibatch_title(const std::string& sampling, double eta, long long batch) {
  return sampling_title(sampling) + ",  {/:Italic η} = " + number_title(eta) +
         ",  {/:Italic m} = " + std::to_string(batch);
}

std::string earthquake_title(double eta, double zeta) {
  return sampling_title("earthquake") + ",  {/:Italic η} = " + number_title(eta) +
         ",  {/:Italic ζ} = " + number_title(zeta);
}
