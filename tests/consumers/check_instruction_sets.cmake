cmake_policy(VERSION 3.23)
# Links a program with LIBRARY: compiled with the library's FLAGS it must link and run; compiled for another
# alignment of Eigen, or with the other choice of LAPACK, it must not, and the linker must say why.
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
file(WRITE "${WORK}/program.cpp" [[
#include <cstdio>
#include "ness/detail/compiled_guard.hpp"
int main() { std::printf("%d", EIGEN_MAX_ALIGN_BYTES); }
]])
separate_arguments(common UNIX_COMMAND "${FLAGS}")
set(common ${common} -std=c++20 -O2 -D NESS_COMPILED -I "${INCLUDE}" -isystem "${SYSTEM_INCLUDE}")
if(LAPACK)
  list(APPEND common -D NESS_USE_LAPACK)
  set(other_lapack -U NESS_USE_LAPACK)
else()
  set(other_lapack -D NESS_USE_LAPACK)
endif()

# build(option...): links the program with these options besides the library's; sets `linked` and `text`.
macro(build)
  execute_process(
    COMMAND "${COMPILER}" ${common} ${ARGN} "${WORK}/program.cpp" "${LIBRARY}" -o "${WORK}/program"
    RESULT_VARIABLE linked OUTPUT_VARIABLE text ERROR_VARIABLE text)
endmacro()
# must_not_link(why option...)
function(must_not_link why)
  build(${ARGN})
  if(linked EQUAL 0)
    message(FATAL_ERROR "${why}: must not link")
  elseif(NOT text MATCHES "the_library_was_compiled_with_other_instruction_set_or_eigen")
    message(FATAL_ERROR "${why}: the linker does not say what is wrong, but\n${text}")
  endif()
  message(STATUS "${why}: does not link")
endfunction()

build()
if(NOT linked EQUAL 0)
  message(FATAL_ERROR "compiled as the library was, but\n${text}")
endif()
execute_process(COMMAND "${WORK}/program" RESULT_VARIABLE result OUTPUT_VARIABLE alignment)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "compiled as the library was, but the program ends with ${result}")
endif()
message(STATUS "compiled as the library was, for an alignment of ${alignment}: links and runs")

must_not_link("another choice of eigensolver" ${other_lapack})
if(NOT PROCESSOR MATCHES "x86_64|AMD64")
  message(STATUS "no other instruction sets known for ${PROCESSOR}")
  return()
endif()
foreach(set IN ITEMS "16 -march=x86-64" "32 -march=x86-64 -mavx" "64 -march=x86-64 -mavx512f -mfma")
  separate_arguments(set UNIX_COMMAND "${set}")
  list(POP_FRONT set other)
  if(NOT other EQUAL alignment)
    must_not_link("for an alignment of ${other}" ${set})
  endif()
endforeach()
