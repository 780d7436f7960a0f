# gt::prebuilt: what programs share is compiled once, and only declared in theirs. Linked in place of gt::gt and gt::native:
# the same headers, the same results. It is for one instruction set, one setting of NDEBUG and of OpenMP, which a unit that
# uses it is asked for (GT_ABI_NUMBER in gt/base/macros.hpp).
file(GLOB gt_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/prebuilt/*.cpp)
option(GT_PREBUILT "Build gt::prebuilt with the project, and install it" OFF)
add_library(gt_prebuilt STATIC ${gt_sources})
add_library(gt::prebuilt ALIAS gt_prebuilt)
if(NOT GT_PREBUILT)
  set_target_properties(gt_prebuilt PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
set_target_properties(gt_prebuilt PROPERTIES EXPORT_NAME prebuilt)
target_link_libraries(gt_prebuilt PUBLIC gt::gt $<BUILD_INTERFACE:gt::native>)

# The number that the library's own flags make, by its compiler.
string(TOUPPER "CMAKE_CXX_FLAGS_${CMAKE_BUILD_TYPE}" gt_type_flags)
separate_arguments(gt_flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${${gt_type_flags}} ${OpenMP_CXX_FLAGS}")
get_target_property(gt_native_flags gt_native INTERFACE_COMPILE_OPTIONS)
if(gt_native_flags)
  string(REGEX REPLACE "\\$<\\$<COMPILE_LANGUAGE:CXX>:([^>]*)>" "\\1" gt_native_flags "${gt_native_flags}")
  list(APPEND gt_flags ${gt_native_flags})
endif()
file(WRITE ${PROJECT_BINARY_DIR}/prebuilt/number.cpp "#include \"gt/base/macros.hpp\"\nnumber GT_ABI_NUMBER\n")
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 ${gt_flags} -I${PROJECT_SOURCE_DIR}/include -E -P
  ${PROJECT_BINARY_DIR}/prebuilt/number.cpp OUTPUT_VARIABLE gt_output RESULT_VARIABLE gt_code ERROR_VARIABLE gt_errors)
if(NOT gt_code EQUAL 0 OR NOT gt_output MATCHES "number ([ 0-9()+*\n]+)")
  message(FATAL_ERROR "the compiler must preprocess gt/base/macros.hpp (got ${gt_output}${gt_errors})")
endif()
string(REGEX REPLACE "[ \n]+" "" gt_number "${CMAKE_MATCH_1}")
math(EXPR gt_number "${gt_number}")
target_compile_definitions(gt_prebuilt PUBLIC GT_PREBUILT=${gt_number})
# What of them a unit must share, for who compiles without CMake.
set(gt_abi_flags ${gt_flags})
list(FILTER gt_abi_flags INCLUDE REGEX "^-(m[a-z]|DNDEBUG|DGT_)")
list(REMOVE_DUPLICATES gt_abi_flags)
list(JOIN gt_abi_flags " " gt_abi_flags)
