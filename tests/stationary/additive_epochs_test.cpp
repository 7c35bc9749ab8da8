// Epochs with additive noise, to all orders in ηnh: against sums in quadruple precision, and
// against every order of the samples.
#include <Eigen/LU>
#include <algorithm>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/stationary/additive_epochs.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/trajectory/measure.hpp>
#include <ness/update/momentum.hpp>
#include <numeric>
#include <vector>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_partition.hpp"
#include "support/generic_values.hpp"
#include "support/network.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::EpochCorrelation;
using ness::EpochPhase;
using ness::LinearUpdate;
__extension__ using Quad = __float128;

constexpr LinearUpdate plain{};

/// How the samples of an epoch are cut into batches: sizes, of which some may be left out.
struct Cut {
  int samples, batch_size;
  bool small_last = false;  ///< the rest is a batch of its own; else it is dropped
  bool mirrored = false;

  int full() const { return samples / batch_size; }
  int rest() const { return samples % batch_size; }
  int batches() const { return full() + (small_last && rest() > 0 ? 1 : 0); }
  int size(int batch) const { return batch < full() ? batch_size : rest(); }
  int updates() const { return mirrored ? 2 * batches() : batches(); }
  /// The batch of an update.
  int batch(int update) const { return update < batches() ? update : 2 * batches() - 1 - update; }
  template <class Real>
  Real variance(int of) const {
    return Real(samples - size(of)) / (Real(size(of)) * Real(samples - 1));
  }
  template <class Real>
  Real covariance(int t, int s) const {
    return batch(t) == batch(s) ? variance<Real>(batch(t)) : Real(-1) / Real(samples - 1);
  }
  EpochCorrelation correlation() const {
    return {batches(), variance<double>(0), variance<double>(batches() - 1), -1. / (samples - 1),
            mirrored};
  }
};

struct QuadMatrix {
  Quad a, b, c, d;  // by rows
  friend QuadMatrix operator*(const QuadMatrix& x, const QuadMatrix& y) {
    return {x.a * y.a + x.b * y.c, x.a * y.b + x.b * y.d, x.c * y.a + x.d * y.c,
            x.c * y.b + x.d * y.d};
  }
  friend QuadMatrix operator+(const QuadMatrix& x, const QuadMatrix& y) {
    return {x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d};
  }
  friend QuadMatrix operator*(Quad f, const QuadMatrix& x) {
    return {f * x.a, f * x.b, f * x.c, f * x.d};
  }
  QuadMatrix transposed() const { return {a, c, b, d}; }
};

/// (θ, ηb) of one direction, as the update has them: nothing is clever here but the digits.
struct QuadDirection {
  QuadMatrix a;
  std::vector<QuadMatrix> powers;  // of A
  Quad noise[2];

  QuadDirection(double x, const LinearUpdate& update, int updates) {
    const Quad direct = update.direct, buffered = update.buffered, gain = update.gain;
    const Quad beta = update.momentum;
    const Quad of_gradient = direct + buffered * gain;
    a = {1 - of_gradient * Quad(x), -buffered * beta, gain * Quad(x), beta};
    noise[0] = of_gradient;
    noise[1] = -gain;
    powers.push_back({1, 0, 0, 1});
    for (int k = 0; k < updates; ++k) powers.push_back(a * powers.back());
  }
  /// u_k u'_lᵀ
  static QuadMatrix outer(const QuadDirection& i, const QuadDirection& j, int k, int l) {
    const QuadMatrix one{i.noise[0] * j.noise[0], i.noise[0] * j.noise[1], i.noise[1] * j.noise[0],
                         i.noise[1] * j.noise[1]};
    return i.powers[static_cast<std::size_t>(k)] * one *
           j.powers[static_cast<std::size_t>(l)].transposed();
  }
};

/// Σ_ts<τ cov_ts u_{τ−1−t}u_{τ−1−s}ᵀ over the variance
QuadMatrix quad_noise(const QuadDirection& i, const QuadDirection& j, const Cut& cut, int updates) {
  QuadMatrix sum{0, 0, 0, 0};
  for (int t = 0; t < updates; ++t)
    for (int s = 0; s < updates; ++s)
      sum = sum + cut.covariance<Quad>(t, s) / cut.variance<Quad>(0) *
                      QuadDirection::outer(i, j, updates - 1 - t, updates - 1 - s);
  return sum;
}

