// expect: ness: a minibatch policy must say that its batches are `independent`
#include <ness/ness.hpp>

struct MyBatches : ness::WithoutReplacement {
  static constexpr bool independent = true;
};

int main() {
  const ness::Sgd<MyBatches> training{.learning_rate = 0.1};
  return static_cast<int>(training.learning_rate);
}
