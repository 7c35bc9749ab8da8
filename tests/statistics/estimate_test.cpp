#include "ness/statistics/estimate.hpp"

#include "support/catch.hpp"

TEST_CASE("A batch of so many steps has fewer states where not all are looked at") {
  CHECK(ness::detail::states_per_batch(192, 1, "test") == 192);
  CHECK(ness::detail::states_per_batch(192, 24, "test") == 8);
  CHECK(ness::detail::states_per_batch(10, 24, "test") == 1);
  CHECK_THROWS_WITH(ness::detail::states_per_batch(10, 0, "test"),
                    contains("stride must be at least 1, but is 0"));
}
