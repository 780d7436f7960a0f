# cmake -D PROGRAM= -P abort_test.cmake
# Without exceptions a mistake prints its sentence and aborts.
cmake_minimum_required(VERSION 3.24)
execute_process(COMMAND ${PROGRAM} mistake RESULT_VARIABLE code OUTPUT_QUIET ERROR_VARIABLE output)
if(NOT code MATCHES "[Aa]bort" OR
   NOT output MATCHES "^gt: Session::feed: the context holds 4 tokens \\(got 3 more after 3\\)\n")
  message(FATAL_ERROR "The program must print its sentence and abort (got ${code} and `${output}`)")
endif()
