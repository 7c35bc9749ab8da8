#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/spectral_density.hpp"
#include "ness/landscape/truncated_newton.hpp"

namespace ness::detail {

template Eigenpairs<double> leading_eigenpairs(const HessianProducts<double>&, Eigen::Index,
                                               const EigenpairSettings&);
template SpectralDensity<double> spectral_density(const HessianProducts<double>&, Eigen::Index,
                                                  const SpectralDensitySettings&);
template Minimum<double> minimize(const MatrixFreeLandscape<double>&, const DynamicVector<double>&,
                                  const MatrixFreeSettings&);

}  // namespace ness::detail
