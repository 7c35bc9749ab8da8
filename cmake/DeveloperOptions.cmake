# Warnings, instructions and the linker of our own targets; none of it reaches users of the library.
option(NESS_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)

add_library(ness_developer INTERFACE)
target_link_libraries(ness_developer INTERFACE ness::ness)
target_compile_options(ness_developer INTERFACE -Wall -Wextra -Wpedantic -Wshadow
  $<$<BOOL:${NESS_WARNINGS_AS_ERRORS}>:-Werror>
  $<$<BOOL:${NESS_NATIVE}>:-march=native>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns of its own vector intrinsics, inlined into Eigen.
  target_compile_options(ness_developer INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds
    -Wno-uninitialized)
endif()

# The fastest linker that is installed.
include(CheckLinkerFlag)
foreach(linker IN ITEMS mold lld gold)
  check_linker_flag(CXX -fuse-ld=${linker} NESS_HAS_LINKER_${linker})
  if(NESS_HAS_LINKER_${linker})
    target_link_options(ness_developer INTERFACE -fuse-ld=${linker})
    break()
  endif()
endforeach()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
