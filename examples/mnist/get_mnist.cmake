# Gets the four files of MNIST and checks them:
#
#   cmake [-D DIR=folder] [-D FROM=url] -P examples/mnist/get_mnist.cmake
#
# DIR is where they go (mnist, if not given), FROM where they come from. Each is downloaded under
# another name and renamed once its checksum is right; files that are there and right are left alone.
cmake_minimum_required(VERSION 3.23)

if(NOT DEFINED DIR)
  set(DIR mnist)
endif()
if(NOT DEFINED FROM)
  set(FROM https://ossci-datasets.s3.amazonaws.com/mnist)
endif()
# Published names and MD5 sums.
if(NOT DEFINED FILES)
  set(FILES
    train-images-idx3-ubyte.gz f68b3c2dcbeaaa9fbdd348bbdeb94873
    train-labels-idx1-ubyte.gz d53e105ee54ea40749a09fcbcd1e9432
    t10k-images-idx3-ubyte.gz 9fb629c4189551a2d022fa330f9573f3
    t10k-labels-idx1-ubyte.gz ec29112dd5afa0611ce80d1b7f02629c)
endif()

# has_sum(path md5 result): is the file there, with this sum?
function(has_sum path md5 result)
  set(${result} FALSE PARENT_SCOPE)
  if(EXISTS "${path}")
    file(MD5 "${path}" found)
    if(found STREQUAL md5)
      set(${result} TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()

function(get name md5)
  set(path "${DIR}/${name}")
  has_sum("${path}" ${md5} right)
  if(right)
    message(STATUS "${path} is there and right")
    return()
  endif()
  if(EXISTS "${path}")
    message(FATAL_ERROR "${path} is there, but its MD5 sum is not ${md5}: move it away")
  endif()
  file(DOWNLOAD "${FROM}/${name}" "${path}.partial" STATUS status)
  list(GET status 0 code)
  list(GET status 1 reason)
  if(NOT code EQUAL 0)
    file(REMOVE "${path}.partial")
    message(FATAL_ERROR "${FROM}/${name} cannot be had: ${reason}. Try another source by -D FROM=url")
  endif()
  has_sum("${path}.partial" ${md5} right)
  if(NOT right)
    file(REMOVE "${path}.partial")
    message(FATAL_ERROR "${FROM}/${name} does not have the MD5 sum ${md5}: it was not kept. "
      "Try another source by -D FROM=url")
  endif()
  file(RENAME "${path}.partial" "${path}")
  message(STATUS "${path} is right")
endfunction()

file(MAKE_DIRECTORY "${DIR}")
while(FILES)
  list(POP_FRONT FILES name md5)
  get(${name} ${md5})
endwhile()
message(STATUS "give  --images ${DIR}/train-images-idx3-ubyte.gz --labels ${DIR}/train-labels-idx1-ubyte.gz")
