#define NESS_COMPILED  // the kernels are in linear_algebra.cpp
#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#undef NESS_COMPILED

#include "ness/compare.hpp"
#include "ness/files/atomic_file.hpp"
#include "ness/files/npy.hpp"
#include "ness/fluctuation/cloning.hpp"
#include "ness/fluctuation/entropy_average.hpp"
#include "ness/fluctuation/kernel_entropy.hpp"
#include "ness/fluctuation/predict_fluctuations.hpp"
#include "ness/statistics/batch_covariance.hpp"
#include "ness/statistics/cycling.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/statistics/ordered_sum.hpp"
#include "ness/statistics/ranks.hpp"
#include "ness/statistics/student.hpp"
#include "ness/statistics/threads.hpp"
#include "ness/trajectory/averages.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "ness/trajectory/cycling.hpp"
#include "ness/trajectory/directional_variance.hpp"
#include "ness/trajectory/drift_correlation.hpp"
#include "ness/trajectory/entropy_production.hpp"
#include "ness/trajectory/irreversibility.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/momentum_entropy.hpp"
#include "ness/trajectory/shared_run.hpp"
#include "ness/trajectory/stationarity.hpp"
#include "ness/trajectory/sub_trajectories.hpp"
#include "ness/trajectory/vorticity.hpp"

