#define NESS_COMPILED  // the kernels are in linear_algebra.cpp
#include "ness/detail/matrices.hpp"
#undef NESS_COMPILED

#include "ness/detail/general_matrices.hpp"
#include "ness/diffusion/epoch_noise_along.hpp"
#include "ness/diffusion/noise_spectrum.hpp"
#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/spectral_density.hpp"
#include "ness/landscape/truncated_newton.hpp"

namespace ness::detail {

template struct GeneralLyapunov<double>;
template struct GeneralLyapunov<float>;

template Eigenpairs<double> leading_eigenpairs(const HessianProducts<double>&, Eigen::Index,
                                               const EigenpairSettings&);
template SpectralDensity<double> spectral_density(
    const HessianProducts<double>&, const DynamicMatrix<double>&, Eigen::Index,
    const std::function<void(Eigen::Index, Eigen::Index)>&);
template Minimum<double> minimize(const MatrixFreeLandscape<double>&, const DynamicVector<double>&,
                                  const MatrixFreeSettings&);

template Estimate<double> square_of(const DynamicMatrix<double>&);
template EpochNoiseAlong epoch_noise_of(EpochProjections<double>, const EpochMoments&, Eigen::Index,
                                        double);

}  // namespace ness::detail
