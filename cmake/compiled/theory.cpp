// What theory is made of, on the kernels of linear_algebra.cpp and the batch means of
// trajectory.cpp.
#define NESS_COMPILED  // these are defined there
#include "ness/detail/general_matrices.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/statistics/cycling.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/statistics/threads.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "ness/trajectory/moments.hpp"
#undef NESS_COMPILED

#include "ness/landscape/minimize.hpp"
#include "ness/posterior/autocorrelation_time.hpp"
#include "ness/posterior/choose_sampler.hpp"
#include "ness/posterior/convergence.hpp"
#include "ness/posterior/decreasing_error.hpp"
#include "ness/posterior/divergence.hpp"
#include "ness/posterior/kinetic_error.hpp"
#include "ness/posterior/kinetic_modes.hpp"
#include "ness/posterior/leading_error.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/posterior/posterior_estimator.hpp"
#include "ness/posterior/sampler_epochs.hpp"
#include "ness/posterior/unequal_batches.hpp"
#include "ness/stationary/adaptive.hpp"
#include "ness/stationary/additive_epochs.hpp"
#include "ness/stationary/averages.hpp"
#include "ness/stationary/curved_noise.hpp"
#include "ness/stationary/entropy_spectrum.hpp"
#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/generalized_lyapunov.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/stationary/lyapunov.hpp"
#include "ness/stationary/mean_shift.hpp"
#include "ness/stationary/momentum.hpp"
#include "ness/stationary/preconditioner.hpp"
#include "ness/stationary/relaxation.hpp"
#include "ness/stationary/sampled_epochs.hpp"
#include "ness/stationary/schedule.hpp"
#include "ness/stationary/stationary_state.hpp"

namespace ness::detail {

template Minimum<double> minimize(const LandscapeFunctions<double>&, const DynamicVector<double>&,
                                  const MinimizeSettings&);
template Minimum<float> minimize(const LandscapeFunctions<float>&, const DynamicVector<float>&,
                                 const MinimizeSettings&);
template Minimum<double> polish_minimum(const LandscapeFunctions<double>&,
                                        const DynamicVector<double>&, const DynamicMatrix<double>&);
template Minimum<float> polish_minimum(const LandscapeFunctions<float>&,
                                       const DynamicVector<float>&, const DynamicMatrix<float>&);

}  // namespace ness::detail