/// X = AXBᵀ + Q, by elimination.
QuadMatrix quad_stein(const QuadMatrix& a, const QuadMatrix& b, const QuadMatrix& q) {
  const Quad left[2][2] = {{a.a, a.b}, {a.c, a.d}}, right[2][2] = {{b.a, b.b}, {b.c, b.d}};
  Quad m[4][5];
  const Quad values[4] = {q.a, q.b, q.c, q.d};
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 4; ++c)
      m[r][c] = Quad(r == c ? 1 : 0) - left[r / 2][c / 2] * right[r % 2][c % 2];
    m[r][4] = values[r];
  }
  const auto size = [](Quad value) { return value < 0 ? -value : value; };
  for (int k = 0; k < 4; ++k) {
    int best = k;
    for (int r = k; r < 4; ++r)
      if (size(m[r][k]) > size(m[best][k])) best = r;
    for (int c = 0; c < 5; ++c) std::swap(m[k][c], m[best][c]);
    for (int r = 0; r < 4; ++r) {
      if (r == k) continue;
      const Quad factor = m[r][k] / m[k][k];
      for (int c = k; c < 5; ++c) m[r][c] -= factor * m[k][c];
    }
  }
  return {m[0][4] / m[0][0], m[1][4] / m[1][1], m[2][4] / m[2][2], m[3][4] / m[3][3]};
}

struct QuadState {
  double covariance, circulation, noise;
};

QuadState quad_state(double x, double y, const LinearUpdate& update, const Cut& cut,
                     EpochPhase phase) {
  const int n = cut.updates();
  const QuadDirection i(x, update, n), j(y, update, n);
  const auto end = static_cast<std::size_t>(n);
  const QuadMatrix q = quad_noise(i, j, cut, n);
  const QuadMatrix at_end = quad_stein(i.powers[end], j.powers[end], q);
  if (phase == EpochPhase::end) {
    const QuadMatrix later = i.powers[end] * at_end, last = at_end * j.powers[end].transposed();
    return {static_cast<double>(at_end.a), static_cast<double>((last.a - later.a) / 2),
            static_cast<double>(q.a)};
  }
  QuadMatrix sum{0, 0, 0, 0};
  Quad area = 0;
  for (int t = 0; t < n; ++t) {
    const auto at = static_cast<std::size_t>(t);
    const QuadMatrix now =
        i.powers[at] * at_end * j.powers[at].transposed() + quad_noise(i, j, cut, t);
    sum = sum + now;
    // ⟨θ'θᵀ⟩ and its transpose after the next update, whose noise depends on those before
    QuadMatrix first = i.a * now, second = now * j.a.transposed();
    for (int s = 0; s < t; ++s) {
      const Quad covariance = cut.covariance<Quad>(t, s) / cut.variance<Quad>(0);
      first = first + covariance * QuadDirection::outer(i, j, 0, t - 1 - s);
      second = second + covariance * QuadDirection::outer(i, j, t - 1 - s, 0);
    }
    area += (second.a - first.a) / 2;
  }
  return {static_cast<double>(sum.a / n), static_cast<double>(area), static_cast<double>(q.a)};
}

struct Errors {
  double covariance = 0, circulation = 0, noise = 0, residual = 0;
};

/// The largest relative errors over the pairs of directions; of C, which may vanish for one
/// direction, relative to Σ and the distance of the rates.
Errors errors(const LinearUpdate& update, const Cut& cut, EpochPhase phase,
              const std::vector<double>& rates) {
  const VectorXd x = Eigen::Map<const VectorXd>(rates.data(), static_cast<int>(rates.size()));
  const auto kernels =
      ness::detail::epoch_kernels<double>(x, update, cut.correlation(), phase, "test");
  Errors worst;
  for (Eigen::Index i = 0; i < x.size(); ++i)
    for (Eigen::Index j = 0; j < x.size(); ++j) {
      const QuadState exact = quad_state(x[i], x[j], update, cut, phase);
      worst.covariance =
          std::max(worst.covariance, relative_error(kernels.covariance(i, j), exact.covariance));
      worst.noise = std::max(worst.noise, relative_error(kernels.noise(i, j), exact.noise));
      if (i != j)
        worst.circulation = std::max(worst.circulation,
                                     relative_error(kernels.circulation(i, j), exact.circulation));
    }
  worst.residual = kernels.residual;
  return worst;
}

