# Fails with the lines of the file WARNINGS, if there are any.
file(READ "${WARNINGS}" warnings)
if(NOT warnings STREQUAL "")
  message(FATAL_ERROR "Doxygen warns:\n${warnings}")
endif()
