// Every other way to draw a batch: what policies state, against everything that they may draw.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "ness/minibatch/drop_last.hpp"
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/independent_draws.hpp"
#include "ness/minibatch/one_of.hpp"
#include "ness/minibatch/one_order.hpp"
#include "ness/minibatch/poisson.hpp"
#include "ness/minibatch/there_and_back.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/every_batch.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr auto weight_of_batch = [](ness::Batch batch) { return batch.weight(); };

/// The covariance of Σ_i w_i g_i, from that of the weights and from what a policy states.
void check_covariance(const EnumeratedWeights& exact, const ness::WeightMoments& stated) {
  const auto samples = exact.mean.size();
  CHECK((exact.mean.array() - 1 / static_cast<double>(samples)).abs().maxCoeff() <= 1e-14);
  const MatrixXd g = generic_values(3, samples, 5);
  const VectorXd mean = g.rowwise().mean();
  const MatrixXd centred = g.colwise() - mean;
  const MatrixXd expected = g * exact.covariance * g.transpose();
  const auto square = static_cast<double>(samples * samples);
  const MatrixXd found = stated.scatter * centred * centred.transpose() +
                         stated.total * square * mean * mean.transpose();
  CHECK((found - expected).norm() <= 1e-12 * expected.norm());
}

/// The noise of the mean gradient of each batch of a Markov step, over all draws: ⟨ξ_tξ_s⟩ of
/// gradients that are numbers.
template <class Policy>
MatrixXd noise_of_epoch(const Policy& policy, ness::Index samples,
                        const std::vector<std::uint32_t>& bounds, const VectorXd& gradients) {
  const ness::Index updates = policy.batches_per_epoch(samples);
  MatrixXd sum = MatrixXd::Zero(updates, updates);
  double draws = 0;
  for_every_draw(bounds, [&](auto& random) {
    typename Policy::Sampler sampler(policy, samples);
    VectorXd noise(updates);
    for (ness::Index t = 0; t < updates; ++t) {
      const ness::Batch batch = sampler.next(random);
      double gradient = 0;
      for (const auto i : batch) gradient += batch.weight() * gradients[i];
      noise[t] = gradient - gradients.mean();
    }
    sum += noise * noise.transpose();
    ++draws;
  });
  return sum / draws;
}

/// The same as the policy states it.
MatrixXd stated_noise(const ness::EpochCorrelation& epoch, const VectorXd& gradients) {
  const auto n = epoch.batches;
  const double s = (gradients.array() - gradients.mean()).square().mean();
  MatrixXd noise(epoch.updates(), epoch.updates());
  const auto batch = [&](ness::Index t) { return t < n ? t : 2 * n - 1 - t; };
  for (ness::Index t = 0; t < noise.rows(); ++t)
    for (ness::Index u = 0; u < noise.cols(); ++u)
      noise(t, u) = s * (batch(t) != batch(u) ? epoch.between
                         : batch(t) == n - 1  ? epoch.last_variance
                                              : epoch.variance);
  return noise;
}

template <class Policy>
void check_epoch(const Policy& policy, std::uint32_t samples, std::uint32_t drawn) {
  INFO(policy.description() << ", M = " << samples);
  const VectorXd g = generic_values<VectorXd>(samples, 1, 9);
  const MatrixXd expected = noise_of_epoch(policy, samples, falling(samples, drawn), g);
  const MatrixXd found = stated_noise(policy.epoch_correlation(samples), g);
  REQUIRE(found.rows() == expected.rows());
  CHECK((found - expected).cwiseAbs().maxCoeff() <= 1e-12 * expected.cwiseAbs().maxCoeff() + 1e-15);
}