LinearUpdate heavy_ball(double momentum) { return ness::HeavyBall{momentum}.linear(); }

/// x with xn from 1e-8 to 10 where that is stable.
std::vector<double> rates(const Cut& cut) {
  std::vector<double> all;
  for (const double epoch : {1e-8, 1e-5, 1e-2, 0.3, 1., 3., 10.}) {
    const double x = epoch / cut.updates();
    // There and back the noise is (xn)⁴ of one update: beyond the digits of the reference.
    if (x < 1.9 && (epoch > 1e-6 || !cut.mirrored)) all.push_back(x);
  }
  return all;
}

const std::vector<Cut> cuts{{20, 1},
                            {36, 3},
                            {40, 4},
                            {37, 3},
                            {37, 3, true},
                            {2, 1},
                            {20, 1, false, true},
                            {36, 3, false, true},
                            {37, 3, false, true}};

constexpr double eta = 0.02;

MatrixXd hessian_of_three() {
  const MatrixXd a = generic_values(3, 3, 4);
  return 4 * a * a.transpose() + MatrixXd::Identity(3, 3);
}

/// Gradients of samples at the minimum, 3 × M.
MatrixXd gradients(int samples) {
  MatrixXd g = generic_values(3, samples, 5);
  return g.colwise() - g.rowwise().mean();
}

MatrixXd diffusion(const Cut& cut) {
  const MatrixXd g = gradients(cut.samples);
  return eta * eta / 2 * cut.variance<double>(0) * g * g.transpose() / cut.samples;
}

/// (θ, b) after an epoch from `start`, by the update itself.
template <class Update>
VectorXd run_epoch(const Update& update, const Cut& cut, const MatrixXd& h, const MatrixXd& g,
                   const std::vector<int>& order, const VectorXd& start, int updates) {
  const LinearUpdate linear = update.linear();
  VectorXd theta = start.head(3), buffer = start.tail(3);
  for (int t = 0; t < updates; ++t) {
    VectorXd gradient = h * theta;
    const int batch = cut.batch(t);
    for (int k = 0; k < cut.size(batch); ++k)
      gradient +=
          g.col(order[static_cast<std::size_t>(batch * cut.batch_size + k)]) / cut.size(batch);
    buffer = linear.momentum * buffer + linear.gain * gradient;
    theta -= eta * (linear.direct * gradient + linear.buffered * buffer);
  }
  VectorXd end(6);
  end << theta, buffer;
  return end;
}

/// ⟨…⟩ over every order of the samples: Σ̂ and the area of an epoch.
struct Enumerated {
  MatrixXd covariance, circulation, mean_covariance;

  template <class Update>
  Enumerated(const Update& update, const Cut& cut) {
    const MatrixXd h = hessian_of_three(), g = gradients(cut.samples), none = 0 * g;
    std::vector<int> order(static_cast<std::size_t>(cut.samples));
    std::iota(order.begin(), order.end(), 0);
    const auto map = [&](int updates) {
      MatrixXd a(6, 6);
      for (int k = 0; k < 6; ++k)
        a.col(k) = run_epoch(update, cut, h, none, order, VectorXd::Unit(6, k), updates);
      return a;
    };
    std::vector<MatrixXd> noise(static_cast<std::size_t>(cut.updates()) + 1, MatrixXd::Zero(6, 6));
    int count = 0;
    do {
      for (int t = 1; t <= cut.updates(); ++t) {
        const VectorXd end = run_epoch(update, cut, h, g, order, VectorXd::Zero(6), t);
        noise[static_cast<std::size_t>(t)] += end * end.transpose();
      }
      ++count;
    } while (std::next_permutation(order.begin(), order.end()));
    for (MatrixXd& q : noise) q /= count;
    const MatrixXd a = map(cut.updates());
    MatrixXd pairs = noise.back(), power = a;
    for (int k = 0; k < 40; ++k) {  // by doubling
      pairs += (power * pairs * power.transpose()).eval();
      power = (power * power).eval();
    }
    covariance = pairs.topLeftCorner(3, 3);
    const MatrixXd next = (a * pairs).topLeftCorner(3, 3);
    circulation = (next.transpose() - next) / 2;
    mean_covariance.setZero(3, 3);
    for (int t = 0; t < cut.updates(); ++t) {
      const MatrixXd part = map(t);
      mean_covariance += (part * pairs * part.transpose() + noise[static_cast<std::size_t>(t)])
                             .topLeftCorner(3, 3) /
                         cut.updates();
    }
  }
};

