// Many parameters: a network of 784-100-10, N = 79 510, against the matrix products that it
// consists of, and, where it is installed, Spectra's Lanczos solver.
#include <ness/diffusion/epoch_noise_along.hpp>
#include <ness/dynamics/chain.hpp>
#include <ness/landscape/eigenpairs.hpp>
#include <ness/landscape/objective.hpp>
#include <ness/landscape/streamed_objective.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/mlp.hpp>
#include <ness/random/normal.hpp>

#if __has_include(<Spectra/SymEigsSolver.h>)
#include <Spectra/SymEigsSolver.h>
#endif

#include "ratios.hpp"

namespace {

constexpr int inputs = 784, hidden = 100, outputs = 10, batch = 100;
constexpr Eigen::Index samples = 1024;
constexpr Eigen::Index directions = 16;

template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
template <class S>
using Network = ness::Mlp<ness::DynamicLayers, ness::Tanh, ness::SoftmaxCrossEntropy, S>;

template <class S>
Matrix<S> normal_numbers(Eigen::Index rows, Eigen::Index cols) {
  ness::Philox random(7);
  ness::Normal normal;
  Matrix<S> result(rows, cols);
  normal.fill(random, result);
  return result;
}

template <class S, int units = hidden, Eigen::Index size = samples>
const auto& objective() {
  static const ness::Objective result = [] {
    Matrix<S> labels = Matrix<S>::Zero(outputs, size);
    for (Eigen::Index i = 0; i < size; ++i) labels(i * i % outputs, i) = 1;
    return ness::Objective(
        Network<S>(normal_numbers<S>(inputs, size), labels, {inputs, units, outputs}),
        ness::L2{1e-3});
  }();
  return result;
}
template <class S, int units = hidden>
const Matrix<S>& start() {
  static const Matrix<S> result =
      S(0.05) * normal_numbers<S>(objective<S, units>().parameters(), 1);
  return result;
}

/// The products of one pass: forward, back, and those that make the gradient.
template <class S>
class Products {
 public:
  explicit Products(Eigen::Index rows)
      : in_(normal_numbers<S>(rows, inputs)),
        first_(normal_numbers<S>(inputs, hidden)),
        second_(normal_numbers<S>(hidden, outputs)),
        middle_(rows, hidden),
        out_(rows, outputs) {}

  void forward() {
    middle_.noalias() = in_ * first_;
    out_.noalias() = middle_ * second_;
  }
  void back() { middle_.noalias() = out_ * second_.transpose(); }
  void gradient() {
    second_.noalias() = middle_.transpose() * out_;
    first_.noalias() = in_.transpose() * middle_;
  }
  const S* result() const { return first_.data(); }

 private:
  Matrix<S> in_, first_, second_, middle_, out_;
};

template <class S>
void step(benchmark::State& state) {
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-3, .minibatch = {batch}};
  const ness::vector_t<Network<S>> theta = start<S>().col(0);
  ness::Chain chain(objective<S>(), training, theta);
  for (auto _ : state) {
    chain.step();
    benchmark::DoNotOptimize(chain.theta().data());
  }
}
template <class S>
void step_products(benchmark::State& state) {
  Products<S> products(batch);
  for (auto _ : state) {
    products.forward();
    products.back();
    products.gradient();
    benchmark::DoNotOptimize(products.result());
  }
}

template <class S>
void projections(benchmark::State& state) {
  ness::Derivatives<Network<S>> derivatives(objective<S>().model());
  const ness::vector_t<Network<S>> theta = start<S>().col(0);
  const Matrix<S> subspace = normal_numbers<S>(theta.size(), directions);
  Matrix<S> result(directions, 256);
  for (auto _ : state) {
    derivatives.projected_gradients(theta, 0, subspace, result);
    benchmark::DoNotOptimize(result.data());
  }
}
template <class S>
void projection_products(benchmark::State& state) {
  Products<S> products(256);
  for (auto _ : state) {
    products.forward();
    products.back();
    for (Eigen::Index k = 0; k < directions; ++k) products.forward();
    benchmark::DoNotOptimize(products.result());
  }
}

template <class S, Eigen::Index count, Eigen::Index size>
void hessian_products(benchmark::State& state) {
  ness::Derivatives<Network<S>> derivatives(objective<S>().model());
  const ness::vector_t<Network<S>> theta = start<S>().col(0);
  const Matrix<S> along = normal_numbers<S>(theta.size(), count);
  Matrix<S> result(theta.size(), count);
  for (auto _ : state) {
    derivatives.summed_hessian_products(theta, 0, size, along, result);
    benchmark::DoNotOptimize(result.data());
  }
}

/// The noise of an epoch along `count` directions, of a network of `units` and `size` samples.
template <Eigen::Index count, int units, Eigen::Index size>
void epoch_noise(benchmark::State& state) {
  const ness::StreamedObjective streamed(objective<double, units, size>(), 1);
  const Eigen::VectorXd theta = start<double, units>().col(0);
  const Matrix<double> basis = normal_numbers<double>(theta.size(), count);
  const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = 1e-3, .minibatch = {64}};
  for (auto _ : state) {
    const auto noise = ness::epoch_noise_along(streamed, theta, basis, training, {.probes = 2});
    benchmark::DoNotOptimize(noise.diffusion.data());
  }
}

