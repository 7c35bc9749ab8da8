// expect: ness: the learning rate of a running chain is changed by set_learning_rate(double) of the
// Source
#include <ness/ness.hpp>
#include <string>
#include <string_view>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 4; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

struct MyNoise {
  static constexpr ness::Injection injection{.once_a_markov_step = false, .shared = false};
  void check(std::string_view) const {}
  std::string description() const { return "mine"; }
  template <class Vector>
  struct Source {
    double eta;
    Source(const MyNoise&, const ness::ChainShape& chain) : eta(chain.learning_rate) {}
    void after_update(Vector& theta, auto&) { theta *= 1 + eta; }
    void serialize(auto&) {}
  };
};

int main() {
  const ness::Objective objective(MyModel{});
  const ness::Training<ness::WithReplacement, ness::Plain, MyNoise> training{.learning_rate = 0.1,
                                                                             .minibatch = {1}};
  ness::Chain chain(objective, training, Eigen::VectorXd(Eigen::VectorXd::Ones(2)));
  chain.step();  // as before
  chain.set_learning_rate(0.05);
}
