// expect: ness: not a number must be told from a number: add -fno-finite-math-only
// flags: -Ofast
#include <ness/ness.hpp>

int main() {}
