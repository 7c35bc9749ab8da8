include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS ness ness_mpi EXPORT ness-targets
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
set(architecture ARCH_INDEPENDENT)
if(NESS_INSTALL_COMPILED)
  install(TARGETS ness_compiled EXPORT ness-targets)
  set(architecture "")
endif()
install(EXPORT ness-targets NAMESPACE ness:: DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/ness")
configure_package_config_file(cmake/ness-config.cmake.in ness-config.cmake
  INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/ness")
write_basic_package_version_file(ness-config-version.cmake
  COMPATIBILITY SameMinorVersion ${architecture})
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/ness-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/ness-config-version.cmake"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/ness")