/// Against every order of the samples.
template <class Update>
void check_enumerated(const Update& update, const Cut& cut) {
  const Enumerated exact(update, cut);
  const auto chain = ness::additive_epochs(VectorXd::Zero(3), hessian_of_three(), diffusion(cut),
                                           eta, update.linear(), cut.correlation());
  const ness::StationaryState state(chain);
  INFO(update.description() << ", M " << cut.samples << ", m " << cut.batch_size << ", mirrored "
                            << cut.mirrored << ", small last " << cut.small_last);
  CHECK(relative_error(state.covariance(), exact.covariance) <= 1e-12);
  CHECK(relative_error(state.circulation(), exact.circulation) <= 1e-11);
  CHECK(state.residual() <= 1e-13);
  CHECK(std::isnan(state.entropy_production()) == !update.linear().forgets());
  if (cut.mirrored) return;
  const ness::StationaryState mean(ness::additive_epochs(VectorXd::Zero(3), hessian_of_three(),
                                                         diffusion(cut), eta, update.linear(),
                                                         cut.correlation(), EpochPhase::mean));
  CHECK(relative_error(mean.covariance(), exact.mean_covariance) <= 1e-12);
  CHECK(std::isnan(mean.entropy_production()));
}

/// KL of a stationary Gaussian chain δ' = (I − K)δ + ξ against its reverse, per step: that of the
/// law of (δ, δ') against the law of (δ', δ).
double irreversibility(const MatrixXd& relaxation, const MatrixXd& covariance) {
  const Eigen::Index n = covariance.rows();
  const MatrixXd next = (MatrixXd::Identity(n, n) - relaxation) * covariance;
  MatrixXd forth(2 * n, 2 * n), back(2 * n, 2 * n);
  forth << covariance, next.transpose(), next, covariance;
  back << covariance, next, next.transpose(), covariance;
  return (back.lu().solve(forth).trace() - 2 * static_cast<double>(n)) / 2;
}

}  // namespace

TEST_CASE("additive epochs agree with sums in quadruple precision, from xn = 1e-8 to 10") {
  for (const Cut& cut : cuts)
    for (const double beta : {0., 0.1, 0.5, 0.9, 0.99, 0.999})
      for (const LinearUpdate& update :
           {heavy_ball(beta), ness::Nesterov{beta}.linear(),
            ness::QuasiHyperbolic{beta, 0.7}.linear(), ness::HeavyBall{beta, 0.3}.linear()})
        for (const EpochPhase phase : {EpochPhase::end, EpochPhase::mean}) {
          if (phase == EpochPhase::mean && cut.mirrored) continue;
          std::vector<double> x = rates(cut);
          if (update.direct != 0) std::erase_if(x, [](double rate) { return rate > 1.2; });
          const Errors found = errors(update, cut, phase, x);
          INFO("M " << cut.samples << ", m " << cut.batch_size << ", mirrored " << cut.mirrored
                    << ", small last " << cut.small_last << ", beta " << beta << ", direct "
                    << update.direct << ", gain " << update.gain << ", mean "
                    << (phase == EpochPhase::mean) << ": covariance " << found.covariance
                    << ", circulation " << found.circulation << ", noise " << found.noise
                    << ", residual " << found.residual);
          // Of two updates, and memory over a thousand, θ is what 1000 and 999 leave.
          CHECK(found.covariance <= (cut.updates() == 2 ? 3e-10 : 1e-10));
          CHECK(found.noise <= 1e-10);
          // C is the small difference of what fast memory does in two directions; least of all
          // there and back.
          CHECK(found.circulation <= (cut.mirrored ? 1e-6 : 1e-8));
          CHECK(found.residual <= 1e-12);
        }
}

