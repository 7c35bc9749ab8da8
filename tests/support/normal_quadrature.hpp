// Means over normal numbers by Gauss and Hermite's rule, exact for polynomials of degree 2n − 1.
#pragma once

#include <Eigen/Eigenvalues>
#include <cmath>

/// Nodes and weights of n points (G. H. Golub and J. H. Welsch, Math. Comp. 23, 1969).
struct NormalQuadrature {
  Eigen::VectorXd nodes, weights;

  explicit NormalQuadrature(Eigen::Index n) {
    Eigen::MatrixXd jacobi = Eigen::MatrixXd::Zero(n, n);
    for (Eigen::Index k = 1; k < n; ++k)
      jacobi(k, k - 1) = jacobi(k - 1, k) = std::sqrt(static_cast<double>(k));
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(jacobi);
    nodes = eigen.eigenvalues();
    weights = eigen.eigenvectors().row(0).cwiseAbs2().transpose();
  }

  /// The mean of f(z) over z of `size` independent normal numbers.
  template <class Function>
  double mean(Eigen::Index size, const Function& f) const {
    Eigen::VectorXd z(size);
    return mean_of_rest(z, 0, f);
  }

 private:
  template <class Function>
  double mean_of_rest(Eigen::VectorXd& z, Eigen::Index from, const Function& f) const {
    if (from == z.size()) return f(z);
    double sum = 0;
    for (Eigen::Index k = 0; k < nodes.size(); ++k) {
      z[from] = nodes[k];
      sum += weights[k] * mean_of_rest(z, from + 1, f);
    }
    return sum;
  }
};
