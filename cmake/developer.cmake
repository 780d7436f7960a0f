# gt_developer: what the project's own programs are compiled with on top of what a user gets.
add_library(gt_developer INTERFACE)
target_link_libraries(gt_developer INTERFACE gt::gt gt::native)
# The same with what is compiled once for all of them.
add_library(gt_developer_prebuilt INTERFACE)
target_link_libraries(gt_developer_prebuilt INTERFACE gt_developer gt::prebuilt)
if(GT_DEVELOPER)
  target_compile_options(gt_developer INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
    # clang counts sign conversion as conversion, and every int index into a span as one.
    $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-sign-conversion>)
endif()
if(GT_SANITIZERS)
  set(gt_sanitize -fsanitize=${GT_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(gt_developer INTERFACE ${gt_sanitize})
  target_link_options(gt_developer INTERFACE ${gt_sanitize})
endif()
target_link_libraries(gt_prebuilt PRIVATE $<BUILD_INTERFACE:gt_developer>)