namespace ness {

template struct Minimum<double>;
template struct Minimum<float>;

template struct RangeInverse<double>;
template struct RangeInverse<float>;
template class Relaxation<double>;
template class Relaxation<float>;
template class StationaryState<double>;
template class EntropySpectrum<double>;
template class StationaryState<float>;
template class Autocovariance<double>;
template DynamicMatrix<double> covariance_of_mean_over_epochs(const StationaryState<double>&,
                                                              const DynamicMatrix<double>&,
                                                              std::int64_t, std::int64_t);
template Ensemble<double> ensemble_after(const StationaryState<double>&,
                                         const StationaryState<double>&, double);
template std::int64_t steps_to_settle(const StationaryState<double>&,
                                      const StationaryState<double>&, double);
template double switching_potential(const StationaryState<double>&, const StationaryState<double>&,
                                    const DynamicVector<double>&);
template double switching_variance(const StationaryState<double>&, const StationaryState<double>&);
template class Autocovariance<float>;
template DynamicMatrix<float> covariance_of_mean_over_epochs(const StationaryState<float>&,
                                                             const DynamicMatrix<float>&,
                                                             std::int64_t, std::int64_t);
template Ensemble<float> ensemble_after(const StationaryState<float>&,
                                        const StationaryState<float>&, double);
template std::int64_t steps_to_settle(const StationaryState<float>&, const StationaryState<float>&,
                                      double);
template float switching_potential(const StationaryState<float>&, const StationaryState<float>&,
                                   const DynamicVector<float>&);
template float switching_variance(const StationaryState<float>&, const StationaryState<float>&);

namespace detail {

template struct MemoryMode<double>;
template struct MemoryMode<float>;
template struct MemoryPair<double>;
template struct MemoryPair<float>;
template ChainCovariance<double> covariance_of_chain_with_memory(const LinearChain<double>&);
template ChainCovariance<float> covariance_of_chain_with_memory(const LinearChain<float>&);
template ChainCovariance<double> covariance_of_scaled_chain(const LinearChain<double>&);
template LinearChain<double> adaptive_chain(AdaptivePlace<double>, const AdaptivePlaces<double>&,
                                            double, const Adaptive&);
template LinearChain<double> adaptive_chain(AdaptivePlace<double>, double, const Adaptive&);
template ChainCovariance<float> covariance_of_scaled_chain(const LinearChain<float>&);
template LinearChain<float> adaptive_chain(AdaptivePlace<float>, const AdaptivePlaces<float>&,
                                           double, const Adaptive&);
template LinearChain<float> adaptive_chain(AdaptivePlace<float>, double, const Adaptive&);
template Preconditioner<double> preconditioner_for(const DynamicMatrix<double>&,
                                                   const DynamicMatrix<double>&,
                                                   const DynamicMatrix<double>&);
template Preconditioner<float> preconditioner_for(const DynamicMatrix<float>&,
                                                  const DynamicMatrix<float>&,
                                                  const DynamicMatrix<float>&);
template EpochKernels<double> epoch_kernels(const DynamicVector<double>&, const LinearUpdate&,
                                            const EpochCorrelation&, EpochPhase, std::string_view);
template EpochKernels<float> epoch_kernels(const DynamicVector<float>&, const LinearUpdate&,
                                           const EpochCorrelation&, EpochPhase, std::string_view);
template LinearChain<double> additive_epochs(DynamicVector<double>, const DynamicMatrix<double>&,
                                             const DynamicMatrix<double>&, double,
                                             const LinearUpdate&, const EpochCorrelation&,
                                             EpochPhase, const DynamicMatrix<double>&);
template LinearChain<float> additive_epochs(DynamicVector<float>, const DynamicMatrix<float>&,
                                            const DynamicMatrix<float>&, double,
                                            const LinearUpdate&, const EpochCorrelation&,
                                            EpochPhase, const DynamicMatrix<float>&);
template DynamicMatrix<double> moment_within_epoch(const DynamicMatrix<double>&,
                                                   const DynamicMatrix<double>&,
                                                   const DynamicMatrix<double>&, double, Index);
template DynamicMatrix<float> moment_within_epoch(const DynamicMatrix<float>&,
                                                  const DynamicMatrix<float>&,
                                                  const DynamicMatrix<float>&, double, Index);

template class LyapunovEquation<double>;
template class LyapunovEquation<float>;
template LyapunovSolution<double> solve_lyapunov(const DynamicMatrix<double>&,
                                                 const DynamicMatrix<double>&, double,
                                                 LyapunovForm);
template LyapunovSolution<float> solve_lyapunov(const DynamicMatrix<float>&,
                                                const DynamicMatrix<float>&, double, LyapunovForm);
template LyapunovStatus solve_generalized(const LyapunovEquation<double>&,
                                          const DynamicMatrix<double>&,
                                          const CurvatureFunction<double>&,
                                          const GeneralizedLyapunovSettings&,
                                          DynamicMatrix<double>&);
template LyapunovStatus solve_generalized(const LyapunovEquation<float>&,
                                          const DynamicMatrix<float>&,
                                          const CurvatureFunction<float>&,
                                          const GeneralizedLyapunovSettings&,
                                          DynamicMatrix<float>&);
template LyapunovSolution<double> solve_generalized_lyapunov(const DynamicMatrix<double>&,
                                                             const DynamicMatrix<double>&, double,
                                                             const CurvatureFunction<double>&,
                                                             const GeneralizedLyapunovSettings&);
template LyapunovSolution<float> solve_generalized_lyapunov(const DynamicMatrix<float>&,
                                                            const DynamicMatrix<float>&, double,
                                                            const CurvatureFunction<float>&,
                                                            const GeneralizedLyapunovSettings&);

template LinearChain<double> with_curvature(LinearChain<double>, const CurvatureFunction<double>&,
                                            const GeneralizedLyapunovSettings&);
template LinearChain<float> with_curvature(LinearChain<float>, const CurvatureFunction<float>&,
                                           const GeneralizedLyapunovSettings&);
template LinearChain<double> linear_chain(DynamicVector<double>, DynamicMatrix<double>,
                                          DynamicMatrix<double>, double, LyapunovForm);
template LinearChain<float> linear_chain(DynamicVector<float>, DynamicMatrix<float>,
                                         DynamicMatrix<float>, double, LyapunovForm);
template ChainCovariance<double> covariance_of_gradient_chain(const LinearChain<double>&);
template ChainCovariance<float> covariance_of_gradient_chain(const LinearChain<float>&);
template ChainCovariance<double> covariance_of_any_chain(const LinearChain<double>&);
template ChainCovariance<float> covariance_of_any_chain(const LinearChain<float>&);

template Estimate<DynamicMatrix<double>> estimate_of_groups(
    const std::vector<DynamicMatrix<double>>&);
template Estimate<DynamicMatrix<float>> estimate_of_groups(
    const std::vector<DynamicMatrix<float>>&);
template DynamicMatrix<double> contracting_map(const DynamicMatrix<double>&,
                                               const DynamicVector<double>&, double);
template DynamicMatrix<float> contracting_map(const DynamicMatrix<float>&,
                                              const DynamicVector<float>&, double);
template DynamicMatrix<double> leading_root(const DynamicMatrix<double>&,
                                            const DynamicMatrix<double>&, double);
template DynamicMatrix<float> leading_root(const DynamicMatrix<float>&, const DynamicMatrix<float>&,
                                           double);
template struct AdditiveNoise<double>;
template struct AdditiveNoise<float>;
template class MomentsOfWalks<double>;
template class MomentsOfWalks<float>;
template class SampledMoments<double>;
template class SampledMoments<float>;
template EpochMap<double> assemble_epoch_map(const DynamicVector<double>&,
                                             const DynamicVector<double>&,
                                             const Estimate<DynamicMatrix<double>>&,
                                             const DynamicMatrix<double>&,
                                             const std::vector<DynamicMatrix<double>>&, double);
template EpochMap<float> assemble_epoch_map(const DynamicVector<float>&,
                                            const DynamicVector<float>&,
                                            const Estimate<DynamicMatrix<float>>&,
                                            const DynamicMatrix<float>&,
                                            const std::vector<DynamicMatrix<float>>&, double);

}  // namespace detail
}  // namespace ness

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
template struct KineticMap<double>;
template class KineticModes<double>;
template Eigen::Matrix2d second_moments(const Eigen::Matrix2d&, const Eigen::Matrix2d&,
                                        const Eigen::Matrix2d&);
