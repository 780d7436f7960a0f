// SPDX-License-Identifier: MIT
// A program with a stb_truetype and a stb_image_write of its own, implemented in this file, before the library's.
#include <doctest/doctest.h>

#include <vector>

#define STB_TRUETYPE_IMPLEMENTATION
#include <stb/stb_truetype.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

#include "gt/fonts/outline_font.hpp"
#include "gt/report/png.hpp"
#include "made_fonts.hpp"

#ifndef STB_TRUETYPE_IMPLEMENTATION
  #error "the library lost a macro of the program"
#endif
#ifdef STBTT_STATIC
  #error "the library left a macro behind"
#endif

TEST_CASE("stb: a program's own copy before the library's") {
  auto const file = test::font_file(test::small_true_type());
  CHECK(gt::fonts::OutlineFont::parse(file, "made").has(U'A'));
  CHECK(gt::report::encode_png(gt::report::GrayImage(2, 2)).size() > 8);
  stbtt_fontinfo font;
  REQUIRE(stbtt_InitFont(&font, file.data(), 0) != 0);
  CHECK(stbtt_FindGlyphIndex(&font, 'A') == 1);
  int size = 0;
  unsigned char const pixel = 7;
  unsigned char* const png = stbi_write_png_to_mem(&pixel, 1, 1, 1, 1, &size);
  CHECK(size > 8);
  STBIW_FREE(png);
}