/// The next batches of a sampler, and of one that was made anew from a checkpoint of it, are equal.
template <class Policy>
void check_continued(const Policy& policy, ness::Index samples) {
  INFO(policy.description());
  typename Policy::Sampler sampler(policy, samples);
  ness::Philox random(3);
  for (int k = 0; k < 5; ++k) sampler.next(random);
  ness::CheckpointWriter writer;
  writer(sampler, random);
  typename Policy::Sampler again(policy, samples);
  ness::Philox random_again(4);
  ness::CheckpointReader reader(writer.bytes());
  reader(again, random_again);
  for (int k = 0; k < 20; ++k) {
    const auto expected = to_vector(sampler.next(random));
    CHECK(to_vector(again.next(random_again)) == expected);
  }
}

}  // namespace

TEST_CASE("Independent draws have the moments that are stated, repeats included") {
  for (std::uint32_t samples = 1; samples <= 5; ++samples)
    for (std::uint32_t m = 1; m <= 4; ++m) {
      INFO("M = " << samples << ", m = " << m);
      const ness::IndependentDraws policy{m};
      const std::vector<std::uint32_t> bounds(m, samples);
      if (samples > 1)
        check_covariance({policy, samples, bounds, 0, weight_of_batch},
                         policy.weight_moments(samples));
      VectorXd c = generic_values<VectorXd>(samples, 1, m);
      c.array() -= c.mean();
      double third = 0, fourth = 0, exponential = 0, draws = 0;
      for_every_draw(bounds, [&](auto& random) {
        ness::IndependentDraws::Sampler sampler(policy, samples);
        double sum = 0;
        for (const auto i : sampler.next(random)) sum += c[i] / m;
        third += std::pow(sum, 3);
        fourth += std::pow(sum, 4);
        exponential += std::expm1(sum);
        ++draws;
      });
      const double square = c.squaredNorm();
      const auto stated = policy.higher_weight_moments(samples);
      CHECK(std::abs(stated.third * c.array().pow(3).sum() - third / draws) <= 1e-14);
      CHECK(std::abs(stated.fourth * c.array().pow(4).sum() + stated.pairs * square * square -
                     fourth / draws) <= 1e-13);
      CHECK(std::abs(policy.mean_exponential(c) - exponential / draws) <= 1e-14);
    }
}

TEST_CASE("Poisson batches have the moments of every subset, each with its chance") {
  for (std::uint32_t samples = 1; samples <= 5; ++samples)
    for (std::uint32_t m = 1; m <= samples; ++m) {
      INFO("M = " << samples << ", m = " << m);
      const double q = static_cast<double>(m) / samples;
      VectorXd mean = VectorXd::Zero(samples);
      MatrixXd second = MatrixXd::Zero(samples, samples);
      for (std::uint32_t subset = 0; subset < (1U << samples); ++subset) {
        VectorXd w = VectorXd::Zero(samples);
        double chance = 1;
        for (std::uint32_t i = 0; i < samples; ++i) {
          const bool taken = (subset >> i & 1U) != 0;
          chance *= taken ? q : 1 - q;
          if (taken) w[i] = 1.0 / m;
        }
        mean += chance * w;
        second += chance * w * w.transpose();
      }
      const auto stated = ness::Poisson{m}.weight_moments(samples);
      const MatrixXd covariance = second - mean * mean.transpose();
      CHECK(std::abs(stated.scatter - covariance(0, 0)) <= 1e-15);  // weights are independent
      CHECK(std::abs(stated.total - covariance.sum() / (samples * samples)) <= 1e-15);
      // S of the policy's doc: ((1 − q)/m) (1/M) Σ g_ig_iᵀ, not centred.
      const MatrixXd g = generic_values(2, samples, 7);
      const MatrixXd expected = (1 - q) / m / samples * g * g.transpose();
      CHECK((g * covariance * g.transpose() - expected).norm() <= 1e-14);
    }
}

