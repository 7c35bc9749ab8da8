# Gets the 200 points of the paper's regression example and checks them:
#
#   cmake [-D DIR=folder] [-D FROM=url] -P examples/regression/get_data.cmake
#
# DIR is where x_train.txt and y_train.txt go (regression_data, if not given). They come from the repository that
# the paper names for its code, or from FROM, the address of a folder with both. The sums are what makes them the
# right ones, wherever they come from; each is downloaded under another name and renamed once its sum is right.
cmake_minimum_required(VERSION 3.23)
include("${CMAKE_CURRENT_LIST_DIR}/../common/get_files.cmake")

if(NOT DEFINED DIR)
  set(DIR regression_data)
endif()
set(x x_train.txt)
set(y y_train.txt)
if(NOT DEFINED FROM)
  set(FROM https://raw.githubusercontent.com/hincz-lab/ml-nonequilibrium/main)
  set(x "Nonlinear%20regression%20WR/${x}")
  set(y "Nonlinear%20regression%20WOR/${y}")
endif()
if(NOT DEFINED FILES)
  set(FILES
    ${x} a26c95a6edfc19a4e9bf0b2591fcd97b
    ${y} add9893fed5d9021a4ee93346e7bf991)
endif()

get_files("${DIR}" "${FROM}" ${FILES})
message(STATUS "give  --data-x ${DIR}/x_train.txt --data-y ${DIR}/y_train.txt")
