// SPDX-License-Identifier: MIT
#include "gt/report/glyph_sheet.hpp"

#include <doctest/doctest.h>
#include <math.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include "gt/fonts/unifont.hpp"
#include "gt/io/text_file.hpp"
#include "io/support.hpp"

// A second implementation reads what the first has written.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#if defined(__GNUC__)
  #pragma GCC diagnostic push
  #pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb/stb_image.h>

namespace glyph_sheet_test {
#if defined(__GNUC__)
  #pragma GCC diagnostic pop
#endif

using gt::report::GrayImage;
using gt::test::error_of;
using gt::test::has;

namespace {

/// A full block (U+2588), a bar in the left column (l), a blank, an A.
gt::fonts::HexFont tiny_font() {
  return gt::fonts::HexFont::parse(
      "0020:00000000000000000000000000000000\n"
      "0041:0000000018182424424242427E424242\n"
      "006c:00008080808080808080808080800000\n"
      "2588:FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\n");
}
GrayImage read_png(std::string const& path) {
  std::string const bytes = gt::read_text_file(path);
  int width = 0, height = 0, channels = 0;
  std::unique_ptr<unsigned char, void (*)(void*)> const pixels(
      stbi_load_from_memory(reinterpret_cast<unsigned char const*>(bytes.data()), static_cast<int>(bytes.size()),
                            &width, &height, &channels, 0),
      stbi_image_free);
  REQUIRE(pixels != nullptr);
  CHECK(channels == 1);
  GrayImage image(width, height);
  std::copy_n(pixels.get(), image.pixels.size(), image.pixels.begin());
  return image;
}

}  // namespace

TEST_CASE("write_png: stb_image_write leaves C's headers to the program") {
  CHECK_FALSE(isnan(1.0));
  CHECK(sizeof(abs(-0.5)) == sizeof(double));  // not the abs of integers
}

TEST_CASE("write_png: what is written is read back, at any size") {
  gt::test::TemporaryFolder const folder;
  std::string const path = folder / "picture.png";
  for (int const width : {1, 2, 7, 64, 300}) {
    for (int const height : {1, 5, 64}) {
      GrayImage image(width, height);
      for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<unsigned char>(i * i % 251);
      gt::report::write_png(path, image);
      auto const read = read_png(path);
      CHECK(read.width == width);
      CHECK(read.height == height);
      CHECK(read.pixels == image.pixels);
    }
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("write_png: bad pictures and places leave no file") {
  gt::test::TemporaryFolder const folder;
  CHECK(has(error_of([] { GrayImage(0, 4); }), "at least one pixel and fewer than 2^28 (got 0 x 4)"));
  CHECK(has(error_of([] { GrayImage(1 << 14, 1 << 14); }), "got 16384 x 16384"));
  GrayImage image(3, 3);
  image.pixels.pop_back();
  CHECK(has(error_of([&] { gt::report::write_png(folder / "a.png", image); }), "(got 8 for 3 x 3)"));
  CHECK(has(error_of([&] { gt::report::write_png(folder / "a.png", GrayImage{}); }), "(got 0 for 0 x 0)"));
  CHECK(has(error_of([&] { gt::report::write_png(folder / "none/a.png", GrayImage(1, 1)); }),
            "must be in a writable folder"));
  CHECK(folder.entries() == 0);
}

TEST_CASE("glyph_sheet: pictures white on grey, black where the glyph is") {
  auto const font = tiny_font();
  auto const rasters = gt::fonts::draw_tokens(font, {"█", " ", "l"}, 16);
  auto const sheet = gt::report::glyph_sheet(rasters, {}, font, {.columns = 2, .zoom = 3});
  CHECK(sheet.width == 6 + 2 * (48 + 6));
  CHECK(sheet.height == 6 + 2 * (48 + 6));
  CHECK(sheet.at(5, 5) == 228);
  int black = 0, white = 0;
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 48; ++x) {
      black += sheet.at(6 + x, 6 + y) == 0 ? 1 : 0;
      white += sheet.at(60 + x, 6 + y) == 255 ? 1 : 0;
      CHECK(sheet.at(6 + x, 60 + y) == (rasters(2, y / 3 * 16 + x / 3) ? 0 : 255));
    }
  }
  CHECK(black == 48 * 48);
  CHECK(white == 48 * 48);
  CHECK(sheet.at(100, 100) == 228);  // no fourth picture
}

TEST_CASE("glyph_sheet: about as wide as high, labels in their own pixels") {
  auto const font = tiny_font();
  auto const many = gt::fonts::draw_tokens(font, std::vector<std::string>(100, "A"), 16);
  auto const square = gt::report::glyph_sheet(many, {}, font);
  CHECK(square.width == square.height);
  CHECK(gt::report::glyph_sheet(many, {}, font, {.columns = 1000}).height == 6 + 38);

  auto const one = gt::fonts::draw_tokens(font, {"█"}, 16);
  auto const labelled = gt::report::glyph_sheet(one, {"l l"}, font, {.zoom = 1});
  CHECK(labelled.width == 6 + 22);
  CHECK(labelled.height == 6 + 22 + 17);
  int inked_columns = 0;
  for (int x = 0; x < labelled.width; ++x) {
    bool inked = false;
    for (int y = 22; y < labelled.height; ++y) inked = inked || labelled.at(x, y) == 96;
    inked_columns += inked ? 1 : 0;
  }
  CHECK(inked_columns == 2);
  auto const cut = gt::report::glyph_sheet(one, {"llllllllllllllllllll"}, font, {.zoom = 1});
  for (int y = 0; y < cut.height; ++y) {
    CHECK(cut.at(5, y) == 228);  // a long label does not run into its neighbours
    CHECK(cut.at(22, y) == 228);
  }
}

TEST_CASE("sheet_label: a code for a character, the spelling of all else") {
  CHECK(gt::report::sheet_label("A") == "0041");
  CHECK(gt::report::sheet_label("語") == "8A9E");
  CHECK(gt::report::sheet_label("😀") == "1F600");
  CHECK(gt::report::sheet_label("\U0010FFFF") == "10FFFF");
  CHECK(gt::report::sheet_label(" ing") == "\u2423ing");
  CHECK(gt::report::sheet_label("\n\n") == "\u240A\u240A");
  CHECK(gt::report::sheet_label("\xE4\xBD") == "\xE4\xBD");
  CHECK(gt::report::sheet_label("").empty());
}

TEST_CASE("write_glyph_sheet: tokens in, a file out; rasters alone as well") {
  gt::test::TemporaryFolder const folder;
  auto const font = tiny_font();
  std::string const path = folder / "sheet.png";
  gt::report::write_glyph_sheet(path, std::vector<std::string>{"A", "l", "Al", "語"}, font,
                                {.raster = 32, .columns = 4});
  auto const sheet = read_png(path);
  CHECK(sheet.width == 6 + 4 * 70);
  CHECK(sheet.height == 6 + 70 + 17);
  gt::report::write_glyph_sheet(path, {"A"}, font, {.raster = 16, .labels = false});
  CHECK(read_png(path).height == 6 + 38);
  gt::report::write_glyph_sheet(path, gt::fonts::draw_tokens(font, {"A", "l"}, 64), {.columns = 2, .zoom = 1});
  CHECK(read_png(path).width == 6 + 2 * 70);
}

TEST_CASE("glyph_sheet: bad options") {
  auto const font = tiny_font();
  auto const rasters = gt::fonts::draw_tokens(font, {"A", "l"}, 16);
  auto const said = [&](gt::fonts::BitMatrix const& pictures, std::vector<std::string> const& labels,
                        gt::report::GlyphSheetOptions options) {
    return error_of([&] { gt::report::glyph_sheet(pictures, labels, font, options); });
  };
  CHECK(has(said(rasters, {"A"}, {}), "needs a label for each of 2 pictures (got 1)"));
  CHECK(has(said(rasters, {}, {.zoom = 0}), "zoom must be 1 to 16 (got 0)"));
  CHECK(has(said(rasters, {}, {.columns = -1}), "columns must not be negative (got -1)"));
  CHECK(has(said(gt::fonts::BitMatrix(1, 100), {}, {}), "(got 100 pixels)"));
  CHECK(has(said(gt::fonts::BitMatrix(0, 256), {}, {}), "needs 1 to 2^24 pictures (got 0)"));
  CHECK(has(said(gt::fonts::BitMatrix(100'000, 256), {}, {.zoom = 4}), "fewer than 2^28 pixels"));
}

}  // namespace glyph_sheet_test
