# Gets the four files of MNIST and checks them:
#
#   cmake [-D DIR=folder] [-D FROM=url] -P examples/mnist/get_mnist.cmake
#
# DIR is where they go (mnist, if not given), FROM where they come from. Each is downloaded under
# another name and renamed once its checksum is right; files that are there and right are left alone.
cmake_minimum_required(VERSION 3.23)
include("${CMAKE_CURRENT_LIST_DIR}/../common/get_files.cmake")

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

get_files("${DIR}" "${FROM}" ${FILES})
message(STATUS "give  --images ${DIR}/train-images-idx3-ubyte.gz --labels ${DIR}/train-labels-idx1-ubyte.gz")
