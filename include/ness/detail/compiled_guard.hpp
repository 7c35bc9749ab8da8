// A program that links ness::compiled must be compiled as the library was: Eigen's alignment
// follows the instruction set, and what the two pass to each other is laid out by it. Every file
// compiled with NESS_COMPILED asks for a function that the library has for its own layout alone;
// with any other one the linker names what is missing, and the name is the message.
#pragma once

#include <Eigen/Core>

namespace ness::compiled {

#ifdef NESS_USE_LAPACK
constexpr bool uses_lapack = true;
#else
constexpr bool uses_lapack = false;
#endif

/// Compile both with the same -march and the same Eigen; the CMake target ness::compiled carries
/// what it needs.
template <int MaxAlignBytes = EIGEN_MAX_ALIGN_BYTES, int EigenWorld = EIGEN_WORLD_VERSION,
          int EigenMajor = EIGEN_MAJOR_VERSION, int EigenMinor = EIGEN_MINOR_VERSION,
          bool Lapack = uses_lapack>
bool the_library_was_compiled_with_other_instruction_set_or_eigen();

#ifdef NESS_COMPILED
namespace {
// One call before main for each file, which neither a compiler nor a linker may leave out.
[[maybe_unused]] const bool asked =
    the_library_was_compiled_with_other_instruction_set_or_eigen<>();
}  // namespace
#endif

}  // namespace ness::compiled
