#include "kernels.hpp"

#define NESS_COMPILED  // it is in landscape.cpp
#include "ness/landscape/minimize.hpp"
#undef NESS_COMPILED

#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/generalized_lyapunov.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/stationary/lyapunov.hpp"
#include "ness/stationary/stationary_state.hpp"

namespace ness {

template struct RangeInverse<double>;
template struct RangeInverse<float>;
template class StationaryState<double>;
template class StationaryState<float>;

namespace detail {

template class LyapunovEquation<double>;
template class LyapunovEquation<float>;
template LyapunovSolution<double> solve_lyapunov(const DynamicMatrix<double>&,
                                                 const DynamicMatrix<double>&, double,
                                                 LyapunovForm);
template LyapunovSolution<float> solve_lyapunov(const DynamicMatrix<float>&,
                                                const DynamicMatrix<float>&, double, LyapunovForm);
template LyapunovStatus solve_generalized(LyapunovEquation<double>&, const DynamicMatrix<double>&,
                                          const CurvatureFunction<double>&,
                                          const GeneralizedLyapunovSettings&,
                                          DynamicMatrix<double>&);
template LyapunovStatus solve_generalized(LyapunovEquation<float>&, const DynamicMatrix<float>&,
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
