// expect: ness: every width of Layers must be at least 1
#include <ness/ness.hpp>

int main() { return ness::Layers<2, 0, 1>::parameters(); }