template EpochSource<double> epoch_source(const KineticModes<double>&, const SampleScatter<double>&,
                                          const EpochCorrelation&);
template EpochSource<double> in_coordinates(const EpochSource<double>&,
                                            const DynamicMatrix<double>&);
template class KineticEquation<double>;
template PosteriorError<double> error_of_source(const GaussianPosterior<double>&,
                                                const KineticModes<double>&,
                                                const SampleScatter<double>&,
                                                const EpochCorrelation&,
                                                const DynamicVector<double>&);
template Eigenpairs<double> most_wrong(const PosteriorError<double>&,
                                       const GaussianPosterior<double>&, Index);
template Estimate<double> bias_of(const PosteriorError<double>&, const GaussianPosterior<double>&);
template double slowest_time(const Eigen::Matrix2d&);
template class DecreasingWalk<ErrorCurve>;
template std::vector<Index> some_batch_sizes(Index);
template void print(std::ostream&, const SamplerChoice&);
template Convergence convergence(const NpyArray&);
template double normal_quantile(double);
template PosteriorError<double> error_of_kinetic(const GaussianPosterior<double>&,
                                                 const KineticMap<double>&,
                                                 const KineticMap<double>&,
                                                 const DynamicMatrix<double>&,
                                                 const CurvatureFunction<double>&);
template PosteriorError<double> error_of_epochs(const GaussianPosterior<double>&,
                                                const DynamicMatrix<double>&,
                                                const std::vector<EpochSums<double>>&);
template PosteriorError<float> error_of_epochs(const GaussianPosterior<float>&,
                                               const DynamicMatrix<float>&,
                                               const std::vector<EpochSums<float>>&);
template std::pair<DynamicVector<double>, DynamicMatrix<double>> solve_moments(
    const EpochSums<double>&);
template std::pair<DynamicVector<float>, DynamicMatrix<float>> solve_moments(
    const EpochSums<float>&);

}  // namespace detail
}  // namespace ness
