# vcpkg install ness --overlay-ports=cmake/packaging/vcpkg/ports from a checkout of the repository.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS options
  FEATURES lapack NESS_USE_LAPACK mpi NESS_USE_MPI)
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS ${options}
    -DNESS_BUILD_TESTS=OFF -DNESS_BUILD_BENCH=OFF -DNESS_BUILD_EXAMPLES=OFF -DNESS_NATIVE=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME ness CONFIG_PATH lib/cmake/ness)
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug" "${CURRENT_PACKAGES_DIR}/lib")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
