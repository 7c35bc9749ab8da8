// Random signs, for traces of matrices that are known by their products alone.
#pragma once

#include "ness/detail/matrices.hpp"
#include "ness/random/uniform.hpp"

namespace ness::detail {

/// +1 and −1 with equal chances, rows × cols: for each column z of them ⟨zᵀAz⟩ = tr A
/// (M. F. Hutchinson, Commun. Stat. Simul. Comput. 19, 433 (1990),
/// doi:10.1080/03610919008812866).
template <class Scalar, RandomBits Random>
DynamicMatrix<Scalar> random_signs(Random& random, Eigen::Index rows, Eigen::Index cols) {
  DynamicMatrix<Scalar> signs(rows, cols);
  for (Eigen::Index k = 0; k < signs.size(); ++k)
    signs.data()[k] = uniform_index(random, 2) == 0 ? Scalar(1) : Scalar(-1);
  return signs;
}

}  // namespace ness::detail