TEST_CASE("A Poisson batch takes each subset as often as it should, the empty one too") {
  // Pearson's test over 8 subsets, 7 degrees of freedom: beyond 24.3 once in 1000.
  constexpr int draws = 40'000;
  std::map<std::vector<std::uint32_t>, int> seen;
  const ness::Poisson policy{1};
  ness::Poisson::Sampler sampler(policy, 3);
  ness::Philox random(11);
  for (int k = 0; k < draws; ++k) {
    const ness::Batch batch = sampler.next(random);
    REQUIRE(std::is_sorted(batch.begin(), batch.end()));
    CHECK((batch.empty() || batch.weight() == 1));
    ++seen[to_vector(batch)];
  }
  REQUIRE(seen.size() == 8);
  double chi_square = 0;
  for (const auto& [subset, count] : seen) {
    const double expected =
        draws * std::pow(1.0 / 3, subset.size()) * std::pow(2.0 / 3, 3.0 - subset.size());
    chi_square += std::pow(count - expected, 2) / expected;
  }
  CHECK(chi_square < 24.3);
  // All of the samples, always.
  ness::Poisson::Sampler all({3}, 3);
  for (int k = 0; k < 10; ++k)
    CHECK(to_vector(all.next(random)) == std::vector<std::uint32_t>{0, 1, 2});
}

TEST_CASE("The batches of an epoch depend on each other as is stated") {
  check_epoch(ness::WithoutReplacement{2}, 6, 6);
  check_epoch(ness::WithoutReplacement{5}, 5, 5);
  check_epoch(ness::WithoutReplacement{1}, 4, 4);
  check_epoch(ness::DropLast{2}, 5, 4);
  check_epoch(ness::DropLast{3}, 5, 3);
  check_epoch(ness::DropLast{2}, 6, 6);
  check_epoch(ness::SmallerLast{2}, 5, 5);
  check_epoch(ness::SmallerLast{4}, 5, 5);
  check_epoch(ness::SmallerLast{2}, 6, 6);
  check_epoch(ness::ThereAndBack{2}, 6, 6);
  check_epoch(ness::ThereAndBack{1}, 4, 4);
  check_epoch(ness::ThereAndBack{4}, 4, 4);
  const VectorXd g = generic_values<VectorXd>(6, 1, 9);
  CHECK(stated_noise(ness::OneOrder{2}.epoch_correlation(6), g).norm() == 0);
}

TEST_CASE("Epochs see every sample once, or drop the last, and there and back is a mirror") {
  ness::Philox random(2);
  const auto epoch = [&](auto& sampler, int batches) {
    std::vector<std::vector<std::uint32_t>> result;
    for (int k = 0; k < batches; ++k) {
      const ness::Batch batch = sampler.next(random);
      CHECK(batch.weight() == 1 / static_cast<double>(batch.size()));
      result.push_back(to_vector(batch));
    }
    return result;
  };
  const auto distinct = [](const auto& batches) {
    std::set<std::uint32_t> seen;
    std::size_t count = 0;
    for (const auto& batch : batches)
      seen.insert(batch.begin(), batch.end()), count += batch.size();
    CHECK(seen.size() == count);
    return count;
  };
  ness::DropLast::Sampler drop({3}, 10);
  ness::SmallerLast::Sampler smaller({3}, 10);
  ness::ThereAndBack::Sampler mirror({2}, 10);
  ness::OneOrder::Sampler fixed({2}, 10);
  const auto first = epoch(fixed, 5);
  CHECK(first.front() == std::vector<std::uint32_t>{0, 1});
  std::set<std::vector<std::vector<std::uint32_t>>> orders;
  for (int e = 0; e < 5; ++e) {
    CHECK(distinct(epoch(drop, 3)) == 9);
    const auto four = epoch(smaller, 4);
    CHECK(distinct(four) == 10);
    CHECK(four.back().size() == 1);
    auto there = epoch(mirror, 5);
    auto back = epoch(mirror, 5);
    CHECK(distinct(there) == 10);
    orders.insert(there);
    std::reverse(back.begin(), back.end());
    CHECK(back == there);
    CHECK(epoch(fixed, 5) == first);
  }
  CHECK(orders.size() == 5);  // each pair of epochs has a new order
}

