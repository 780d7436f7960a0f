// SPDX-License-Identifier: MIT
// stb_truetype in a namespace of our own, the only file that includes it.
#pragma once

// What is below is not ours to warn about.
#pragma GCC system_header

// What stb includes, by the names it uses: first seen inside a namespace, <math.h> would give isnan to that alone.
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::fonts::detail {

/// Memory that stb takes in one call, given back together: an exception in between loses nothing.
class StbMemory {
 public:
  void* take(std::size_t bytes) {
    blocks_.push_back(std::make_unique<std::max_align_t[]>(bytes / sizeof(std::max_align_t) + 1));
    return blocks_.back().get();
  }

 private:
  std::vector<std::unique_ptr<std::max_align_t[]>> blocks_;
};

}  // namespace gt::fonts::detail

// A program may have a stb_truetype of its own, before or after this: what it can set is put aside, and comes back.
#pragma push_macro("STB_TRUETYPE_IMPLEMENTATION")
#undef STB_TRUETYPE_IMPLEMENTATION
#pragma push_macro("__STB_INCLUDE_STB_TRUETYPE_H__")
#undef __STB_INCLUDE_STB_TRUETYPE_H__
#pragma push_macro("STBTT_STATIC")
#undef STBTT_STATIC
#pragma push_macro("STBTT_DEF")
#undef STBTT_DEF
#pragma push_macro("STBTT_RASTERIZER_VERSION")
#undef STBTT_RASTERIZER_VERSION
#pragma push_macro("STBTT_MAX_OVERSAMPLE")
#undef STBTT_MAX_OVERSAMPLE
#pragma push_macro("STBTT_assert")
#undef STBTT_assert
#pragma push_macro("STBTT_malloc")
#undef STBTT_malloc
#pragma push_macro("STBTT_free")
#undef STBTT_free
#pragma push_macro("STBTT_ifloor")
#undef STBTT_ifloor
#pragma push_macro("STBTT_iceil")
#undef STBTT_iceil
#pragma push_macro("STBTT_sqrt")
#undef STBTT_sqrt
#pragma push_macro("STBTT_pow")
#undef STBTT_pow
#pragma push_macro("STBTT_fmod")
#undef STBTT_fmod
#pragma push_macro("STBTT_cos")
#undef STBTT_cos
#pragma push_macro("STBTT_acos")
#undef STBTT_acos
#pragma push_macro("STBTT_fabs")
#undef STBTT_fabs
#pragma push_macro("STBTT_strlen")
#undef STBTT_strlen
#pragma push_macro("STBTT_memcpy")
#undef STBTT_memcpy
#pragma push_macro("STBTT_memset")
#undef STBTT_memset
#pragma push_macro("STB_RECT_PACK_VERSION")
#undef STB_RECT_PACK_VERSION
#pragma push_macro("stbtt_InitFont")
#undef stbtt_InitFont
#pragma push_macro("stbtt_GetGlyphShape")
#undef stbtt_GetGlyphShape
#pragma push_macro("stbtt_Rasterize")
#undef stbtt_Rasterize
#pragma push_macro("stbtt_vertex")
#undef stbtt_vertex
#pragma push_macro("stbtt_vertex_type")
#undef stbtt_vertex_type

// Functions of C linkage have one name in every namespace, for the assembler even static ones: those used get their
// own, and those unused are not made, as they are inline.
#pragma push_macro("static")
#define static static inline
#define stbtt_InitFont gt_stbtt_InitFont
#define stbtt_GetGlyphShape gt_stbtt_GetGlyphShape
#define stbtt_Rasterize gt_stbtt_Rasterize

#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#define STBTT_assert(x) ((void)0)  // they check stb itself; what they check in a font is checked before
#define STBTT_malloc(size, memory) (static_cast<::gt::fonts::detail::StbMemory*>(memory)->take(size))
#define STBTT_free(pointer, memory) ((void)(pointer), (void)(memory))

// Without fused multiply-adds, so that a glyph has the same pixels whatever processor the program is compiled for.
// (clang obeys unless it is told -ffp-contract=fast.)
#if defined(__clang__)
  #pragma float_control(push)
  #pragma clang fp contract(off)
#else
  #pragma GCC push_options
  #pragma GCC optimize("fp-contract=off")
#endif

namespace gt::inline GT_ABI::fonts::detail::stb {
struct stbtt_fontinfo;  // else `typedef struct stbtt_fontinfo` inside would find the program's own
struct stbtt_pack_context;
struct stbrp_rect;
#if __has_include(<stb/stb_truetype.h>)
  #include <stb/stb_truetype.h>
#else  // where package managers put it
  #include <stb_truetype.h>
#endif
}  // namespace gt::fonts::detail::stb

#if defined(__clang__)
  #pragma float_control(pop)
#else
  #pragma GCC pop_options
#endif

#pragma pop_macro("static")
#pragma pop_macro("STB_TRUETYPE_IMPLEMENTATION")
#pragma pop_macro("__STB_INCLUDE_STB_TRUETYPE_H__")
#pragma pop_macro("STBTT_STATIC")
#pragma pop_macro("STBTT_DEF")
#pragma pop_macro("STBTT_RASTERIZER_VERSION")
#pragma pop_macro("STBTT_MAX_OVERSAMPLE")
#pragma pop_macro("STBTT_assert")
#pragma pop_macro("STBTT_malloc")
#pragma pop_macro("STBTT_free")
#pragma pop_macro("STBTT_ifloor")
#pragma pop_macro("STBTT_iceil")
#pragma pop_macro("STBTT_sqrt")
#pragma pop_macro("STBTT_pow")
#pragma pop_macro("STBTT_fmod")
#pragma pop_macro("STBTT_cos")
#pragma pop_macro("STBTT_acos")
#pragma pop_macro("STBTT_fabs")
#pragma pop_macro("STBTT_strlen")
#pragma pop_macro("STBTT_memcpy")
#pragma pop_macro("STBTT_memset")
#pragma pop_macro("STB_RECT_PACK_VERSION")
#pragma pop_macro("stbtt_InitFont")
#pragma pop_macro("stbtt_GetGlyphShape")
#pragma pop_macro("stbtt_Rasterize")
#pragma pop_macro("stbtt_vertex")
#pragma pop_macro("stbtt_vertex_type")
