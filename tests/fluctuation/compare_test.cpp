// Verdicts: what they call a failure where theory is right, and what they see where it is wrong.
#include <ness/compare.hpp>
#include <ness/random/normal.hpp>
#include <ness/random/philox.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Normal numbers of mean `mean` in few batches: vectors whose elements are correlated, all the
/// more as `alike` comes near 1.
class Runs {
 public:
  explicit Runs(VectorXd mean, double alike = 0) : mean_(std::move(mean)), alike_(alike) {}

  ness::Estimate<VectorXd> next(int batches = 8) {
    ness::BatchMeans<> means(mean_.size(), 1, 1);
    VectorXd own(mean_.size());
    for (int k = 0; k < batches; ++k) {
      normal_.fill(random_, own);
      const double shared = normal_(random_);
      own = mean_ + std::sqrt(1 - alike_) * own +
            VectorXd::Constant(own.size(), std::sqrt(alike_) * shared);
      means.add(own, 1);
    }
    return means.estimate<VectorXd>();
  }

 private:
  VectorXd mean_;
  double alike_;
  ness::Philox random_{3};
  ness::Normal normal_;
};

/// How many of `tables` tables with these rows fail.
template <class Rows>
double alarms(int tables, double rate, const Rows& rows) {
  int failed = 0;
  for (int k = 0; k < tables; ++k)
    failed += ness::Comparison{.rows = rows(), .false_alarms = rate}.agrees() ? 0 : 1;
  return static_cast<double>(failed) / tables;
}

constexpr int tables = 20'000;
constexpr double rate = 0.05;
const double chance = std::sqrt(rate * (1 - rate) / tables);  // of a rate that is measured

}  // namespace

TEST_CASE("rows of numbers fail at the stated rate: three independent ones, eight batches each") {
  Runs runs(VectorXd::Zero(3));
  const double found = alarms(tables, rate, [&] {
    const auto run = runs.next();
    std::vector<ness::ComparisonRow> rows;
    for (int k = 0; k < 3; ++k)
      rows.push_back(ness::compare_row(
          "number", 0.0, {run.value[k], run.standard_error[k], run.degrees_of_freedom}, 0));
    return rows;
  });
  CHECK(std::abs(found - (1 - std::pow(1 - rate / 3, 3))) <= 4 * chance);
}

TEST_CASE("vectors fail at most at the stated rate, however their elements are correlated") {
  for (const double alike : {0.0, 0.5, 1.0}) {
    Runs runs(VectorXd::Zero(5), alike);
    const double found = alarms(tables, rate, [&] {
      return std::vector{ness::compare_row("vector", VectorXd(VectorXd::Zero(5)), runs.next(), 0)};
    });
    INFO("correlation " << alike << ": " << found);
    CHECK(found <= rate + 4 * chance);
  }
}

TEST_CASE("the least likely of several points counts them all, and fails at the stated rate") {
  Runs runs(VectorXd::Zero(20));
  const double found = alarms(tables, rate, [&] {
    const auto run = runs.next();
    std::vector<ness::Estimate<double>> measured;
    for (int k = 0; k < 20; ++k)
      measured.push_back({run.value[k], run.standard_error[k], run.degrees_of_freedom});
    return std::vector{ness::compare_points(
        "points", std::vector<ness::Estimate<double>>(20, {0.0, 0.0}), measured)};
  });
  CHECK(std::abs(found - (1 - std::pow(1 - rate / 20, 20))) <= 4 * chance);
}

TEST_CASE("one wrong element among many is seen, and a small error in all of them") {
  const MatrixXd theory = MatrixXd::Ones(10, 10);
  const ness::Estimate<MatrixXd> right{theory, MatrixXd::Constant(10, 10, 0.1), 63};
  const auto agrees = [&](const ness::Estimate<MatrixXd>& measured) {
    return ness::Comparison{{ness::compare_row("matrix", theory, measured, 0)}}.agrees();
  };
  CHECK(agrees(right));
  auto one = right;
  one.value(2, 7) += 0.6;  // of a difference of norm 1 that chance makes
  CHECK_FALSE(agrees(one));
  auto all = right;
  all.value.array() += 0.39;  // less than four errors in each
  CHECK_FALSE(agrees(all));
}

TEST_CASE("a prediction's own error counts, and what theory leaves out is allowed") {
  const ness::Estimate<double> measured{1.5, 0.1, 30};
  const auto agrees = [](const ness::ComparisonRow& row) {
    return ness::Comparison{{row}}.agrees();
  };
  CHECK_FALSE(agrees(ness::compare_row("x", 1.0, measured, 0)));
  CHECK(agrees(ness::compare_row("x", 1.0, measured, 0.3)));
  const auto both = ness::compare_row("x", ness::Estimate<double>{1.0, 0.2, 10}, measured, 0);
  CHECK(both.standard_error == Approx(std::sqrt(0.05)));
  CHECK(agrees(both));
  CHECK_FALSE(agrees(ness::compare_row("x", 1.0, {1.0, std::nan(""), 0}, 0)));  // too short a run
}

TEST_CASE("a table says how often it is wrong") {
  std::ostringstream text;
  text << ness::Comparison{{ness::compare_row("x", 1.0, {1.5, 0.1, 30}, 0)}, 1e-4};
  CHECK(text.str().find("FAIL") != std::string::npos);
  CHECK(text.str().find("one such table of 10000") != std::string::npos);
  CHECK(text.str().find("too short") == std::string::npos);
  ness::Comparison short_run{{ness::compare_row("x", 1.0, {1.5, 0.1, 30}, 0)}, 1e-4, true};
  text.str("");
  text << short_run;
  CHECK(text.str().find("FAIL") == std::string::npos);
  CHECK(text.str().find("too short") != std::string::npos);
  CHECK_FALSE(short_run.agrees());
}

TEST_CASE("a row that is allowed a quarter of what it says does not pass, but is rough") {
  const auto verdict = [](double allowed, double measured) {
    std::ostringstream text;
    text << ness::Comparison{{ness::compare_row("x", 2.0, {measured, 0.01, 30}, allowed)}};
    return text.str();
  };
  CHECK(verdict(0.2, 2.3).find("  pass") != std::string::npos);
  CHECK(verdict(0.2, 2.3).find("rough") == std::string::npos);
  CHECK(verdict(1.2, 1).find("  pass") == std::string::npos);
  CHECK(verdict(1.2, 1).find("  rough\nrough: theory leaves out a relative 1.2 or so") !=
        std::string::npos);
  CHECK(verdict(0.3, 4).find("  FAIL") != std::string::npos);
  // The ⟨σ⟩ of an equilibrium is rounding, and its allowance that of its terms.
  const ness::ComparisonRow equilibrium{"x", 1e-20, 1e-16, 1e-16, 1e-15, 1e-13, 1};
  std::ostringstream text;
  text << ness::Comparison{{equilibrium}};
  CHECK(text.str().find("  pass") != std::string::npos);
  CHECK(text.str().find("rough") == std::string::npos);
}
