// expect: ness: the noise of a training needs check, description, a Source
#include <ness/ness.hpp>

struct MyModel {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return theta.squaredNorm(); }
};

// It says `injektion`: nothing would be injected.
struct MyNoise {
  static constexpr ness::Injection injektion{.once_a_markov_step = false, .shared = false};
  void check(std::string_view) const {}
  std::string description() const { return "my noise"; }
  template <class Vector>
  struct Source {
    Source(const MyNoise&, const ness::ChainShape&) {}
    void after_update(Vector&, auto&) {}
  };
};

int main() {
  const ness::Objective objective(MyModel{});
  const ness::Training<ness::WithReplacement, ness::Plain, MyNoise> training{.learning_rate = 0.1,
                                                                             .minibatch = {1}};
  ness::Chain chain(objective, training, Eigen::VectorXd::Ones(2));
  chain.step();
}
