# cmake -D GT= -D COMPILER= -D INCLUDE= -D WORK= -P everywhere.cmake
# A model that GT grows, made a header by `GT embed`, is run where this machine is not: it must say what GT says of it
# under Wine (Windows) and Node (WebAssembly), with libc++, and be refused where the highest byte comes first.
cmake_minimum_required(VERSION 3.24)
set(austen $ENV{GT_AUSTEN})
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(step COMMAND_ERROR_IS_FATAL ANY ERROR_QUIET)
message("  a model is grown ...")
execute_process(COMMAND ${GT} grow --corpus ${austen} --plan 1+1 --tokens 60000 --width 64 --heads 4 --vocab 512
  --context 64 --batch 8 --substrate binary --out ${WORK}/run OUTPUT_QUIET ${step})
execute_process(COMMAND ${GT} embed ${WORK}/run/model --out ${WORK}/my_model.hpp OUTPUT_QUIET ${step})
execute_process(COMMAND ${GT} generate --model ${WORK}/run/model --prompt "She was" --temperature 0 --max-tokens 40
  OUTPUT_FILE ${WORK}/says ${step})
set(failed "")
foreach(for IN ITEMS plain libcxx mingw emscripten s390x)
  execute_process(COMMAND ${CMAKE_COMMAND} -D FOR=${for} -D COMPILER=${COMPILER} -D INCLUDE=${INCLUDE} -D WORK=${WORK}
    -D MODEL=${WORK} -D SAYS=${WORK}/says -P ${CMAKE_CURRENT_LIST_DIR}/embedded_test.cmake
    RESULT_VARIABLE code ERROR_VARIABLE said)
  if(NOT code EQUAL 0 OR said MATCHES "SKIPPED")
    string(APPEND failed " ${for}")
    message("  ${for}: failed\n${said}")
  else()
    message("  ${for}: passed")
  endif()
endforeach()
if(failed)
  message(FATAL_ERROR "An embedded model must run everywhere (it did not:${failed})")
endif()
