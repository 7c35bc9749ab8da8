cmake_policy(VERSION 3.23)
# Builds the consumer project WAY in the folder WORK, from nothing, and runs its two programs.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}\n${text}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
set(common -G "${GENERATOR}" -D "CMAKE_CXX_COMPILER=${COMPILER}" -D CMAKE_BUILD_TYPE=Debug
  -D CMAKE_CXX_FLAGS_DEBUG=-O0)
if(WAY STREQUAL "find_package")
  run(${CMAKE_COMMAND} -S "${NESS_SOURCE}" -B "${WORK}/ness" ${common}
    -D NESS_BUILD_TESTS=OFF -D NESS_BUILD_BENCH=OFF -D NESS_BUILD_EXAMPLES=OFF -D NESS_INSTALL_COMPILED=ON)
  run(${CMAKE_COMMAND} --build "${WORK}/ness")
  run(${CMAKE_COMMAND} --install "${WORK}/ness" --prefix "${WORK}/prefix")
  list(APPEND common -D "CMAKE_PREFIX_PATH=${WORK}/prefix")
endif()
run(${CMAKE_COMMAND} -S "${CMAKE_CURRENT_LIST_DIR}/${WAY}" -B "${WORK}/build" ${common}
  -D "NESS_SOURCE=${NESS_SOURCE}")
run(${CMAKE_COMMAND} --build "${WORK}/build")
run("${WORK}/build/consumer")
run("${WORK}/build/consumer_compiled")
