# What the checks of programs on ranks share.
cmake_policy(VERSION 3.23)
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
# Open MPI: more ranks than cores, and as root, in a container.
set(ENV{OMPI_MCA_rmaps_base_oversubscribe} 1)
set(ENV{OMPI_ALLOW_RUN_AS_ROOT} 1)
set(ENV{OMPI_ALLOW_RUN_AS_ROOT_CONFIRM} 1)
set(ENV{OMPI_MCA_mpi_yield_when_idle} 1)

# run_on(ranks argument...): runs PROGRAM in WORK and sets `status`, `out` and `err`.
macro(run_on ranks)
  execute_process(COMMAND "${MPIRUN}" ${COUNT} ${ranks} "${PROGRAM}" ${ARGN}
    WORKING_DIRECTORY "${WORK}" TIMEOUT 300
    RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err)
endmacro()

function(expect_success_on ranks)
  run_on(${ranks} ${ARGN})
  if(NOT status EQUAL 0 OR NOT err STREQUAL "")
    message(FATAL_ERROR "${ARGN} on ${ranks} ranks: exit status ${status}\n${err}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()
