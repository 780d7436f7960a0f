# cmake -D ROOT= -P run_test.cmake
# ./run, with stand-ins for what it calls: through a link, from a folder of an awkward name, where a library came later, and
# where its user may not write.
execute_process(COMMAND mktemp -d OUTPUT_VARIABLE work OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(checkout "${work}/it's a checkout")
set(bin ${work}/bin)
set(mine ${work}/mine)
set(user "")

function(must_hold)
  if(NOT (${ARGV}))
    list(JOIN ARGV " " condition)
    message(SEND_ERROR "must hold: ${condition} (got status ${status}, called '${called}', out '${out}', err '${err}')")
  endif()
endfunction()
# run(PROGRAM ARGUMENT...): sets status, out, err, and called, what was asked of cmake.
macro(run)
  file(WRITE ${work}/called "")
  execute_process(COMMAND chmod a+rw ${work}/called)
  execute_process(COMMAND ${user} env PATH=${bin}:$ENV{PATH} STAND_INS=${work} HOME=${work}/none XDG_CACHE_HOME=${mine} ${ARGV}
    RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(READ ${work}/called called)
endmacro()
function(stand_in path text)
  file(WRITE "${path}" "#!/bin/sh\n${text}")
  file(CHMOD "${path}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endfunction()

file(COPY ${ROOT}/run ${ROOT}/CMakePresets.json DESTINATION "${checkout}")
file(COPY ${ROOT}/tools/run DESTINATION "${checkout}/tools")
file(COPY ${ROOT}/programs/commands.hpp DESTINATION "${checkout}/programs")
file(COPY ${ROOT}/include/gt/base/version.hpp DESTINATION "${checkout}/include/gt/base")
file(MAKE_DIRECTORY "${checkout}/prebuilt" ${bin})
stand_in(${bin}/cmake [[
printf '%s ' "$@" >>"$STAND_INS/called"
case $1 in
  --preset)
    mkdir -p "$4"
    echo 'build something: phony' >"$4/build.ninja"
    [ ! -e "$STAND_INS/library" ] || printf 'build %s: phony\n' gt_program interop_dump interop_adapt >>"$4/build.ninja"
    ;;
  --build) mkdir -p "$2/programs" && cp -f "$STAND_INS/gt" "$2/programs/gt" ;;
  -D) echo GT_FETCHED=/somewhere ;;
esac
]])
stand_in(${work}/gt [[
[ "$1" = needs ] || printf '%s|' "$GT_RUN_AS" "$@"
]])
foreach(name IN ITEMS apt-get sudo g++ ninja pkg-config)
  stand_in(${bin}/${name} "")
endforeach()
stand_in(${bin}/ctest [[echo ctest >>"$STAND_INS/called"]])
stand_in(${bin}/python3 [[[ "$1" = -c ] || echo "$STAND_INS/python"]])
stand_in(${work}/python "exit 3\n")

# A build without what needs a library fails, and is configured anew once the library is there.
run(${checkout}/run grow)
must_hold(status EQUAL 1)
must_hold(err MATCHES "building gt failed" AND NOT called MATCHES "--build")
file(WRITE ${work}/library "")
run(${checkout}/run grow --out "a b")
must_hold(status EQUAL 0)
must_hold(out STREQUAL "${checkout}/run|grow|--out|a b|")
must_hold(called MATCHES "--preset release .*--build .* --target gt_program")
run(${checkout}/run grow)
must_hold(status EQUAL 0 AND NOT called MATCHES "--preset")

# Through a link it finds its sources, and is called again as it was called.
file(CREATE_LINK ${checkout}/run ${bin}/grower SYMBOLIC)
run(${bin}/grower generate)
must_hold(status EQUAL 0)
must_hold(out STREQUAL "${bin}/grower|generate|")
run(grower generate)
must_hold(out STREQUAL "${bin}/grower|generate|")
run(${checkout}/run nonsense)
must_hold(status EQUAL 2)
string(REPLACE "'" "'\\''" pasted "${checkout}")
string(FIND "${err}" "'nonsense'; '${pasted}/run' help lists them." at)
must_hold(at GREATER 0)

# What fails is a failure, and nothing comes after it.
run(${checkout}/run test --interop)
must_hold(status EQUAL 3)
must_hold(NOT called MATCHES "ctest")

# Somebody who may not write there runs what is built, or builds among his own caches, which is said once.
execute_process(COMMAND id -u OUTPUT_VARIABLE id OUTPUT_STRIP_TRAILING_WHITESPACE)
if(id EQUAL 0)
  set(user setpriv --reuid=65534 --regid=65534 --clear-groups)
endif()
execute_process(COMMAND mkdir ${mine})
execute_process(COMMAND chmod -R a+rX,a-w ${work})
execute_process(COMMAND chmod a+rwx ${mine})
run(${checkout}/run generate)
set(said "${status}${err}${called}")
must_hold(said STREQUAL "0")
must_hold(out STREQUAL "${checkout}/run|generate|")
execute_process(COMMAND chmod u+w ${work} "${checkout}/programs" "${checkout}/programs/commands.hpp")
execute_process(COMMAND touch -d "+1 hour" "${checkout}/programs/commands.hpp")
run(${checkout}/run generate)
must_hold(status EQUAL 0)
must_hold(err MATCHES "may not write all of .*it's a checkout: what is built and fetched goes to ${mine}/gt/[0-9]+[.]")
must_hold(out STREQUAL "${checkout}/run|generate|")
must_hold(called MATCHES "--build ${mine}/gt/[0-9]+/build/release")
run(${checkout}/run generate)
set(said "${status}${err}")
must_hold(said STREQUAL "0")
set(mine ${work}/nobody)
run(${checkout}/run generate)
must_hold(status EQUAL 1)
must_hold(err MATCHES "neither .* can be written. name a folder of yours with XDG_CACHE_HOME")
must_hold(NOT EXISTS ${mine})

execute_process(COMMAND chmod -R u+w ${work})
file(REMOVE_RECURSE ${work})
