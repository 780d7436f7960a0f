# cmake -D HOW= -D GT_SOURCE= -D GT_BUILD= -D WORK= -D GENERATOR= -D COMPILER= -D THREADS= -P check.cmake
# Builds and runs the project in the folder HOW as a user does: against an installed gt, one fetched, one inside, one file,
# one that a package manager made.
# What the program says is left in WORK/output. THREADS: OpenMP's option, empty where the compiler has none.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT code EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${output}\n${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# install_moved(): gt in WORK/moved. An installed gt may be moved.
function(install_moved)
  run(${CMAKE_COMMAND} --install ${GT_BUILD} --prefix ${WORK}/prefix)
  file(RENAME ${WORK}/prefix ${WORK}/moved)
endfunction()

# build(OPTION...): the user's project with CMake.
function(build)
  run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/${HOW} -B ${WORK} -G ${GENERATOR}
      -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS=${wants_threads} ${ARGV})
  run(${CMAKE_COMMAND} --build ${WORK} --target ${targets})
endfunction()

file(REMOVE_RECURSE ${WORK})
set(wants_threads "")
if(THREADS)
  set(wants_threads -DCONSUMER_WANTS_THREADS)
else()
  set(ENV{PKG_CONFIG} "pkg-config --define-variable=openmp=")
endif()
set(ENV{CXX} ${COMPILER})
set(targets all)

if(HOW STREQUAL "find_package")
  install_moved()
  build(-DCMAKE_PREFIX_PATH=${WORK}/moved -DGT_WANTED=${GT_VERSION})
  run(${WORK}/consumer_native)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/find_package -B ${WORK}/later -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${WORK}/moved -DGT_WANTED=999.0
    RESULT_VARIABLE code OUTPUT_QUIET ERROR_VARIABLE output)
  if(code EQUAL 0 OR NOT output MATCHES "compatible[ \n]+with[ \n]+requested[ \n]+version[ \n]+\"999\\.0\"")
    message(FATAL_ERROR "find_package must refuse a later version and say so (got ${output})")
  endif()

