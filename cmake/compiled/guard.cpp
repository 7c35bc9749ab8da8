// The one layout that this library was compiled for.
#include "ness/detail/compiled_guard.hpp"

template <int MaxAlignBytes, int EigenWorld, int EigenMajor, int EigenMinor, bool Lapack>
bool ness::compiled::the_library_was_compiled_with_other_instruction_set_or_eigen() {
  return false;
}

template bool ness::compiled::the_library_was_compiled_with_other_instruction_set_or_eigen<>();
