# A short run: table, JSON, figures, and the same numbers for any number of threads.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")
set(short --steps 2e4 --chains 3 --training-runs 4 --training-steps 2000)

expect_success(${short} --threads 1 --json one.json --figures figures)
foreach(text "drift correlation" "minimum theta_0" "Hessian eigenvalues" "Einstein relation" "circulation"
    "entropy production (l = 3)" "<exp(-sigma)> (l = 3)" "autocorrelation times"
    "covariance, simulation against theory" "The run is short" "P(-sigma)/P(sigma) (l = 1)" "noise, skewness"
    "Gaussian noise would give 1" "false alarms: in one such table of 1000")
  expect_text("${text}" "${out}")
endforeach()
if(NOT out MATCHES "\ncovariance [^\n]*  (pass|too short|FAIL)\n")
  message(FATAL_ERROR "no pass or fail in\n${out}")
endif()

# Scripts and data always; pictures where gnuplot is there to make them.
set(names fig1a fig1c fig2a fig3a_wr fig4a_wr fig4b_wr fig4c_wr variance_flatness stationarity)
list(TRANSFORM names PREPEND figures/)
list(TRANSFORM names APPEND .gp OUTPUT_VARIABLE scripts)
expect_files(one.json ${scripts} figures/fig1a_data.dat figures/fig1a_fit.dat figures/fig1c_wr.dat
  figures/fig1c_wor.dat figures/fig1c_wr_stationary.dat figures/fig1c_wor_stationary.dat
  figures/fig2c.gp figures/fig2c_density.dat figures/variance_flatness_parabola.dat
  figures/fig2a_density.dat figures/fig2a_theory.dat figures/fig2a_loss.dat
  figures/fig2a_current.dat figures/fig2a_current_simulation.dat figures/fig3a_wr_covariance.dat
  figures/fig3a_wr_circulation.dat figures/fig4a_wr_1.dat figures/fig4a_wr_2.dat
  figures/fig4a_wr_3.dat figures/fig4c_wr.dat figures/variance_flatness_wr_simulation.dat
  figures/variance_flatness_wor_theory.dat figures/variance_flatness_earthquake_theory.dat)
find_program(gnuplot gnuplot)
if(gnuplot)
  list(TRANSFORM names APPEND .png OUTPUT_VARIABLE pictures)
  expect_files(${pictures})
else()
  expect_text("gnuplot is not installed" "${out}")
  message(STATUS "gnuplot is not installed: the pictures were not checked")
endif()

file(READ "${WORK}/one.json" json)
expect_numbers("${json}" 7 0 minimum)
expect_numbers("${json}" 7 0 hessian_eigenvalues)
expect_numbers("${json}" 7 7 hessian)
foreach(key loss_at_minimum markov_steps markov_steps_total chains seconds_per_step)
  expect_numbers("${json}" 0 0 ${key})
endforeach()
foreach(part simulation standard_error)
  expect_numbers("${json}" 7 0 mean ${part})
  expect_numbers("${json}" 3 0 entropy_production ${part})
  expect_numbers("${json}" 3 0 integral_fluctuation ${part})
endforeach()
foreach(part theory theory_standard_error gaussian)
  expect_numbers("${json}" 3 0 integral_fluctuation ${part})
endforeach()
foreach(part skewness excess_kurtosis)
  expect_numbers("${json}" 7 0 noise ${part})
endforeach()
expect_numbers("${json}" 0 0 entropy_production theory)
foreach(part theory simulation standard_error)
  expect_numbers("${json}" 0 0 drift_correlation ${part})
endforeach()
expect_numbers("${json}" 7 7 diffusion theory)
foreach(matrix covariance circulation)
  foreach(part theory simulation standard_error)
    expect_numbers("${json}" 7 7 ${matrix} ${part})
  endforeach()
endforeach()
string(JSON steps GET "${json}" markov_steps)
string(JSON total GET "${json}" markov_steps_total)
if(NOT steps EQUAL 20000 OR NOT total EQUAL 60000)
  message(FATAL_ERROR "3 chains of 20000 steps, but markov_steps ${steps}, total ${total}")
endif()

# All but the time is the same for two threads; another seed is another run.
expect_success(${short} --threads 2 --json two.json --figures figures2)
expect_success(${short} --threads 2 --json other.json --seed 2)
foreach(name one two other)
  file(READ "${WORK}/${name}.json" ${name})
  string(JSON ${name} REMOVE "${${name}}" seconds_per_step)
endforeach()
if(NOT one STREQUAL two)
  message(FATAL_ERROR "--threads 1 and --threads 2 give different numbers")