TEST_CASE("there and back the noise of an epoch keeps its digits where it is (xn)⁴ of an update") {
  const Cut cut{20, 1, false, true};
  VectorXd x(2);
  x << 1e-10, 1e-7;
  const auto kernels =
      ness::detail::epoch_kernels<double>(x, plain, cut.correlation(), EpochPhase::end, "test");
  CHECK(std::abs(kernels.noise(0, 0) / kernels.noise(1, 1) / 1e-12 - 1) <= 1e-4);
  CHECK(std::abs(kernels.covariance(0, 0) / kernels.covariance(1, 1) / 1e-9 - 1) <= 1e-4);
}

TEST_CASE("additive epochs agree with every order of the samples") {
  for (const Cut& cut : {Cut{5, 1}, Cut{6, 2}, Cut{7, 2}, Cut{7, 2, true}, Cut{5, 1, false, true},
                         Cut{6, 2, false, true}, Cut{7, 2, false, true}}) {
    check_enumerated(ness::Plain{}, cut);
    check_enumerated(ness::HeavyBall{.momentum = 0.9}, cut);
    check_enumerated(ness::Nesterov{.momentum = 0.8}, cut);
  }
}

TEST_CASE("the end of an epoch and the mean over its updates are two answers") {
  const Cut cut{100, 1};
  const auto of = [&](double epoch, EpochPhase phase) {
    const double x = epoch / 100;
    const VectorXd rate = VectorXd::Constant(1, x);
    const auto kernels =
        ness::detail::epoch_kernels<double>(rate, plain, cut.correlation(), phase, "test");
    return kernels.covariance(0, 0) * (x * (2 - x));  // over that with replacement
  };
  for (const double epoch : {1e-6, 1e-4}) {
    CHECK(std::abs(of(epoch, EpochPhase::end) / (epoch * epoch / 12) - 1) <= 0.02);
    CHECK(std::abs(of(epoch, EpochPhase::mean) / (epoch / 3) - 1) <= 0.02);
  }
  CHECK(std::abs(of(60, EpochPhase::end) - 1) <= 0.05);
}

TEST_CASE(
    "without a memory, additive epochs are a Markov chain whose entropy production is exact") {
  const Cut cut{6, 2};
  const auto of = [&](const LinearUpdate& update) {
    return ness::additive_epochs(VectorXd::Zero(3), hessian_of_three(), diffusion(cut), eta, update,
                                 cut.correlation());
  };
  const auto chain = of(plain);
  const ness::StationaryState state(chain);
  CHECK(state.step() == ness::MarkovStep::epoch);
  CHECK(state.entropy_production() > 1e-4);
  CHECK(relative_error(state.entropy_production(),
                       irreversibility(chain.relaxation, state.covariance())) <= 1e-8);
  const ness::StationaryState nearly(of(heavy_ball(1e-9)));
  CHECK(relative_error(nearly.covariance(), state.covariance()) <= 1e-7);
  CHECK(relative_error(nearly.circulation(), state.circulation()) <= 1e-7);
  CHECK(relative_error(nearly.relaxation(), state.relaxation()) <= 1e-7);
  CHECK(relative_error(nearly.diffusion(), state.diffusion()) <= 1e-7);
  // An update that halves every gradient is one of half the learning rate.
  const ness::StationaryState halved(of({.direct = 0.5}));
  const ness::StationaryState half(ness::additive_epochs(VectorXd::Zero(3), hessian_of_three(),
                                                         diffusion(cut) / 4, eta / 2, plain,
                                                         cut.correlation()));
  CHECK(relative_error(halved.covariance(), half.covariance()) <= 1e-13);
}