TEST_CASE("A policy that is chosen when the program runs is the policy") {
  using Epochs = ness::OneOf<ness::WithoutReplacement, ness::DropLast, ness::ThereAndBack>;
  using Draws = ness::OneOf<ness::WithReplacement, ness::IndependentDraws, ness::Poisson>;
  STATIC_REQUIRE(ness::EpochBatches<Epochs>);
  STATIC_REQUIRE_FALSE(ness::IndependentBatches<Epochs>);
  STATIC_REQUIRE(ness::IndependentBatches<Draws>);
  STATIC_REQUIRE_FALSE(ness::EpochBatches<Draws>);
  const ness::ThereAndBack mirror{2};
  const Epochs chosen(mirror);
  CHECK(chosen.description() == mirror.description());
  CHECK(chosen.batches_per_epoch(10) == 10);
  CHECK(chosen.epoch_correlation(10).mirrored);
  CHECK_THROWS_WITH(Epochs(ness::WithoutReplacement{3}).check(10, "here"),
                    contains("batch_size must divide M = 10"));
  Epochs::Sampler sampler(chosen, 10);
  ness::ThereAndBack::Sampler expected(mirror, 10);
  ness::Philox one(5), two(5);
  for (int k = 0; k < 20; ++k) {
    const auto batch = to_vector(expected.next(one));
    CHECK(to_vector(sampler.next(two)) == batch);
  }
  // Of both kinds: epochs, of a single batch where they are independent.
  using Any = ness::OneOf<ness::Poisson, ness::SmallerLast>;
  STATIC_REQUIRE(ness::EpochBatches<Any>);
  STATIC_REQUIRE_FALSE(ness::IndependentBatches<Any>);
  CHECK(Any(ness::Poisson{2}).batches_per_epoch(9) == 1);
  CHECK(Any(ness::Poisson{2}).epoch_correlation(9).batches == 1);
  CHECK(Any(ness::SmallerLast{2}).batches_per_epoch(9) == 5);
  CHECK(Any(ness::SmallerLast{2}).epoch_correlation(9).batches == 5);
  CHECK(Draws(ness::Poisson{2}).weight_moments(8).total ==
        ness::Poisson{2}.weight_moments(8).total);
}

TEST_CASE("Samplers go on from a checkpoint to the bit") {
  check_continued(ness::IndependentDraws{4}, 10);
  check_continued(ness::Poisson{4}, 10);
  check_continued(ness::DropLast{3}, 10);
  check_continued(ness::SmallerLast{3}, 10);
  check_continued(ness::ThereAndBack{2}, 10);
  check_continued(ness::OneOrder{2}, 10);
  check_continued(ness::OneOf<ness::WithoutReplacement, ness::ThereAndBack>(ness::ThereAndBack{2}),
                  10);
}

TEST_CASE("Batches that cannot be drawn are refused, with the value and a way out") {
  CHECK_THROWS_WITH(ness::IndependentDraws{0}.check(5), contains("at least 1") && contains("0"));
  CHECK_NOTHROW(ness::IndependentDraws{7}.check(5));
  CHECK_THROWS_WITH(ness::Poisson{6}.check(5), contains("1 ... M = 5, but is 6"));
  CHECK_THROWS_WITH(ness::DropLast{6}.check(5), contains("1 ... M = 5, but is 6"));
  CHECK_THROWS_WITH(ness::SmallerLast{0}.check(5), contains("but is 0"));
  for (const std::string message :
       {"batch_size must divide M = 5", "the nearest that do are 1 and 5", "DropLast"}) {
    CHECK_THROWS_WITH(ness::ThereAndBack{2}.check(5), contains(message));
    CHECK_THROWS_WITH(ness::OneOrder{2}.check(5), contains(message));
    CHECK_THROWS_WITH(ness::WithoutReplacement{2}.check(5), contains(message));
  }
}