endif()
if(one STREQUAL other)
  message(FATAL_ERROR "--seed 1 and --seed 2 give the same numbers")
endif()
foreach(name fig1c_wr fig1c_wor fig2a_density fig2a_current_simulation fig2c_density fig4a_wr_1)
  file(READ "${WORK}/figures/${name}.dat" first)
  file(READ "${WORK}/figures2/${name}.dat" second)
  if(NOT first STREQUAL second)
    message(FATAL_ERROR "--threads 1 and --threads 2 give different ${name}.dat")
  endif()
endforeach()

# Without replacement, and the earthquake: the same keys, per epoch and per step.
set(names fig2b fig3a_wor fig4a_wor fig4b_wor fig4c_wor variance_flatness)
list(TRANSFORM names PREPEND wor/)
list(TRANSFORM names APPEND .gp OUTPUT_VARIABLE scripts)
expect_success(--sampling wor --steps 4e4 --chains 2 --training-runs 0 --json wor.json --figures wor)
expect_files(${scripts} wor/fig2b_minimum.dat wor/fig2b_current.dat)
foreach(text "effective minimum" "mean to the next order" "leading order (Appendix B)"
    "all orders in eta n")
  expect_text("${text}" "${out}")
endforeach()
expect_success(--sampling earthquake --steps 2e3 --chains 2 --training-runs 0 --json earthquake.json
  --figures earthquake)
expect_files(earthquake/fig2c.gp earthquake/fig3a_earthquake.gp)
if(NOT out MATCHES "Einstein relation +mu = beta D holds: beta = 2e\\+15")
  message(FATAL_ERROR "the Einstein relation of the earthquake model is missing in\n${out}")
endif()
expect_text("stationary state         equilibrium" "${out}")
if(EXISTS "${WORK}/earthquake/fig2c_current.dat")
  message(FATAL_ERROR "currents were drawn in equilibrium")
endif()
foreach(name wor earthquake)
  file(READ "${WORK}/${name}.json" json)
  string(JSON sampling GET "${json}" sampling)
  if(NOT sampling STREQUAL name)
    message(FATAL_ERROR "sampling must be ${name}, but is ${sampling}")
  endif()
  foreach(matrix covariance circulation)
    foreach(part theory simulation standard_error)
      expect_numbers("${json}" 7 7 ${matrix} ${part})
    endforeach()
  endforeach()
  expect_numbers("${json}" 7 7 diffusion theory)
  expect_numbers("${json}" 7 0 mean simulation)
  expect_numbers("${json}" 3 0 integral_fluctuation simulation)
  expect_numbers("${json}" 0 0 entropy_production theory)
endforeach()
file(READ "${WORK}/wor.json" json)
expect_numbers("${json}" 7 0 effective_minimum)
string(JSON steps GET "${json}" markov_steps)
if(NOT steps EQUAL 2000)
  message(FATAL_ERROR "40000 updates are 2000 epochs, but markov_steps is ${steps}")
endif()

# Runs begin on the plateau of the paper, 6 to 12 times the least loss, and go down from there.
foreach(way wr wor)
  file(STRINGS "${WORK}/figures/fig1c_${way}.dat" rows)
  list(GET rows 0 first)
  list(GET rows -1 last)
  if(NOT first MATCHES "^0 ([0-9.]+) ([0-9.]+) ([0-9.]+) ([0-9.]+) $")
    message(FATAL_ERROR "the first row of fig1c_${way}.dat is '${first}'")
  endif()
  if(NOT (5 LESS CMAKE_MATCH_1 AND CMAKE_MATCH_1 LESS 15 AND NOT CMAKE_MATCH_3 GREATER CMAKE_MATCH_2
      AND NOT CMAKE_MATCH_2 GREATER CMAKE_MATCH_4))
    message(FATAL_ERROR "mean, median and quartiles of the starts are '${first}'")
  endif()
  if(NOT last MATCHES "^2000 ")
    message(FATAL_ERROR "the last row of fig1c_${way}.dat is '${last}'")
  endif()
endforeach()

# Other axes: the picture says which, counted from 1.
expect_success(--steps 2000 --chains 2 --training-runs 0 --axes 1,3 --figures axes)
file(READ "${WORK}/axes/fig2a.gp" script)
expect_text("{/:Italic δθ}_{1}" "${script}")
expect_text("{/:Italic δθ}_{3}" "${script}")
file(READ "${WORK}/figures/fig2a.gp" script)
expect_text("{/:Italic δθ}_{6}" "${script}")
expect_text("with replacement,  {/:Italic η} = 10^{−7},  {/:Italic m} = 10" "${script}")