TEST_CASE("epochs of one batch, and batches of all samples, are without noise") {
  const ness::WithoutReplacement all{6};
  CHECK(all.epoch_correlation(6).variance == 0);
  CHECK(ness::WithoutReplacement{1}.epoch_correlation(1).variance == 0);
  for (const LinearUpdate& update : {plain, heavy_ball(0.9)}) {
    const ness::StationaryState state(ness::additive_epochs(VectorXd::Zero(3), hessian_of_three(),
                                                            MatrixXd::Zero(3, 3), eta, update,
                                                            all.epoch_correlation(6)));
    CHECK(state.covariance().norm() == 0);
    CHECK(state.diffusion().norm() == 0);
  }
  // A batch that leaves samples out, alone in its epoch: with replacement.
  const Cut alone{7, 5};
  const ness::StationaryState one(ness::additive_epochs(
      VectorXd::Zero(3), hessian_of_three(), diffusion(alone), eta, plain, alone.correlation()));
  const auto with =
      ness::solve_lyapunov(hessian_of_three(), diffusion(alone), eta, ness::LyapunovForm::discrete);
  CHECK(relative_error(one.covariance(), with.covariance) <= 1e-13);
}

TEST_CASE("a minibatch policy states how the batches of an epoch depend on each other") {
  const EpochCorrelation stated = ness::WithoutReplacement{3}.epoch_correlation(36);
  const EpochCorrelation expected = Cut{36, 3}.correlation();
  CHECK(stated.batches == 12);
  CHECK(relative_error(stated.variance, expected.variance) <= 1e-15);
  CHECK(stated.last_variance == stated.variance);
  CHECK(relative_error(stated.between, expected.between) <= 1e-15);
  CHECK_FALSE(stated.mirrored);
}

TEST_CASE("what additive epochs refuse") {
  const MatrixXd h = hessian_of_three(), d = diffusion(Cut{6, 2});
  const auto of = [&](const MatrixXd& hessian, double rate, const LinearUpdate& update,
                      const EpochCorrelation& correlation, EpochPhase phase = EpochPhase::end) {
    return ness::additive_epochs(VectorXd::Zero(3), hessian, d, rate, update, correlation, phase);
  };
  const EpochCorrelation some = Cut{6, 2}.correlation();
  CHECK_THROWS_WITH(of(-h, eta, plain, some), contains("must relax"));
  const MatrixXd flat = Eigen::Vector3d(1, 0, 2).asDiagonal();  // 0 to the last bit
  CHECK_THROWS_WITH(of(flat, eta, plain, some), contains("of one is 0: start from a minimum"));
  CHECK_THROWS_WITH(of(MatrixXd::Identity(3, 3), 2.1, plain, some), contains("2.1"));
  CHECK_NOTHROW(of(MatrixXd::Identity(3, 3), 3.7, heavy_ball(0.9), some));
  CHECK_THROWS_WITH(of(MatrixXd::Identity(3, 3), 3.875, heavy_ball(0.9), some), contains("3.875"));
  CHECK_THROWS_WITH(of(h, eta, plain, {0, 1, 1, 0}), contains("batches must be at least 1"));
  CHECK_THROWS_WITH(of(h, eta, plain, {2, -1, 1, 0}), contains("variance"));
  CHECK_THROWS_WITH(of(h, eta, plain, {3, 1, 0.5, -0.2, true}), contains("last_variance"));
  CHECK_THROWS_WITH(of(h, eta, plain, Cut{6, 2, false, true}.correlation(), EpochPhase::mean),
                    contains("phase must be end"));
  CHECK_THROWS_WITH(
      ness::additive_epochs(VectorXd::Zero(3), h, MatrixXd::Zero(2, 2), eta, plain, some),
      contains("diffusion"));
}

TEST_CASE("additive epochs of numbers in single precision") {
  const Cut cut{6, 2};
  for (const LinearUpdate& update : {plain, heavy_ball(0.9)}) {
    const ness::StationaryState narrow(
        ness::additive_epochs(Eigen::VectorXf::Zero(3), hessian_of_three().cast<float>(),
                              diffusion(cut).cast<float>(), eta, update, cut.correlation()));
    const ness::StationaryState wide(ness::additive_epochs(
        VectorXd::Zero(3), hessian_of_three(), diffusion(cut), eta, update, cut.correlation()));
    CHECK(relative_error(narrow.covariance(), wide.covariance()) <= 1e-4);
  }
}

