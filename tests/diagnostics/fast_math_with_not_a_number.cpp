// must compile
// flags: -Ofast -fno-finite-math-only
#include <ness/ness.hpp>

int main() {}
