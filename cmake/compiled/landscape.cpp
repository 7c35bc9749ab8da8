#include "ness/diffusion/epoch_noise_along.hpp"
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

template EpochNoiseAlong epoch_noise_of(EpochProjections<double>, const EpochMoments&, Eigen::Index,
                                        double);

}  // namespace ness::detail