namespace {

template <class Update = ness::Plain>
using Epochs = ness::Sgd<ness::WithoutReplacement, Update>;

/// Six samples with one Hessian, and its minimum.
const auto& alike() {
  static const ness::Objective objective = [] {
    QuadraticLosses losses(3, 6, 1);
    losses.curvature.assign(6, hessian_of_three());
    losses.slope = gradients(6).colwise() + Eigen::Vector3d(1, -2, 0.5);
    return ness::Objective(losses);
  }();
  return objective;
}
const auto& minimum_of_alike() {
  static const auto minimum = ness::minimize(alike(), VectorXd::Zero(3));
  return minimum;
}

/// ⟨θ⟩ − θ₀ at the end of epochs of six samples that differ in curvature, over every partition.
VectorXd enumerated_shift(const ness::Objective<ness::LinearModel<>>& objective,
                          const VectorXd& minimum, double rate, const LinearUpdate& update) {
  ness::Derivatives<ness::LinearModel<>> derivatives(objective.model());
  MatrixXd g(2, 6), q(4, 6);
  derivatives.sample_gradients(minimum, 0, g);
  derivatives.sample_hessians(minimum, 0, q);
  MatrixXd sum = MatrixXd::Zero(5, 5);  // of (θ, b, 1)
  for_every_partition(6, 1, [&](const std::vector<int>& batch_of) {
    MatrixXd map = MatrixXd::Identity(5, 5);
    for (int t = 0; t < 6; ++t) {
      const auto i = std::find(batch_of.begin(), batch_of.end(), t) - batch_of.begin();
      MatrixXd gradient = MatrixXd::Zero(2, 5);
      gradient.leftCols(2) = q.col(i).reshaped(2, 2);
      gradient.col(4) = g.col(i);
      MatrixXd one = MatrixXd::Identity(5, 5);
      one.middleRows(2, 2) *= update.momentum;
      one.middleRows(2, 2) += update.gain * gradient;
      one.topRows(2) -= rate * (update.direct * gradient + update.buffered * one.middleRows(2, 2));
      map = (one * map).eval();
    }
    sum += map / 720;
  });
  const MatrixXd rest = MatrixXd::Identity(4, 4) - sum.topLeftCorner(4, 4);
  return rest.lu().solve(sum.col(4).head(4)).head(2);
}

}  // namespace

TEST_CASE("where epochs with a memory settle, to the leading order in η") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(2, 6, 1), generic_values(1, 6, 2)));
  const auto minimum = ness::minimize(objective, VectorXd::Zero(2));
  const auto check = [&](const auto& update) {
    const auto off = [&](double rate) {
      const ness::Sgd<ness::WithoutReplacement, std::remove_cvref_t<decltype(update)>> training{
          rate, {1}, update};
      const auto chain = ness::linearize(objective, minimum, training,
                                         {.epochs = {.order = ness::EpochOrder::additive}});
      return relative_error(chain.mean - minimum.theta,
                            enumerated_shift(objective, minimum.theta, rate, update.linear()));
    };
    INFO(update.description() << ": " << off(1e-4) << " and " << off(5e-5));
    CHECK(off(1e-4) <= 0.01);
    CHECK(off(5e-5) <= 0.6 * off(1e-4));
  };
  check(ness::Plain{});
  check(ness::HeavyBall{.momentum = 0.8});
  check(ness::Nesterov{.momentum = 0.8});
  check(ness::QuasiHyperbolic{.momentum = 0.8, .weight = 0.6});
}

