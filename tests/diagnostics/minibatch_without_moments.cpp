// expect: ness: the minibatch policy of a training needs check, description, weight_moments
#include <ness/ness.hpp>

struct MyBatches {
  static constexpr bool independent = true;
  void check(ness::Index, std::string_view) const {}
  std::string description() const { return "my batches"; }
  struct Sampler {
    Sampler(const MyBatches&, ness::Index) {}
    ness::Batch next(auto&) { return {}; }
  };
};

int main() {
  const ness::Sgd<MyBatches> training{.learning_rate = 0.1};
  return static_cast<int>(training.learning_rate);
}
