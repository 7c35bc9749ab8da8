// What a careful user would write by hand for one with-replacement step on the regression network
// of Eq. 30: the same vectorised tanh, everything at static size, and the same random numbers or
// cheap ones.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <utility>
#include <vector>

#include "ness/detail/vector_math.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/uniform.hpp"

// As cheap as random words get: a counter, mixed (G. L. Steele, D. Lea and C. H. Flood, OOPSLA
// 2014, doi:10.1145/2660193.2660195).
class SplitMix {
 public:
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() {
    std::uint64_t z = counter_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }

 private:
  std::uint64_t counter_ = 1;
};

template <class Random>
class HandWrittenStep {
 public:
  static constexpr int m = 10;

  HandWrittenStep(Eigen::VectorXd x, Eigen::VectorXd y, double scale, double lambda, double eta,
                  Eigen::Matrix<double, 7, 1> theta, Random random)
      : x_(std::move(x)),
        y_(std::move(y)),
        scale_(scale),
        lambda_(lambda),
        eta_(eta),
        theta_(theta),
        random_(random),
        order_(static_cast<std::size_t>(x_.size())) {
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint32_t>(i);
  }

  void update() {
    Eigen::Array<double, m, 1> x, y;
    const auto samples = static_cast<std::uint32_t>(order_.size());
    for (std::uint32_t j = 0; j < m; ++j) {
      std::swap(order_[j], order_[j + ness::uniform_index(random_, samples - j)]);
      x[j] = x_[order_[j]];
      y[j] = y_[order_[j]];
    }
    Eigen::Array<double, m, 1> h1 = theta_[0] * x + theta_[2];
    Eigen::Array<double, m, 1> h2 = theta_[1] * x + theta_[3];
    for (int j = 0; j < m; ++j) h1[j] = ness::detail::tanh(h1[j]);
    for (int j = 0; j < m; ++j) h2[j] = ness::detail::tanh(h2[j]);
    const Eigen::Array<double, m, 1> delta =
        (2 * scale_ / m) * (theta_[4] * h1 + theta_[5] * h2 + theta_[6] - y);
    const Eigen::Array<double, m, 1> d1 = delta * theta_[4] * (1 - h1 * h1);
    const Eigen::Array<double, m, 1> d2 = delta * theta_[5] * (1 - h2 * h2);
    Eigen::Matrix<double, 7, 1> gradient;
    gradient << (d1 * x).sum(), (d2 * x).sum(), d1.sum(), d2.sum(), (delta * h1).sum(),
        (delta * h2).sum(), delta.sum();
    theta_ -= eta_ * (gradient + 2 * lambda_ * theta_);
  }

  const Eigen::Matrix<double, 7, 1>& theta() const { return theta_; }

 private:
  Eigen::VectorXd x_, y_;
  double scale_, lambda_, eta_;
  Eigen::Matrix<double, 7, 1> theta_;
  Random random_;
  std::vector<std::uint32_t> order_;
};