constexpr int pairs = 10;

void eigenpairs(benchmark::State& state) {
  const ness::StreamedObjective streamed(objective<double, hidden / 5, 512>(), 1);
  for (auto _ : state) {
    const auto found =
        ness::leading_eigenpairs(streamed, start<double, hidden / 5>().col(0), {.count = pairs});
    benchmark::DoNotOptimize(found.values.data());
  }
}

#if __has_include(<Spectra/SymEigsSolver.h>)
/// What Spectra asks for: one product at a time.
class HessianOperator {
 public:
  using Scalar = double;
  Eigen::Index rows() const { return streamed_.parameters(); }
  Eigen::Index cols() const { return rows(); }
  void perform_op(const double* in, double* out) const {
    const Eigen::VectorXd direction = Eigen::Map<const Eigen::VectorXd>(in, rows());
    Eigen::Map<Eigen::VectorXd>(out, rows()) =
        streamed_.hessian_products(start<double, hidden / 5>().col(0), direction);
  }

 private:
  ness::StreamedObjective<Network<double>, ness::L2> streamed_{objective<double, hidden / 5, 512>(),
                                                               1};
};

void eigenpairs_spectra(benchmark::State& state) {
  for (auto _ : state) {
    HessianOperator hessian;
    Spectra::SymEigsSolver<HessianOperator> solver(hessian, pairs, 3 * pairs);
    solver.init();
    solver.compute(Spectra::SortRule::LargestAlge, 1000, 1e-6);
    if (solver.info() != Spectra::CompInfo::Successful) state.SkipWithError("not converged");
    benchmark::DoNotOptimize(solver.eigenvalues().data());
  }
}
BENCHMARK(eigenpairs_spectra)->Unit(benchmark::kMillisecond);
#endif

void epoch_noise_of_all(benchmark::State& s) { epoch_noise<16, hidden, samples>(s); }
void epoch_noise_half_directions(benchmark::State& s) { epoch_noise<8, hidden, samples>(s); }
void epoch_noise_half_samples(benchmark::State& s) { epoch_noise<16, hidden, samples / 2>(s); }
void epoch_noise_half_units(benchmark::State& s) { epoch_noise<16, hidden / 2, samples>(s); }
void step_double(benchmark::State& s) { step<double>(s); }
void step_products_double(benchmark::State& s) { step_products<double>(s); }
void step_float(benchmark::State& s) { step<float>(s); }
void step_products_float(benchmark::State& s) { step_products<float>(s); }
void projections_double(benchmark::State& s) { projections<double>(s); }
void projection_products_double(benchmark::State& s) { projection_products<double>(s); }
void hessian_1(benchmark::State& s) { hessian_products<double, 1, samples>(s); }
void hessian_16(benchmark::State& s) { hessian_products<double, 16, samples>(s); }
void hessian_8(benchmark::State& s) { hessian_products<double, 8, samples>(s); }
void hessian_16_half(benchmark::State& s) { hessian_products<double, 16, samples / 2>(s); }
BENCHMARK(step_double)->Unit(benchmark::kMillisecond);
BENCHMARK(step_products_double)->Unit(benchmark::kMillisecond);
BENCHMARK(step_float)->Unit(benchmark::kMillisecond);
BENCHMARK(step_products_float)->Unit(benchmark::kMillisecond);
BENCHMARK(projections_double)->Unit(benchmark::kMillisecond);
BENCHMARK(projection_products_double)->Unit(benchmark::kMillisecond);
BENCHMARK(hessian_1)->Unit(benchmark::kMillisecond);
BENCHMARK(hessian_8)->Unit(benchmark::kMillisecond);
BENCHMARK(hessian_16)->Unit(benchmark::kMillisecond);
BENCHMARK(hessian_16_half)->Unit(benchmark::kMillisecond);
BENCHMARK(epoch_noise_of_all)->Unit(benchmark::kMillisecond);
BENCHMARK(epoch_noise_half_directions)->Unit(benchmark::kMillisecond);
BENCHMARK(epoch_noise_half_samples)->Unit(benchmark::kMillisecond);
BENCHMARK(epoch_noise_half_units)->Unit(benchmark::kMillisecond);
BENCHMARK(eigenpairs)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  return run_with_ratios(
      argc, argv,
      {{"step, m = 100 / its matrix products", "step_double", "step_products_double", 1.2},
       {"the same in single precision", "step_float", "step_products_float", 1.2},
       {"16 projections of 256 gradients / their products", "projections_double",
        "projection_products_double", 1.5},
       {"Hessian with 16 vectors / with 1", "hessian_16", "hessian_1", 8},
       {"Hessian with 16 vectors / with 8", "hessian_16", "hessian_8", 2.1},
       {"Hessian with 16 vectors / the same of half the samples", "hessian_16", "hessian_16_half",
        2.1},
       {"noise of an epoch / of half the directions", "epoch_noise_of_all",
        "epoch_noise_half_directions", 2.1},
       {"noise of an epoch / of half the samples", "epoch_noise_of_all", "epoch_noise_half_samples",
        2.1},
       {"noise of an epoch / of half the parameters", "epoch_noise_of_all",
        "epoch_noise_half_units", 2.1},
       {"10 eigenpairs / by Spectra", "eigenpairs", "eigenpairs_spectra", 0}});
}
