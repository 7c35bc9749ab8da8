// A population that is drawn anew in each generation: an independent check of the diffusion, with
// which it shares no code.
#pragma once

#include <Eigen/Core>
#include <random>

/// N copies of three alleles: in each generation selection, x_j (1 + s_j) over their sum, then
/// mutation, and N copies are drawn from what results.
class Resampling {
 public:
  Resampling(int copies, Eigen::Vector3d mutation, Eigen::Vector3d selection, std::uint64_t seed)
      : copies_(copies), mutation_(mutation), selection_(selection), random_(seed) {}

  void step() {
    const Eigen::Vector3d x(theta_[0], theta_[1], 1 - theta_.sum());
    Eigen::Vector3d p = x.cwiseProduct(Eigen::Vector3d::Ones() + selection_);
    p /= p.sum();
    p = (1 - mutation_.sum()) * p + mutation_;
    const int first = draw(copies_, p[0]);
    const int second = draw(copies_ - first, p[1] / (p[1] + p[2]));
    theta_ = Eigen::Vector2d(first, second) / copies_;
  }

  const Eigen::Vector2d& theta() const { return theta_; }
  Eigen::Index parameters() const { return 2; }
  Eigen::Index updates_per_markov_step() const { return 1; }

 private:
  int draw(int copies, double probability) {
    return std::binomial_distribution<int>(copies, std::min(probability, 1.0))(random_);
  }

  int copies_;
  Eigen::Vector3d mutation_, selection_;
  std::mt19937_64 random_;
  Eigen::Vector2d theta_{1.0 / 3, 1.0 / 3};
};
