#include "kernels.hpp"

#define NESS_COMPILED  // these are in sources of their own
#include "ness/landscape/minimize.hpp"
#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/generalized_lyapunov.hpp"
#include "ness/statistics/threads.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "ness/trajectory/moments.hpp"
#undef NESS_COMPILED

#include "ness/posterior/divergence.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/posterior/posterior_estimator.hpp"
#include "ness/posterior/sampler_epochs.hpp"

namespace ness {

template class PosteriorEstimator<double>;
template void PosteriorEstimator<double>::serialize(CheckpointWriter&);
template void PosteriorEstimator<double>::serialize(CheckpointReader&);

namespace detail {

template double kl_divergence_of_excess(const DynamicVector<double>&, const DynamicMatrix<double>&,
                                        const DynamicMatrix<double>&);
template double kl_divergence_of_excess(const DynamicVector<float>&, const DynamicMatrix<float>&,
                                        const DynamicMatrix<float>&);
template PosteriorError<double> posterior_error(const GaussianPosterior<double>&, LyapunovStatus,
                                                const DynamicVector<double>&,
                                                const DynamicMatrix<double>&);
template PosteriorError<float> posterior_error(const GaussianPosterior<float>&, LyapunovStatus,
                                               const DynamicVector<float>&,
                                               const DynamicMatrix<float>&);
template PosteriorError<double> error_of_equation(const GaussianPosterior<double>&,
                                                  const DynamicVector<double>&,
                                                  const DynamicMatrix<double>&,
                                                  const DynamicMatrix<double>&, double,
                                                  const CurvatureFunction<double>&, LyapunovForm);
template PosteriorError<float> error_of_equation(const GaussianPosterior<float>&,
                                                 const DynamicVector<float>&,
                                                 const DynamicMatrix<float>&,
                                                 const DynamicMatrix<float>&, double,
                                                 const CurvatureFunction<float>&, LyapunovForm);
template PosteriorError<double> error_of_epochs(const GaussianPosterior<double>&,
                                                const std::vector<EpochSums<double>>&);
template PosteriorError<float> error_of_epochs(const GaussianPosterior<float>&,
                                               const std::vector<EpochSums<float>>&);
template std::pair<DynamicVector<double>, DynamicMatrix<double>> solve_moments(
    const EpochSums<double>&);
template std::pair<DynamicVector<float>, DynamicMatrix<float>> solve_moments(
    const EpochSums<float>&);

}  // namespace detail
}  // namespace ness
