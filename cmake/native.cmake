# gt::native: opt-in compile options for the fastest code on this machine. gt::gt itself never carries them.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)

set(GT_ARCH native CACHE STRING "-march of gt::native: native, x86-64-v3, ...; empty for the compiler's default")

if(NOT TARGET gt::native)
  add_library(gt_native INTERFACE)
  add_library(gt::native ALIAS gt_native)
  set_target_properties(gt_native PROPERTIES EXPORT_NAME native)
  if(GT_ARCH)
    string(MAKE_C_IDENTIFIER "GT_HAS_MARCH_${GT_ARCH}" gt_has_march)
    check_cxx_compiler_flag(-march=${GT_ARCH} ${gt_has_march})
    if(${gt_has_march})
      target_compile_options(gt_native INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-march=${GT_ARCH}>)
      # Compilers stay at 256 bits unless told, which halves the width of what they vectorise themselves.
      string(MAKE_C_IDENTIFIER "GT_HAS_AVX512_${GT_ARCH}" gt_has_avx512)
      set(CMAKE_REQUIRED_FLAGS "-march=${GT_ARCH} -mprefer-vector-width=512")
      check_cxx_source_compiles("#ifndef __AVX512F__
        #error
        #endif
        int main() {}" ${gt_has_avx512})
      unset(CMAKE_REQUIRED_FLAGS)
      if(${gt_has_avx512})
        target_compile_options(gt_native INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-mprefer-vector-width=512>)
      endif()
    endif()
  endif()
endif()
