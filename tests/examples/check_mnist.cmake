# Theory alone, a short run, a run that is killed and continued, the figures, and bad input.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")
set(small --synthetic --samples 2000)
set(short ${small} --eta 1e-3 --steps 2e4 --chains 2)

expect_success(${small} --steps 0 --json theory.json)
foreach(text "MADE-UP DATA (--synthetic)" "N = 490, M = 2000" "accuracy in training"
    "entropy production" "rank 4" "peak memory")
  expect_text("${text}" "${out}")
endforeach()
file(READ "${WORK}/theory.json" json)
foreach(key parameters samples loss_at_minimum train_accuracy peak_memory_bytes)
  expect_numbers("${json}" 0 0 ${key})
endforeach()
foreach(key "hessian_eigenvalues;min" "hessian_eigenvalues;max" "diffusion;trace" "diffusion;rank"
    "diffusion;seconds" "covariance;trace" "covariance;norm" "covariance;seconds"
    "circulation;norm" "entropy_production;theory")
  expect_numbers("${json}" 0 0 ${key})
endforeach()
string(JSON none ERROR_VARIABLE error GET "${json}" simulation)
if(error STREQUAL "NOTFOUND")
  message(FATAL_ERROR "the theory alone has a simulation in\n${json}")
endif()

# Rare events: few clones, of few epochs.
expect_success(${small} --sampling wor --eta 1e-3 --steps 0 --clones 12 --clone-steps 8 --json clones.json
  --figures clones)
expect_text("mu(-0.75) - mu(-0.25)" "${out}")
expect_figures(clones cumulants_wor)
file(READ "${WORK}/clones.json" json)
foreach(key k theory simulation standard_error effective_clones bias)
  expect_numbers("${json}" 5 0 cumulants ${key})
endforeach()
expect_error("--clone-steps must be at least 8" ${small} --sampling wor --steps 0 --clones 12 --clone-steps 4)

# Both ways, with figures.
expect_success(${short} --sampling wr,wor --threads 1 --json one.json --figures figures)
foreach(text "effective minimum" "as printed, B18" "variances along the 490 eigenvectors of H"
    "covariance, simulation against theory" "us an update")
  expect_text("${text}" "${out}")
endforeach()
expect_figures(figures fig3b_wr fig3b_wor directions_wr directions_wor fig4a_wr fig4c_wr variance_flatness
  variance_curvature)
# The directions one by one, and so few means that a picture can show them.
file(STRINGS "${WORK}/figures/directions_wr.dat" each)
file(STRINGS "${WORK}/figures/directions_wr_binned.dat" binned)
list(LENGTH each directions)
list(LENGTH binned bins)
if(NOT (bins GREATER 2 AND bins LESS 40 AND directions GREATER 400))
  message(FATAL_ERROR "${directions} directions in ${bins} bins")
endif()
# All but those that no image lights up.
file(STRINGS "${WORK}/figures/variance_flatness_wr_theory.dat" rows)
list(LENGTH rows count)
if(count LESS 400)
  message(FATAL_ERROR "only ${count} directions have a variance and a flatness")
endif()
expect_files(figures/fig3b_wr_covariance.dat figures/fig3b_wor_circulation.dat)
file(STRINGS "${WORK}/figures/fig3b_wr_covariance.dat" elements)
list(LENGTH elements count)
if(NOT count EQUAL 120295)
  message(FATAL_ERROR "the covariance has 120295 distinct elements, but ${count} were drawn")
endif()
file(READ "${WORK}/one.json" json)
foreach(way wr wor)
  expect_numbers("${json}" 3 0 ${way} entropy_production simulation)
  expect_numbers("${json}" 3 0 ${way} integral_fluctuation simulation)
  foreach(key covariance_trace covariance_relative_error seconds_per_step)
    expect_numbers("${json}" 0 0 ${way} simulation ${key})
  endforeach()
endforeach()

# without_times(file variable): the numbers that do not depend on the machine.
function(without_times file variable)
  file(READ "${WORK}/${file}" json)
  foreach(way wr wor)
    string(JSON json REMOVE "${json}" ${way} diffusion)
    string(JSON json REMOVE "${json}" ${way} covariance)
    string(JSON json REMOVE "${json}" ${way} simulation seconds_per_step)
    string(JSON json REMOVE "${json}" ${way} peak_memory_bytes)
  endforeach()
  set(${variable} "${json}" PARENT_SCOPE)
