// expect: ness: a minibatch policy must say that its batches are `independent`
#include <ness/ness.hpp>

// It says `independant`.
struct MyBatches {
  static constexpr bool independant = true;
  void check(ness::Index, std::string_view) const {}
  std::string description() const { return "my batches"; }
  ness::WeightMoments weight_moments(ness::Index) const { return {}; }
  struct Sampler {
    Sampler(const MyBatches&, ness::Index) {}
    ness::Batch next(auto&) { return {}; }
  };
};

int main() {
  const ness::Sgd<MyBatches> training{.learning_rate = 0.1};
  return static_cast<int>(training.learning_rate);
}
