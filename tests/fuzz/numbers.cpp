// Text files of numbers, one a line: the data and the parameters that the examples read.
#include "examples/common/numbers.hpp"

#include <cmath>
#include <cstdlib>

#include "examples/common/user_error.hpp"
#include "fuzz.hpp"

std::vector<std::string> good_files() {
  return {"1\n2.5\n-3e-7\n", "\xEF\xBB\xBF 0.1 \r\n+.5\r\n\r\n",
          "1e-400\n0x1p3\n", "1,5\n",
          "x,y\n1\t2\n",     "nan\ninf\n"};
}

void read_file(const std::string& name, std::size_t bytes) {
  try {
    const std::vector<double> numbers = read_numbers(name);
    if (numbers.empty() || numbers.size() > (bytes + 1) / 2) std::abort();
    for (const double number : numbers)
      if (!std::isfinite(number)) std::abort();
  } catch (const UserError&) {
  }
}
