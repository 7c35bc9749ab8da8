# ness::compiled: what of the library does not depend on a user's model, compiled once for double and float.
# Whoever links it sees NESS_COMPILED, and the headers then declare those instantiations instead of making
# them. It is built only where something links it, or NESS_INSTALL_COMPILED is on.
#
# Library and program must agree on the instruction set (ness/detail/compiled_guard.hpp). As a part of a larger
# project the library is compiled with that project's flags. On its own, NESS_NATIVE compiles it for this
# machine, and it carries that flag to those who link it: turn it off for packages that travel.
file(GLOB ness_compiled_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/cmake/compiled/*.cpp")
add_library(ness_compiled STATIC ${ness_compiled_sources})
add_library(ness::compiled ALIAS ness_compiled)
target_link_libraries(ness_compiled PUBLIC ness)
target_compile_definitions(ness_compiled INTERFACE NESS_COMPILED)
target_compile_options(ness_compiled
  PUBLIC $<$<BOOL:${NESS_NATIVE}>:-march=native>
  PRIVATE $<$<CONFIG:>:-O2>)  # a project that names no build type means no slow library
set_target_properties(ness_compiled PROPERTIES EXPORT_NAME compiled POSITION_INDEPENDENT_CODE ON)
# What is slow at run time in theory is in linear_algebra.cpp, and what estimators do to each state is written in
# Eigen's vectors: the rest gains nothing from more.
set_source_files_properties(cmake/compiled/landscape.cpp cmake/compiled/theory.cpp
  PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O1>)
set_source_files_properties(cmake/compiled/trajectory.cpp PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O2>)
if(NOT NESS_INSTALL_COMPILED)
  set_target_properties(ness_compiled PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
