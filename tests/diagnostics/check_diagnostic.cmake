cmake_policy(VERSION 3.23)
# Compiles SOURCE and compares the first error with the file's first line. The second may have flags.
file(STRINGS "${SOURCE}" lines LIMIT_COUNT 2)
list(POP_FRONT lines first_line flags)
if(NOT flags MATCHES "^// flags: ")
  set(flags "")
endif()
string(REPLACE "// flags: " "" flags "${flags}")
separate_arguments(flags)
execute_process(
  COMMAND "${COMPILER}" -std=c++20 -fsyntax-only ${flags} -I "${INCLUDE}" -isystem "${SYSTEM_INCLUDE}" "${SOURCE}"
  RESULT_VARIABLE result ERROR_VARIABLE text OUTPUT_QUIET)

if(first_line STREQUAL "// must compile")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "must compile, but:\n${text}")
  endif()
  return()
endif()

string(REGEX REPLACE "^// expect: " "" expected "${first_line}")
if(result EQUAL 0)
  message(FATAL_ERROR "must not compile")
endif()
# The first line with "error:", whatever brackets and semicolons it holds.
string(FIND "${text}" "error:" at)
string(SUBSTRING "${text}" ${at} -1 rest)
string(FIND "${rest}" "\n" end)
string(SUBSTRING "${rest}" 0 ${end} first_error)
string(FIND "${first_error}" "${expected}" found)
if(found EQUAL -1)
  message(FATAL_ERROR "the first error must contain\n  ${expected}\nbut is\n  ${first_error}\nin\n${text}")
endif()