namespace ness {

template double student_tail(double, double);
template double fisher_tail(double, double, double);

// Estimators are in double precision, of chains in either.
template class BatchMeans<double>;
template void BatchMeans<double>::serialize(CheckpointWriter&);
template void BatchMeans<double>::serialize(CheckpointReader&);
template class BatchCovariance<double>;
template void BatchCovariance<double>::serialize(CheckpointWriter&);
template void BatchCovariance<double>::serialize(CheckpointReader&);
template struct Cycling<double>;
template struct Cycling<float>;
template class BatchMeans<float>;  // of theory in single precision
template class TrajectoryBlock<double>;
template class TrajectoryBlock<float>;
template class Moments<double>;
template void Moments<double>::serialize(CheckpointWriter&);
template void Moments<double>::serialize(CheckpointReader&);
template void Moments<double>::add(const TrajectoryBlock<double>&);
template void Moments<double>::add(const TrajectoryBlock<float>&);
template class Area<double>;
template void Area<double>::serialize(CheckpointWriter&);
template void Area<double>::serialize(CheckpointReader&);
template void Area<double>::add(const TrajectoryBlock<double>&);
template void Area<double>::add(const TrajectoryBlock<float>&);
template class DriftCorrelation<double>;
template void DriftCorrelation<double>::serialize(CheckpointWriter&);
template void DriftCorrelation<double>::serialize(CheckpointReader&);
template void DriftCorrelation<double>::add(const TrajectoryBlock<double>&);
template void DriftCorrelation<double>::add(const TrajectoryBlock<float>&);
template class EntropyProduction<double>;
template void EntropyProduction<double>::serialize(CheckpointWriter&);
template void EntropyProduction<double>::serialize(CheckpointReader&);
template void EntropyProduction<double>::add(const TrajectoryBlock<double>&);
template void EntropyProduction<double>::add(const TrajectoryBlock<float>&);
template class WindowMean<double>;
template void WindowMean<double>::serialize(CheckpointWriter&);
template void WindowMean<double>::serialize(CheckpointReader&);
template void WindowMean<double>::add(const TrajectoryBlock<double>&);
template void WindowMean<double>::add(const TrajectoryBlock<float>&);
template class ExponentialMean<double>;
template void ExponentialMean<double>::serialize(CheckpointWriter&);
template void ExponentialMean<double>::serialize(CheckpointReader&);
template void ExponentialMean<double>::add(const TrajectoryBlock<double>&);
template void ExponentialMean<double>::add(const TrajectoryBlock<float>&);
template struct StepKernels<double>;
template class StepEntropy<double>;
template class KernelEntropy<double>;
template void KernelEntropy<double>::serialize(CheckpointWriter&);
template void KernelEntropy<double>::serialize(CheckpointReader&);
template void KernelEntropy<double>::add(const TrajectoryBlock<double>&);
template void KernelEntropy<double>::add(const TrajectoryBlock<float>&);
template class CurrentForce<double>;
template void CurrentForce<double>::serialize(CheckpointWriter&);
template void CurrentForce<double>::serialize(CheckpointReader&);
template void CurrentForce<double>::add(const TrajectoryBlock<double>&);
template void CurrentForce<double>::add(const TrajectoryBlock<float>&);
template class CurrentBounds<double>;
template void CurrentBounds<double>::serialize(CheckpointWriter&);
template void CurrentBounds<double>::serialize(CheckpointReader&);
template void CurrentBounds<double>::add(const TrajectoryBlock<double>&);
template void CurrentBounds<double>::add(const TrajectoryBlock<float>&);
template class VorticityTest<double>;
template void VorticityTest<double>::serialize(CheckpointWriter&);
template void VorticityTest<double>::serialize(CheckpointReader&);
template void VorticityTest<double>::add(const TrajectoryBlock<double>&);
template void VorticityTest<double>::add(const TrajectoryBlock<float>&);
template class CyclingRates<double>;
template void CyclingRates<double>::serialize(CheckpointWriter&);
template void CyclingRates<double>::serialize(CheckpointReader&);
template void CyclingRates<double>::add(const TrajectoryBlock<double>&);
template void CyclingRates<double>::add(const TrajectoryBlock<float>&);
template class MomentumEntropy<double>;
template void MomentumEntropy<double>::serialize(CheckpointWriter&);
template void MomentumEntropy<double>::serialize(CheckpointReader&);
template void MomentumEntropy<double>::add(const TrajectoryBlock<double>&);
template void MomentumEntropy<double>::add(const TrajectoryBlock<float>&);
template class DirectionalVariance<double>;
template void DirectionalVariance<double>::serialize(CheckpointWriter&);
template void DirectionalVariance<double>::serialize(CheckpointReader&);
template void DirectionalVariance<double>::add(const TrajectoryBlock<double>&);
template void DirectionalVariance<double>::add(const TrajectoryBlock<float>&);
template class Stationarity<double>;
template void Stationarity<double>::serialize(CheckpointWriter&);
template void Stationarity<double>::serialize(CheckpointReader&);
template void Stationarity<double>::add(const TrajectoryBlock<double>&);
template void Stationarity<double>::add(const TrajectoryBlock<float>&);
template class StationaryEstimator<double>;
template void StationaryEstimator<double>::add_thinned(const TrajectoryBlock<double>&);
template void StationaryEstimator<double>::add_thinned(const TrajectoryBlock<float>&);
template void StationaryEstimator<double>::serialize(CheckpointWriter&);
template void StationaryEstimator<double>::serialize(CheckpointReader&);

namespace detail {

template class SubTrajectorySums<double>;
template void SubTrajectorySums<double>::serialize(CheckpointWriter&);
template void SubTrajectorySums<double>::serialize(CheckpointReader&);
template class EntropySums<double>;
template void EntropySums<double>::serialize(CheckpointWriter&);
template void EntropySums<double>::serialize(CheckpointReader&);
template DynamicMatrix<double> current_force(const DynamicMatrix<double>&,
                                             const DynamicMatrix<double>&,
                                             const DynamicMatrix<double>&, double);
template DynamicVector<double> current_coefficients(const DynamicMatrix<double>&);
template Irreversibility irreversibility(const StateReader<double>&,
                                         const IrreversibilitySettings&);
template MeasuredCycling cycling(const StateReader<double>&, const IrreversibilitySettings&);
template Irreversibility irreversibility_of_currents(const DynamicMatrix<double>&,
                                                     const IrreversibilitySettings&);
template bool is_pipe_or_device(const std::string&);
template std::string behind_links(const std::string&);
template class AtomicFile<std::string>;
template class InputFile<std::string>;
template std::string npy_header(const std::string&, bool, const std::vector<std::int64_t>&);
template void write_npy(const std::string&, const std::string&, std::string_view);
template NpyArray read_npy(const std::string&);
template class NpyStream<std::string>;
template class CheckpointOutput<CheckpointSettings>;
template class CheckpointInput<CheckpointSettings>;
template class SharedRun<CheckpointSettings>;
template class MatrixPool<double>;
template class TreeSum<double>;
template void on_every_rank(const Ranks*, const std::function<void()>&);
template int threads_for(int, int);
template void run_on_threads(int, int, const std::function<void(int)>&);
template double chance_of(double, double, double, double, double);
template ComparisonRow compare_matrix(std::string, const DynamicMatrix<double>&,
                                      const Estimate<DynamicMatrix<double>>&, double);
template struct EntropyOnLine<double>;
template class EntropyAverage<double>;
template SubTrajectoryPrediction prediction_of(int, const Axis&,
                                               const std::vector<EntropyAverage<double>>&, double);
template std::vector<SubTrajectoryPrediction> predict_fluctuations(const StepFunctions<double>&,
                                                                   const DynamicMatrix<double>&,
                                                                   const DynamicMatrix<double>&,
                                                                   double,
                                                                   const FluctuationSettings&);
template Comparison compare(const ComparedState&, const Measurement&);
template void print(std::ostream&, const Comparison&);
template class CloneWeights<double>;
template Estimate<double> cumulant_rate(const BatchMeans<double>&);

}  // namespace detail
}  // namespace ness