TEST_CASE("predict has epochs with additive noise, and what it says is measured") {
  const auto& objective = alike();
  const auto& minimum = minimum_of_alike();
  const auto check = [&](const auto& training) {
    const auto of = [&](EpochPhase phase) {
      return ness::predict(objective, minimum, training,
                           {.epochs = {.order = ness::EpochOrder::additive, .phase = phase}});
    };
    const auto end = of(EpochPhase::end);
    CHECK((end.mean() - minimum.theta).norm() <= 1e-10);
    const ness::StationaryState direct(
        ness::additive_epochs(VectorXd::Zero(3), hessian_of_three(), diffusion(Cut{6, 2}), eta,
                              training.update.linear(), Cut{6, 2}.correlation()));
    CHECK(relative_error(end.covariance(), direct.covariance()) <= 1e-9);
    CHECK(relative_error(of(EpochPhase::mean).covariance(), end.covariance()) > 0.1);
    const auto measured = ness::measure(objective, training, end,
                                        {.run = {.steps = 600'000, .burn_in = 6000, .chains = 4}});
    CHECK((measured.covariance.value - end.covariance()).norm() <=
          4 * measured.covariance.standard_error.norm());
    CHECK(measured.covariance.standard_error.norm() <= 0.02 * end.covariance().norm());
    CHECK((measured.circulation.value - end.circulation()).norm() <=
          4 * measured.circulation.standard_error.norm());
    CHECK(std::isnan(measured.entropy_production.value) == std::isnan(end.entropy_production()));
  };
  check(Epochs<>{eta, {2}});
  check(Epochs<ness::HeavyBall>{eta, {2}, {.momentum = 0.7}});
  check(Epochs<ness::Nesterov>{eta, {2}, {.momentum = 0.7}});
}

TEST_CASE(
    "additive noise and Appendix B combined come to all orders, as well as those are sampled") {
  const auto& minimum = network_minimum();
  for (const double rate : {1e-7, 4e-7}) {
    const Epochs<> training{rate, {10}};
    const auto of = [&](ness::EpochOrder order) {
      return ness::predict(network(), minimum, training, {.epochs = {.order = order}});
    };
    const auto all = of(ness::EpochOrder::all);
    const auto combined = of(ness::EpochOrder::combined);
    const auto leading = of(ness::EpochOrder::leading);
    const auto additive = of(ness::EpochOrder::additive);
    CHECK(relative_error(combined.covariance(), all.covariance()) <= 2.5e-3);
    CHECK(relative_error(leading.covariance(), all.covariance()) > 3e-3);
    CHECK(relative_error(combined.diffusion(), all.diffusion()) <= 2e-3);
    CHECK(relative_error(leading.diffusion(), all.diffusion()) > 0.04);
    CHECK(relative_error(combined.circulation(), all.circulation()) <= 0.03);
    CHECK(relative_error(leading.circulation(), all.circulation()) > 0.04);
    CHECK(relative_error(combined.entropy_production(), all.entropy_production()) <= 0.02);
    CHECK(relative_error(leading.entropy_production(), all.entropy_production()) > 0.07);
    // Slow directions of this network have their noise from the curvature of single samples.
    CHECK(additive.entropy_production() > 5 * all.entropy_production());
  }
}

TEST_CASE("what predict refuses of epochs with a memory") {
  const Epochs<ness::HeavyBall> training{1e-7, {10}, {.momentum = 0.9}};
  const auto of = [&](const auto& settings) {
    return ness::predict(network(), network_minimum(), training, {.epochs = settings});
  };
  for (const ness::EpochOrder order : {ness::EpochOrder::leading, ness::EpochOrder::combined})
    CHECK_THROWS_WITH(of(ness::EpochSettings{.order = order}),
                      contains("epochs.order must be additive or all for") &&
                          contains("heavy ball") && contains(std::string(to_string(order))));
  CHECK_THROWS_WITH(
      of(ness::EpochSettings{.order = ness::EpochOrder::leading, .phase = EpochPhase::mean}),
      contains("epochs.phase must be end"));
}

TEST_CASE("additive epochs of a single batch, as predict has them, are without noise") {
  for (const ness::EpochOrder order : {ness::EpochOrder::additive, ness::EpochOrder::combined}) {
    const auto state = ness::predict(network(), network_minimum(), Epochs<>{1e-7, {200}},
                                     {.epochs = {.order = order}});
    CHECK(state.covariance().norm() == 0);
  }
}
