#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/spectral_density.hpp"

namespace ness::detail {

template Eigenpairs<double> leading_eigenpairs(const HessianProducts<double>&, Eigen::Index,
                                               const EigenpairSettings&);
template SpectralDensity<double> spectral_density(const HessianProducts<double>&, Eigen::Index,
                                                  const SpectralDensitySettings&);

}  // namespace ness::detail
