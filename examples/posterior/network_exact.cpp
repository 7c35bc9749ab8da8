#include "network_exact.hpp"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <cmath>

namespace network {
namespace {

using Vector = Eigen::VectorXd;
using Units = Eigen::MatrixX3d;

Units hidden_units(const Eigen::Vector4d& weights, const Vector& x) {
  Units units(x.size(), 3);
  units.col(0) = (weights[0] * x.array() + weights[2]).tanh();
  units.col(1) = (weights[1] * x.array() + weights[3]).tanh();
  units.col(2).setOnes();
  return units;
}

/// Sums over hidden weights of what the output weights give.
class Integral {
 public:
  Integral(const Regression& regression, const Vector& theta, const Eigen::MatrixXd& hessian,
           const Vector& places)
      : regression_(regression),
        places_(places),
        centre_(theta.head<4>()),
        precision_(1 / (regression.noise * regression.noise)) {
    const Eigen::Matrix4d covariance = hessian.inverse().eval().topLeftCorner<4, 4>();
    root_ = covariance.llt().matrixL();
  }

  /// With points `step` apart, to `reach` to all sides.
  Band band(double step, double reach) {
    total_ = 0;
    sum_ = squares_ = Vector::Zero(places_.size());
    largest_ = weigh(centre_).logarithm;
    Eigen::Vector4d z;
    add_rest(z, 0, step, reach);
    Band band{sum_ / total_, {}};
    band.deviation = (squares_ / total_ - band.mean.cwiseAbs2()).cwiseSqrt();
    return band;
  }

 private:
  /// Of the output weights, given the hidden ones.
  struct Output {
    Eigen::LLT<Eigen::Matrix3d> curvature;
    Eigen::Vector3d mean;
    double logarithm;  ///< of the weight
  };

  Output weigh(const Eigen::Vector4d& weights) const {
    const Units units = hidden_units(weights, regression_.x);
    const Eigen::Matrix3d curvature = precision_ * (units.transpose() * units) +
                                      2 * regression_.lambda * Eigen::Matrix3d::Identity();
    const Eigen::Vector3d slope = precision_ * (units.transpose() * regression_.y);
    Output output{Eigen::LLT<Eigen::Matrix3d>(curvature), {}, 0};
    output.mean = output.curvature.solve(slope);
    output.logarithm = slope.dot(output.mean) / 2 -
                       output.curvature.matrixLLT().diagonal().array().log().sum() -
                       regression_.lambda * weights.squaredNorm();
    return output;
  }

  void add_rest(Eigen::Vector4d& z, int axis, double step, double reach) {
    const int most = static_cast<int>(reach / step);
    for (int k = -most; k <= most; ++k) {
      z[axis] = k * step;
      if (axis < 3)
        add_rest(z, axis + 1, step, reach);
      else if (z.squaredNorm() <= reach * reach)
        add(centre_ + root_ * z);
    }
  }

  void add(const Eigen::Vector4d& weights) {
    const Output output = weigh(weights);
    const double weight = std::exp(output.logarithm - largest_);
    const Units units = hidden_units(weights, places_);
    const Vector mean = units * output.mean;
    const Eigen::Matrix3Xd scaled = output.curvature.matrixL().solve(units.transpose());
    total_ += weight;
    sum_ += weight * mean;
    squares_ += weight * (mean.cwiseAbs2() + scaled.colwise().squaredNorm().transpose());
  }

  const Regression& regression_;
  const Vector& places_;
  Eigen::Vector4d centre_;
  Eigen::Matrix4d root_;
  double precision_;
  double total_ = 0, largest_ = 0;
  Vector sum_, squares_;
};

}  // namespace

std::optional<Band> exact_band(const Regression& regression, const Eigen::VectorXd& theta,
                               const Eigen::MatrixXd& hessian, const Eigen::VectorXd& places) {
  Integral integral(regression, theta, hessian, places);
  const Band coarse = integral.band(0.8, 6.4), fine = integral.band(0.7, 7.7);
  const auto differ = [&](const Vector& a, const Vector& b) {
    return (a - b).cwiseQuotient(fine.deviation).cwiseAbs().maxCoeff();
  };
  const double most = 1e-3;
  if (!(differ(coarse.mean, fine.mean) <= most) ||
      !(differ(coarse.deviation, fine.deviation) <= most))
    return {};
  return fine;
}

}  // namespace network