# A figure without points says so.
file(READ "${WORK}/wor/fig4b_wor.gp" script)
file(STRINGS "${WORK}/wor/fig4b_wor_1.dat" rows)
if(NOT rows)
  expect_text("raise --steps" "${script}")
endif()

expect_success(--sampling wor --steps 2e3 --chains 2 --training-runs 0 --batch 200 --figures silent)

# Several side by side.
expect_success(--sampling wr,wor,earthquake --steps 2e3 --chains 2 --training-runs 0 --json all.json)
expect_text("side by side, per Markov step                wr            wor     earthquake" "${out}")
file(READ "${WORK}/all.json" json)
foreach(name wr wor earthquake)
  expect_numbers("${json}" 7 7 ${name} covariance theory)
endforeach()

# Without gnuplot the scripts and data are still written.
find_program(env env)
if(env)
  execute_process(COMMAND "${env}" PATH=/nowhere "${PROGRAM}" --steps 1000 --chains 1
      --training-runs 0 --figures bare
    WORKING_DIRECTORY "${WORK}" RESULT_VARIABLE status OUTPUT_VARIABLE out)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "without gnuplot the exit status is ${status}")
  endif()
  expect_text("gnuplot is not installed" "${out}")
  expect_files(bare/fig2a.gp bare/fig2a_density.dat)
endif()

# Killed at any moment, it leaves whole files or none under their names.
find_program(timeout timeout)
if(timeout)
  foreach(seconds 0.3 0.6 1 1.5)
    execute_process(COMMAND "${timeout}" -s KILL ${seconds} "${PROGRAM}" --steps 1e4 --chains 2 --training-runs 1
        --training-steps 2000 --json killed.json --figures killed
      WORKING_DIRECTORY "${WORK}" OUTPUT_QUIET ERROR_QUIET)
    file(GLOB pictures "${WORK}/killed/*.png")
    list(FILTER pictures EXCLUDE REGEX "\\.partial\\.png$")
    foreach(picture IN LISTS pictures)
      file(READ "${picture}" bytes HEX)
      if(NOT bytes MATCHES "49454e44ae426082$")  # how a PNG file ends
        message(FATAL_ERROR "half a picture: ${picture}")
      endif()
    endforeach()
    if(EXISTS "${WORK}/killed.json")
      file(READ "${WORK}/killed.json" json)
      expect_numbers("${json}" 7 0 minimum)
    endif()
  endforeach()
  # A gnuplot that was left alone may still be at work; what it leaves is under another name.
  file(REMOVE_RECURSE "${WORK}/killed" "${WORK}/killed.json.partial")
endif()

# A file that cannot be written whole is not left in part, and the one that was there stays.
find_program(sh sh)
if(sh)
  file(WRITE "${WORK}/full.json" "{}")
  execute_process(COMMAND "${sh}" -c "trap '' XFSZ; ulimit -f 1; exec '${PROGRAM}' --steps 1000 --chains 1 \
      --training-runs 0 --json full.json"
    WORKING_DIRECTORY "${WORK}" RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE err)
  expect_text("cannot write 'full.json': is there room" "${err}")
  expect_files(full.json)  # and nothing partial
  file(READ "${WORK}/full.json" json)
  if(status EQUAL 0 OR NOT json STREQUAL "{}")
    message(FATAL_ERROR "a full disk gives the status ${status}, and the old file is now\n${json}")
  endif()
endif()

# The limits of what is allowed: no noise at all, a single step, a batch that does not divide M.
expect_success(--steps 1000 --chains 2 --training-runs 0 --batch 200 --figures quiet)
expect_success(--steps 1 --chains 1 --training-runs 0 --json single.json --figures single)
expect_success(--steps 1000 --chains 1 --batch 7 --training-runs 1 --training-steps 10
  --figures seven)

# The user's own data, with the ends of line of other systems.
file(WRITE "${WORK}/x.txt" "-1\n0 \r\n+1e0\n2\n\n")
file(WRITE "${WORK}/y.txt" "0.1\n0.9\n0.2\n0\n")
expect_success(--data-x x.txt --data-y y.txt --batch 2 --steps 1000 --chains 1 --json own.json)
expect_text("M = 4" "${out}")

expect_success(--help)
foreach(option data-x data-y sampling axes zeta eta batch lambda steps chains threads seed json figures
    training-runs training-steps)
  expect_text("--${option} " "${out}")
endforeach()
