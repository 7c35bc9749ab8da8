cmake_policy(VERSION 3.23)
# The check of the house must see what it is there for: one good tree, and bad ones of one fault each.
function(plant header text)
  file(WRITE "${WORK}/ness/${header}" "#pragma once\n\n${text}\n")
endfunction()
# house(expected...): each text must be in what the check says; without any, it must pass.
function(house)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -D "INCLUDE=${WORK}" -D "ARROWS=${WORK}/arrows.txt" -P "${CHECK}"
    RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(ARGC EQUAL 0 AND NOT result EQUAL 0)
    message(FATAL_ERROR "must pass, but\n${text}")
  elseif(ARGC GREATER 0 AND result EQUAL 0)
    message(FATAL_ERROR "must not pass: ${ARGV}")
  endif()
  foreach(expected IN LISTS ARGV)
    string(FIND "${text}" "${expected}" found)
    if(found EQUAL -1)
      message(FATAL_ERROR "must say\n  ${expected}\nbut says\n${text}")
    endif()
  endforeach()
endfunction()
macro(good_tree)
  file(REMOVE_RECURSE "${WORK}")
  file(WRITE "${WORK}/arrows.txt" "# a comment\nground:\nmodel:  ground\nlane: ground model/batch.hpp\nall.hpp: *\n")
  plant(ground/check.hpp "#include <vector>")
  plant(model/batch.hpp "")
  plant(model/model.hpp "#include \"ness/ground/check.hpp\"\nint values[3];")
  plant(lane/chain.hpp "#include <ness/model/batch.hpp>\n#include \"ness/lane/step.hpp\"")
  plant(lane/step.hpp "#include \"ness/ground/check.hpp\"")
  plant(all.hpp "#include \"ness/lane/chain.hpp\"")
endmacro()

good_tree()
house()

plant(model/model.hpp "#include \"ness/ground/check.hpp\"\nint a[2]; int b;\n#include <ness/lane/step.hpp>")
house("model/model.hpp:5: model may not include ness/lane/step.hpp" "in a circle of folders"
  "lane/chain.hpp:3: lane includes ness/model/batch.hpp")

good_tree()
plant(lane/step.hpp "#include \"ness/model/model.hpp\"")
house("lane/step.hpp:3: lane may not include ness/model/model.hpp")

good_tree()
plant(ground/check.hpp "#include \"ness/all.hpp\"")
house("ground/check.hpp:3: ground may not include ness/all.hpp")

good_tree()
plant(cellar/wine.hpp "")
house("cellar/wine.hpp: cellar has no row")

good_tree()
plant(lane/chain.hpp "#include \"step.hpp\"")
house("lane/chain.hpp:3: write headers")

good_tree()
file(WRITE "${WORK}/arrows.txt" "ground: model\nmodel: ground\nlane: ground model/batch.hpp\nall.hpp: *\n")
house("ground may include model, which stands in no row above it")
message(STATUS "six bad trees seen")
