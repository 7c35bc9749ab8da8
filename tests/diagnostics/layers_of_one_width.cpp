// expect: ness: Layers needs at least an input and an output width
#include <ness/ness.hpp>

int main() { return ness::Layers<3>::parameters(); }
