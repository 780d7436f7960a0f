# gt::dependencies: everything that gt's headers include, as one imported target. Used by the project itself and, installed
# beside gtConfig.cmake, by whoever finds it: so what was found where gt was installed never leaks into another machine.
# What is missing is collected in gt_missing (names) and gt_missing_packages (Debian's).
set(gt_missing "")
set(gt_missing_packages "")
add_library(gt::dependencies INTERFACE IMPORTED GLOBAL)

# Headers without a usable CMake package: name, Debian's package, header, and where others put it. (Debian's xsimd target
# links a library `xtl` that does not exist.)
foreach(gt_item IN ITEMS "xsimd libxsimd-dev xsimd/xsimd.hpp" "xxHash libxxhash-dev xxhash.h"
                         "RapidJSON rapidjson-dev rapidjson/reader.h"
                         "stb libstb-dev stb/stb_truetype.h stb_truetype.h")
  separate_arguments(gt_item)
  list(POP_FRONT gt_item gt_name gt_package)
  find_path(GT_${gt_name}_INCLUDE_DIR NAMES ${gt_item})
  mark_as_advanced(GT_${gt_name}_INCLUDE_DIR)
  if(GT_${gt_name}_INCLUDE_DIR)
    target_include_directories(gt::dependencies SYSTEM INTERFACE ${GT_${gt_name}_INCLUDE_DIR})
  else()
    list(APPEND gt_missing ${gt_name})
    list(APPEND gt_missing_packages ${gt_package})
  endif()
endforeach()

find_package(Eigen3 CONFIG QUIET)
if(TARGET Eigen3::Eigen)
  target_link_libraries(gt::dependencies INTERFACE Eigen3::Eigen)
else()
  list(APPEND gt_missing Eigen3)
  list(APPEND gt_missing_packages libeigen3-dev)
endif()

find_package(OpenMP COMPONENTS CXX QUIET)
if(TARGET OpenMP::OpenMP_CXX)
  target_link_libraries(gt::dependencies INTERFACE OpenMP::OpenMP_CXX)
else()
  message(WARNING "gt: OpenMP was not found for ${CMAKE_CXX_COMPILER}: everything will run on ONE thread. "
                  "On Debian or Ubuntu it comes with g++; for clang: apt-get install libomp-dev")
endif()

list(JOIN gt_missing ", " gt_missing)
list(JOIN gt_missing_packages " " gt_missing_packages)