endfunction()
without_times(one.json one)

# Killed, again and again, and continued: the same numbers, to the last digit.
find_program(timeout timeout)
if(timeout)
  foreach(seconds 0.4 0.8 1.2)
    execute_process(COMMAND "${timeout}" -s KILL ${seconds} "${PROGRAM}" ${short} --sampling wr,wor
        --checkpoint kept --checkpoint-seconds 0.05
      WORKING_DIRECTORY "${WORK}" OUTPUT_QUIET ERROR_QUIET)
  endforeach()
else()
  message(STATUS "there is no timeout command: nothing was killed")
endif()
expect_success(${short} --sampling wr,wor --threads 2 --checkpoint kept --checkpoint-seconds 0.05
  --json two.json)
file(REMOVE "${WORK}/kept.wr.partial" "${WORK}/kept.wor.partial")
without_times(two.json two)
if(NOT one STREQUAL two)
  message(FATAL_ERROR "a run that was killed and continued gives other numbers")
endif()
expect_error("is of another run" ${short} --sampling wr --seed 2 --checkpoint kept.wr)
file(WRITE "${WORK}/text" "text")
expect_error("is no checkpoint: name another file" ${short} --checkpoint text)

# Single precision.
expect_success(${short} --single --json single.json)
expect_success(--help)
foreach(option images labels synthetic samples sampling eta batch lambda steps chains threads seed
    json figures single stride checkpoint checkpoint-seconds)
  expect_text("--${option} " "${out}")
endforeach()

expect_error("there are no data: give --images FILE and --labels FILE; to get MNIST, run  cmake")
expect_error("--images and --labels go together" --images a)
expect_error("--synthetic goes without --images" --synthetic --images a --labels b)
expect_error("cannot open 'a': No such file" --images a --labels b)
expect_error("--sampling must be wr or wor, but is 'earthquake'" ${small} --sampling earthquake)
expect_error("--batch must divide M = 2000 without replacement, but is 300" ${small}
  --sampling wor --batch 300)
expect_error("--stride must divide 192, but is 5: try 24" ${small} --stride 5)
expect_error("--eta must be below 2 / h_max" ${small} --eta 10)
expect_error("--eta must be positive and finite, but is 0" ${small} --eta 0)
expect_error("--lambda must be finite and not negative, but is -1" ${small} --lambda -1)
expect_error("--steps must be in 0 ..." ${small} --steps -1)
expect_error("--samples must be in 0 ..." --synthetic --samples -1)
expect_error("--checkpoint-seconds must be positive" ${small} --checkpoint-seconds 0)
expect_error("cannot be written" ${short} --checkpoint missing/kept)
expect_error("cannot write 'missing/out.json'" ${short} --json missing/out.json)

# The real images, where they are.
if(NOT EXISTS "${DATA}/train-images-idx3-ubyte.gz")
  message(STATUS "MNIST is not at ${DATA}: the real images were not tried")
  return()
endif()
set(real --images "${DATA}/train-images-idx3-ubyte.gz" --labels "${DATA}/train-labels-idx1-ubyte.gz")
expect_success(${real} --steps 0 --json real.json)
expect_text("M = 60000" "${out}")
# The rank of D is a matter of tolerance; the entropy production is not, over two decades of it.
string(REGEX MATCHALL "of the largest dropped: [0-9.e-]+" found "${out}")
list(REMOVE_DUPLICATES found)
list(LENGTH found count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "the entropy production depends on the rank tolerance: ${found}")
endif()
file(READ "${WORK}/real.json" json)
string(JSON rank GET "${json}" diffusion rank)
string(JSON accuracy GET "${json}" train_accuracy)
if(NOT rank EQUAL 489 OR NOT accuracy MATCHES "^0\\.789")
  message(FATAL_ERROR "rank ${rank} and accuracy ${accuracy} of MNIST are wrong")
endif()
expect_error("'${DATA}/train-labels-idx1-ubyte.gz' begins with the magic number 0x00000801"
  --images "${DATA}/train-labels-idx1-ubyte.gz" --labels "${DATA}/train-labels-idx1-ubyte.gz")
expect_error("holds 60000 images" --images "${DATA}/train-images-idx3-ubyte.gz"
  --labels "${DATA}/t10k-labels-idx1-ubyte.gz")
