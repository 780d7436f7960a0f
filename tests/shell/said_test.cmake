# cmake -D ROOT= -D WORK= -P said_test.cmake
# What ./run says of a log of ctest: how far it is, and of its end what did not pass.
file(MAKE_DIRECTORY ${WORK})
set(log ${WORK}/ctest.log)
# must_say(OUT ERR ARGUMENT...): of awk.
function(must_say out err)
  execute_process(COMMAND awk ${ARGN} ${log} OUTPUT_VARIABLE said ERROR_VARIABLE told RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT said STREQUAL out OR NOT told STREQUAL err)
    message(SEND_ERROR "awk ${ARGN}: must say '${out}' and '${err}' (got status ${status}, '${said}' and '${told}')")
  endif()
endfunction()
set(far -v what=testing -v spent=65 -v "line=%s ... %s%s%s" -f ${ROOT}/tools/run/follow.awk)
set(tested -v verbatim=no -v "again=./run test -R" -f ${ROOT}/tools/run/tested.awk)

file(WRITE ${log} "")
must_say("testing ... 1:05" "" ${far})
file(WRITE ${log} "[0/2] Re-checking globbed directories...\n[5/18] Building CXX object a.o\nnote: [9/9] is no step\n")
must_say("testing ... 5/18, 1:05, about 2:49 left" "" ${far})

set(passed "Test project /build\n    Start 1: text\n1/2 Test #1: text .....   Passed    0.10 sec\n    Start 2: headers.x86-64\n")
file(WRITE ${log} "${passed}")
must_say("testing ... 1/2, 1:05, about 1:05 left" "" ${far})
set(summary "2/2 Test #2: headers.x86-64 .....   Passed    0.10 sec\n\n100% tests passed, 0 tests failed out of 2\n\nTotal\n")
file(WRITE ${log} "${passed}${summary}")
must_say("100% tests passed, 0 tests failed out of 2\n\nTotal\n" "" ${tested})
must_say("${passed}${summary}" "" -v verbatim=yes -f ${ROOT}/tools/run/tested.awk)
set(failed "2/2 Test #2: headers.x86-64 .....***Failed    0.10 sec\nmust hold: 1 (got 2)\n\n\n50% tests passed, 1 tests failed out of 2\n\n"
  "The following tests FAILED:\n\t  2 - headers.x86-64 (Failed)\nErrors while running CTest\n")
string(CONCAT failed ${failed})
file(WRITE ${log} "${passed}${failed}")
must_say("Test project /build\n${failed}" "gt: it alone: ./run test -R '^headers\\.x86-64\$'\n" ${tested})
