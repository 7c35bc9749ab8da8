// Many parameters: a network of 784-100-10, N = 79 510, against the matrix products that it
// consists of.
#include <ness/dynamics/chain.hpp>
#include <ness/landscape/objective.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/model/mlp.hpp>
#include <ness/random/normal.hpp>

#include "ratios.hpp"

namespace {

constexpr Eigen::Index inputs = 784, hidden = 100, outputs = 10, samples = 1024, batch = 100;
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

template <class S>
const auto& objective() {
  static const ness::Objective result = [] {
    Matrix<S> labels = Matrix<S>::Zero(outputs, samples);
    for (Eigen::Index i = 0; i < samples; ++i) labels(i * i % outputs, i) = 1;
    return ness::Objective(
        Network<S>(normal_numbers<S>(inputs, samples), labels, {inputs, hidden, outputs}),
        ness::L2{1e-3});
  }();
  return result;
}
template <class S>
const Matrix<S>& start() {
  static const Matrix<S> result = S(0.05) * normal_numbers<S>(objective<S>().parameters(), 1);
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
        2.1}});
}
