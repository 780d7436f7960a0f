// SPDX-License-Identifier: MIT
// A program that includes stb_truetype and stb_image_write after the library, with settings of its own.
#include "gt/fonts/outline_font.hpp"  // first, so that no other has included what stb includes

#include <doctest/doctest.h>
#include <math.h>
#include <stdlib.h>

#include "gt/report/png.hpp"
#include "made_fonts.hpp"

namespace {
int assertions = 0;
}
#define STBTT_assert(x) ((x) ? (void)++assertions : (void)0)
#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#include <stb/stb_truetype.h>
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

TEST_CASE("stb: stb_truetype leaves C's headers to the program") {
  CHECK_FALSE(isnan(1.0));
  CHECK(sizeof(abs(-0.5)) == sizeof(double));  // not the abs of integers
}

TEST_CASE("stb: a program's own copy after the library's") {
  auto const file = test::font_file(test::small_true_type());
  auto const font = gt::fonts::OutlineFont::parse(file, "made");
  font.cell(U'A', 32);
  CHECK(assertions == 0);  // the library's copy keeps to itself
  stbtt_fontinfo own;
  REQUIRE(stbtt_InitFont(&own, file.data(), 0) != 0);
  int width = 0, height = 0;
  unsigned char* const bitmap = stbtt_GetCodepointBitmap(&own, 1, 1, 'A', &width, &height, nullptr, nullptr);
  stbtt_FreeBitmap(bitmap, nullptr);
  CHECK(assertions > 0);
  int size = 0;
  unsigned char const pixel = 7;
  STBIW_FREE(stbi_write_png_to_mem(&pixel, 1, 1, 1, 1, &size));
  CHECK(size > 8);
}
