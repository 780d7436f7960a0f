# cmake -D HOW=find_package|add_subdirectory -D GT_SOURCE= -D GT_BUILD= -D WORK= -D GENERATOR= -D COMPILER= -P check.cmake
# Builds and runs the consumer against an installed gt, or with gt as a subdirectory.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
if(HOW STREQUAL "find_package")
  run(${CMAKE_COMMAND} --install ${GT_BUILD} --prefix ${WORK}/prefix)
  file(RENAME ${WORK}/prefix ${WORK}/moved)  # an installed gt may be moved
  set(where -DCMAKE_PREFIX_PATH=${WORK}/moved)
else()
  set(where -DGT_SOURCE=${GT_SOURCE})
endif()
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_BUILD_TYPE=Debug ${where})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
run(${WORK}/build/consumer_native)