elseif(HOW STREQUAL "add_subdirectory")
  build(-DGT_SOURCE=${GT_SOURCE})
  run(${WORK}/consumer_native)
  run(${CMAKE_COMMAND} --install ${WORK} --prefix ${WORK}/prefix)
  file(GLOB installed RELATIVE ${WORK}/prefix ${WORK}/prefix/*)
  if(NOT installed STREQUAL "bin")
    message(FATAL_ERROR "installing a project that has gt as a subdirectory must not install gt (got ${installed})")
  endif()

elseif(HOW STREQUAL "fetch_content")
  # What a source archive holds: all that is there, but for what was built or belongs to git.
  file(GLOB top RELATIVE ${GT_SOURCE} ${GT_SOURCE}/*)
  list(FILTER top EXCLUDE REGEX "^(\\..*|build.*|runs)$")
  list(TRANSFORM top PREPEND gt/)
  file(MAKE_DIRECTORY ${WORK})
  file(CREATE_LINK ${GT_SOURCE} ${WORK}/gt SYMBOLIC)
  execute_process(COMMAND ${CMAKE_COMMAND} -E tar czf gt.tar.gz -- ${top} WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 ${WORK}/gt.tar.gz hash)
  build(-DGT_ARCHIVE=${WORK}/gt.tar.gz -DGT_ARCHIVE_SHA256=${hash})

elseif(HOW STREQUAL "prebuilt")
  install_moved()
  # At -O0 a compiler fuses no multiplications with additions, and so rounds otherwise.
  build(-DCMAKE_PREFIX_PATH=${WORK}/moved -DGT_ARCH=${ARCH} -DCMAKE_CXX_FLAGS_DEBUG=-O2)
  run(${WORK}/consumer_header_only ${WORK}/header_only)
  set(expected "${output}")
  run(${WORK}/consumer ${WORK}/model)
  if(NOT output STREQUAL expected)
    message(FATAL_ERROR "gt::prebuilt must give the bits of the headers alone (got ${output} instead of ${expected})")
  endif()
  find_program(pkg_config pkg-config)
  if(pkg_config AND THREADS)
    set(ENV{PKG_CONFIG_PATH} ${WORK}/moved/share/pkgconfig)
    run(sh ${CMAKE_CURRENT_LIST_DIR}/prebuilt/build.sh ${WORK}/by_pkg_config -O2)
    run(${WORK}/by_pkg_config ${WORK}/model_by_pkg_config)
    if(NOT output STREQUAL expected)
      message(FATAL_ERROR "gt-prebuilt.pc must give the bits of the headers alone (got ${output} instead of ${expected})")
    endif()
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK} --target consumer_other
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(code EQUAL 0 OR NOT output MATCHES "gt::prebuilt must be of the version, instruction set")
    message(FATAL_ERROR "a unit of another instruction set must be refused with a sentence (got ${output})")
  endif()
  # Installed without it, it is missed by name.
  file(REMOVE ${WORK}/moved/share/cmake/gt/gtPrebuiltTargets.cmake)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/prebuilt -B ${WORK}/later -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${WORK}/moved
    RESULT_VARIABLE code OUTPUT_QUIET ERROR_VARIABLE output)
  if(code EQUAL 0 OR NOT output MATCHES "GT_PREBUILT=ON")
    message(FATAL_ERROR "find_package must say how to get gt::prebuilt (got ${output})")
  endif()
  return()

elseif(HOW STREQUAL "pkg_config")
  install_moved()
  set(ENV{PKG_CONFIG_PATH} ${WORK}/moved/share/pkgconfig)
  run(pkg-config --modversion gt)
  string(STRIP "${output}" version)
  if(NOT version STREQUAL GT_VERSION)
    message(FATAL_ERROR "gt.pc must give the version ${GT_VERSION} (got ${version})")
  endif()
  run(sh ${CMAKE_CURRENT_LIST_DIR}/pkg_config/build.sh ${WORK}/consumer ${wants_threads})

elseif(HOW STREQUAL "vcpkg")
  set(packages ${WORK}/packages)
  run(${CMAKE_COMMAND} -D GENERATOR=${GENERATOR} -D COMPILER=${COMPILER} -D CURRENT_PACKAGES_DIR=${packages}
      -D CURRENT_BUILDTREES_DIR=${WORK}/buildtrees -D PORT=gt -D PORT_DIR=${GT_SOURCE}/packaging/vcpkg/ports/gt
      -P ${CMAKE_CURRENT_LIST_DIR}/vcpkg/stand_in.cmake)
  file(GLOB_RECURSE installed RELATIVE ${packages} ${packages}/*)
  list(FILTER installed EXCLUDE REGEX "^include/gt/.*\\.(hpp|inc)$")
  set(expected share/gt/copyright share/gt/dependencies.cmake share/gt/gtConfig.cmake share/gt/gtConfigVersion.cmake
      share/gt/gtTargets.cmake share/gt/native.cmake share/pkgconfig/gt.pc)
  if(NOT installed STREQUAL expected)
    message(FATAL_ERROR "the port must install headers and ${expected} (got ${installed})")
  endif()
  set(HOW find_package)
  set(targets consumer_native)  # the smaller program: the headers are those of the test find_package
  build(-DCMAKE_PREFIX_PATH=${packages})
  run(${WORK}/consumer_native)
  return()

elseif(HOW STREQUAL "conan")
  set(ENV{CONAN_HOME} ${WORK}/home)
  run(conan profile detect)
  run(conan create ${GT_SOURCE}/packaging/conan --no-remote -s compiler.cppstd=20 -o &:system_dependencies=True
      -c tools.cmake.cmake_layout:test_folder=${WORK}/test)
  run(conan list gt/${GT_VERSION})
  return()

elseif(HOW STREQUAL "single_header")
  run(${CMAKE_COMMAND} -D FILE=${WORK}/include/gt/gt.hpp -P ${GT_SOURCE}/tools/amalgamate.cmake)
  run(sh ${CMAKE_CURRENT_LIST_DIR}/single_header/build.sh ${WORK}/include ${WORK}/consumer ${THREADS} ${wants_threads}
      -Wall -Wextra -Wpedantic -Werror)
endif()

run(${WORK}/consumer)
file(WRITE ${WORK}/output "${output}")
if(AS)
  file(READ ${AS}/output expected)
  if(NOT output STREQUAL expected)
    message(FATAL_ERROR "the program must say the same as with ${AS} (got ${output} instead of ${expected})")
  endif()
endif()
