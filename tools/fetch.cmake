# cmake -D WHAT=austen|languages|font|fonts -D CACHE=FOLDER -D WORK=FOLDER -P fetch.cmake
# Fetches texts and fonts of Debian's packages into CACHE, each whole or not at all, and prints VARIABLE=PLACE: where it lies,
# and how gt and its tests are told. Where it cannot, it says why on stderr, and prints nothing. WORK: a folder to be made.
cmake_minimum_required(VERSION 3.24)

# fail(WORD...): ends the script.
macro(fail)
  string(REPLACE ";" " " sentence "${ARGV}")
  message(NOTICE "gt: ${sentence}")
  file(REMOVE_RECURSE ${WORK})
  return()
endmacro()

# unpack(PACKAGE): into WORK, without installing it or what it depends on; sets code.
function(unpack package)
  file(REMOVE_RECURSE ${WORK})
  file(MAKE_DIRECTORY ${WORK})
  execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(as_root "")
  if(NOT user EQUAL 0)
    set(as_root sudo)
  endif()
  # As root apt would fetch as a user that may not write here, and say so.
  set(download apt-get -qq -o APT::Sandbox::User=root download ${package})
  set(code 1)
  file(GLOB lists /var/lib/apt/lists/*Packages*)
  if(lists)
    execute_process(COMMAND ${download} WORKING_DIRECTORY ${WORK} RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  endif()
  if(NOT code EQUAL 0)  # nothing is known of it, or only of an older one
    execute_process(COMMAND ${as_root} apt-get -qq update OUTPUT_QUIET ERROR_QUIET)
    execute_process(COMMAND ${download} WORKING_DIRECTORY ${WORK} RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  endif()
  file(GLOB file ${WORK}/*.deb)
  if(file)
    execute_process(COMMAND dpkg-deb -x ${file} ${WORK} RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  endif()
  set(code ${code} PARENT_SCOPE)
endfunction()

# keep(FROM TO): moved in one step, so that what is in its place is whole.
function(keep from to)
  cmake_path(GET to PARENT_PATH folder)
  file(MAKE_DIRECTORY ${folder})
  file(RENAME ${from} ${to})
endfunction()

set(cannot "could not be fetched with apt-get (is there a network?)\;")
set(places austen GT_AUSTEN=${CACHE}/corpus/austen.txt languages GT_LANGUAGES=${CACHE}/corpus/languages
  font GT_UNIFONT_HEX=${CACHE}/fonts/unifont.hex fonts GT_FONTS=${CACHE}/fonts)
if(WHAT STREQUAL "font" AND EXISTS /usr/share/unifont/unifont.hex AND EXISTS /usr/share/unifont/plane00-combining.txt)
  set(places font GT_UNIFONT_HEX=/usr/share/unifont/unifont.hex)

elseif(WHAT STREQUAL "austen" AND NOT EXISTS ${CACHE}/corpus/austen.txt)
  message(NOTICE "gt: fetching the novels of Jane Austen (once) ...")
  unpack(r-cran-janeaustenr)
  if(NOT code EQUAL 0)
    fail("the novels of Jane Austen (package r-cran-janeaustenr)" ${cannot} "a text of your own does as well: --corpus FILE.")
  endif()
  execute_process(COMMAND g++ -std=c++20 -O1 -o ${WORK}/austen ${CMAKE_CURRENT_LIST_DIR}/corpus/austen.cpp -lz)
  execute_process(COMMAND ${WORK}/austen ${WORK}/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb
    OUTPUT_FILE ${WORK}/austen.txt RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    fail("the novels of Jane Austen came in a form that tools/corpus/austen.cpp does not know; pass --corpus FILE.")
  endif()
  file(SHA256 ${WORK}/austen.txt hash)
  if(NOT hash MATCHES "^eb534da4844e")
    message(NOTICE "gt: note: this text differs from the one that the documented results were measured on.")
  endif()
  keep(${WORK}/austen.txt ${CACHE}/corpus/austen.txt)

elseif(WHAT STREQUAL "languages")  # the help of LibreOffice: one content, three experts
  foreach(language IN ITEMS en:en-us ru:ru zh:zh-cn)
    string(REGEX MATCH "^[a-z]*" name ${language})
    string(REGEX REPLACE ".*:" libreoffice-help- package ${language})
    if(EXISTS ${CACHE}/corpus/languages/${name}.txt)
      continue()
    endif()
    message(NOTICE "gt: fetching the help of LibreOffice (${name}, once) ...")
    unpack(${package})
    if(NOT code EQUAL 0)
      fail("the help of LibreOffice (package ${package})" ${cannot}
        "pass texts of your own with --language NAME=FILE, or leave them out with --only.")
    endif()
    execute_process(COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/corpus/help_text.py ${name} ${WORK}/usr
      OUTPUT_FILE ${WORK}/text ERROR_VARIABLE said RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
      fail("${said}")
    endif()
    keep(${WORK}/text ${CACHE}/corpus/languages/${name}.txt)
  endforeach()

elseif(WHAT STREQUAL "font" AND NOT EXISTS ${CACHE}/fonts/unifont.hex)  # beside it, its list of combining marks
  message(NOTICE "gt: fetching the font GNU Unifont (once) ...")
  unpack(unifont)
  if(NOT code EQUAL 0)
    fail("the font GNU Unifont (package unifont)" ${cannot} "name a copy of unifont.hex with --font FILE.")
  endif()
  keep(${WORK}/usr/share/unifont/plane00-combining.txt ${CACHE}/fonts/plane00-combining.txt)
  keep(${WORK}/usr/share/unifont/unifont.hex ${CACHE}/fonts/unifont.hex)

elseif(WHAT STREQUAL "fonts")  # those of outlines that tests read and that are not installed
  foreach(font IN ITEMS fonts-dejavu-core:dejavu/DejaVuSans.ttf fonts-unifont:unifont/unifont.otf
                        fonts-wqy-microhei:wqy/wqy-microhei.ttc)
    string(REGEX REPLACE ":.*" "" package ${font})
    string(REGEX REPLACE ".*:" "" file ${font})
    if(EXISTS /usr/share/fonts/truetype/${file} OR EXISTS /usr/share/fonts/opentype/${file} OR EXISTS ${CACHE}/fonts/${package})
      continue()
    endif()
    message(NOTICE "gt: fetching ${package} (once) ...")
    unpack(${package})
    if(NOT code EQUAL 0)
      fail("the font of tests ${package}" ${cannot} "tests that need it are skipped.")
    endif()
    keep(${WORK}/usr/share/fonts ${CACHE}/fonts/${package})
  endforeach()
endif()
file(REMOVE_RECURSE ${WORK})
list(FIND places ${WHAT} at)
math(EXPR at "${at} + 1")
list(GET places ${at} place)
execute_process(COMMAND ${CMAKE_COMMAND} -E echo ${place})
