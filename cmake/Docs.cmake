# cmake --build … --target docs: the documents and the public names of all headers as a web site, build/docs/html, by
# Doxygen (Debian: doxygen). It fails where Doxygen warns, of a name without a word above all.
find_package(Doxygen QUIET)
if(NOT DOXYGEN_FOUND)
  return()
endif()
file(GLOB NESS_DOCUMENTS "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/*/README.md"
  "${PROJECT_SOURCE_DIR}/examples/*/*.md" "${PROJECT_SOURCE_DIR}/tests/*/*.md" "${PROJECT_SOURCE_DIR}/.github/*.md")
list(PREPEND NESS_DOCUMENTS "${PROJECT_SOURCE_DIR}/include")
list(TRANSFORM NESS_DOCUMENTS REPLACE "(.+)" "\"\\1\"")
list(JOIN NESS_DOCUMENTS " " NESS_DOCUMENTS)
configure_file(cmake/docs/Doxyfile.in docs/Doxyfile @ONLY)
add_custom_target(docs
  COMMAND Doxygen::doxygen "${PROJECT_BINARY_DIR}/docs/Doxyfile"
  COMMAND "${CMAKE_COMMAND}" -D "WARNINGS=${PROJECT_BINARY_DIR}/docs/warnings"
    -P "${PROJECT_SOURCE_DIR}/cmake/docs/no_warnings.cmake"
  COMMENT "The web site in ${PROJECT_BINARY_DIR}/docs/html"
  VERBATIM)
