# Each dependency: an installed package first, a download second.
include(FetchContent)

macro(ness_find_eigen)
  find_package(Eigen3 3.4 QUIET NO_MODULE)
  if(NOT TARGET Eigen3::Eigen)
    set(ness_saved_testing "${BUILD_TESTING}")
    set(BUILD_TESTING OFF)
    FetchContent_Declare(Eigen3
      GIT_REPOSITORY https://gitlab.com/libeigen/eigen.git
      GIT_TAG 3.4.0
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(Eigen3)
    set(BUILD_TESTING "${ness_saved_testing}")
  endif()
endmacro()

macro(ness_find_catch2)
  find_package(Catch2 QUIET)
  if(NOT TARGET Catch2::Catch2)
    FetchContent_Declare(Catch2
      GIT_REPOSITORY https://github.com/catchorg/Catch2.git
      GIT_TAG v3.5.4
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(Catch2)
  endif()
endmacro()

macro(ness_find_benchmark)
  find_package(benchmark QUIET)
  if(NOT TARGET benchmark::benchmark)
    set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
    FetchContent_Declare(benchmark
      GIT_REPOSITORY https://github.com/google/benchmark.git
      GIT_TAG v1.8.3
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(benchmark)
  endif()
endmacro()

macro(ness_find_cli11)
  find_package(CLI11 QUIET)
  if(NOT TARGET CLI11::CLI11)
    FetchContent_Declare(CLI11
      GIT_REPOSITORY https://github.com/CLIUtils/CLI11.git
      GIT_TAG v2.4.1
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(CLI11)
  endif()
endmacro()

macro(ness_find_json)
  find_package(nlohmann_json QUIET)
  if(NOT TARGET nlohmann_json::nlohmann_json)
    FetchContent_Declare(nlohmann_json
      GIT_REPOSITORY https://github.com/nlohmann/json.git
      GIT_TAG v3.11.3
      GIT_SHALLOW ON)
    FetchContent_MakeAvailable(nlohmann_json)
  endif()
endmacro()
