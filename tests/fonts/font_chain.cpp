// SPDX-License-Identifier: MIT
#include "gt/fonts/font_chain.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fonts.hpp"
#include "gt/substrate/glyph_embedding.hpp"
#include "io/support.hpp"
#include "made_fonts.hpp"

namespace font_chain_test {

using gt::GlyphEmbedding;
using gt::fonts::FontChain;
using test::error_of;
using test::has;

namespace {

/// The files of three fonts: GNU Unifont's format, TrueType, a collection of TrueType and PostScript.
struct Fonts {
  Fonts() {
    gt::test::put(hex, test::tiny_font);
    write(outlines, test::font_file(test::small_true_type()));
    write(two, test::collection({test::open_type(test::small_cff()), test::small_true_type()}));
  }
  static void write(std::string const& path, test::Bytes const& bytes) {
    gt::test::put(path, std::string(bytes.begin(), bytes.end()));
  }
  gt::test::TemporaryFolder folder;
  std::string hex = folder / "tiny.txt", outlines = folder / "made.font", two = folder / "two.ttc";
};
bool same(gt::fonts::Cell const& a, gt::fonts::Cell const& b) { return a.rows == b.rows; }

}  // namespace

TEST_CASE("FontChain: each character is drawn by the first font that has it, and by a box where none has") {
  Fonts const f;
  auto const hex = gt::fonts::HexFont::read(f.hex);
  auto const outlines = gt::fonts::OutlineFont::read(f.outlines);
  auto const chain = FontChain::read({f.outlines, f.hex});
  CHECK(chain.size() == 2);
  CHECK(chain.font_of(U'A') == 0);
  CHECK(chain.font_of(U'l') == 1);
  CHECK(chain.font_of(U'語') == -1);
  CHECK(chain.has(U'l'));
  CHECK_FALSE(chain.has(U'語'));
  for (int const side : {16, 32, 64}) {
    CHECK(same(chain.cell(U'A', side), outlines.cell(U'A', side)));
    CHECK(same(chain.cell(U'l', side), hex.cell(U'l', side)));
    CHECK(same(chain.cell(U'語', side), hex.cell(U'語', side)));
    CHECK(same(chain.undecoded(0xE4, side), hex.undecoded(0xE4, side)));
    CHECK_FALSE(same(chain.cell(U'A', side), hex.cell(U'A', side)));
    CHECK(same(FontChain::read({f.hex, f.outlines}).cell(U'A', side), hex.cell(U'A', side)));
  }
}

TEST_CASE("FontChain: a number after the path picks a face") {
  Fonts const f;
  auto const cell = [](std::string const& path) { return FontChain::read(path).cell(U'E', 64); };
  CHECK(same(cell(f.two + ":1"), gt::fonts::OutlineFont::read(f.outlines).cell(U'E', 64)));
  CHECK(same(cell(f.two), cell(f.two + ":0")));
  CHECK_FALSE(same(cell(f.two), cell(f.two + ":1")));
  CHECK(has(error_of([&] { cell(f.two + ":2"); }), "two.ttc' must have a face 2 (got 2 faces, counted from 0)"));
  CHECK(has(error_of([&] { cell(f.hex + ":1"); }), "must be a collection to have a face 1 (got text)"));
  CHECK(has(error_of([&] { cell(f.two + ":x"); }), "two.ttc:x'"));
  CHECK(has(error_of([&] { cell(f.two + ":-1"); }), "two.ttc:-1'"));
  std::string const colon = f.folder / "name:7";
  gt::test::put(colon, test::tiny_font);
  CHECK(FontChain::read(colon).has(U'l'));  // a file of that name comes first
}

TEST_CASE("FontChain: what cannot be read says so") {
  Fonts const f;
  CHECK(has(error_of([] { FontChain::read(std::vector<std::string>{}); }), "needs at least one font (got none)"));
  CHECK(has(error_of([] { FontChain::read("/no/such.hex"); }), "give --font FILE"));
  CHECK(has(error_of([&] { FontChain::read({f.hex, "/no/such.ttf"}); }), "/no/such.ttf"));
  CHECK(has(error_of([&] { FontChain::read(f.folder.path()); }), f.folder.path()));
  std::string const other = f.folder / "other";
  gt::test::put(other, std::string("\x89PNG\r\n\x1A\n\0\0\0\0", 12));
  CHECK(has(error_of([&] { FontChain::read(other); }), "must be a TrueType or OpenType font"));
  gt::test::put(other, "once upon a time\n");
  CHECK(has(error_of([&] { FontChain::read(other); }), "line 1 of"));
  gt::test::put(other, "");
  CHECK(has(error_of([&] { FontChain::read(other); }), "must hold at least one glyph"));
  gt::test::put(other, "OTTO");
  CHECK(has(error_of([&] { FontChain::read(other); }), "broken or cut off"));
}

TEST_CASE("GlyphEmbedding: one path, several, or a chain; one .hex is what it always was") {
  Fonts const f;
  std::vector<std::string> const tokens{"A", "C", "D", "E", "l", "AC", "語"};
  gt::GlyphOptions const options{.width = 4, .raster = 16};
  auto const print = [](GlyphEmbedding const& substrate) { return substrate.fingerprint(); };
  auto const hex = print(GlyphEmbedding::draw(tokens, gt::fonts::HexFont::read(f.hex), options));
  CHECK(print(GlyphEmbedding::draw(tokens, f.hex, options)) == hex);
  CHECK(print(GlyphEmbedding::draw(tokens, {f.hex}, options)) == hex);
  CHECK(print(GlyphEmbedding::draw(tokens, FontChain::read(f.hex), options)) == hex);

  auto const both = GlyphEmbedding::draw(tokens, {f.outlines, f.hex}, options);
  CHECK(print(both) != hex);
  CHECK(print(both) != print(GlyphEmbedding::draw(tokens, {f.hex, f.outlines}, options)));
  CHECK(print(both) == print(GlyphEmbedding::draw(tokens, std::vector<std::string>{f.outlines, f.hex}, options)));
  auto const outlines = gt::fonts::draw_token(gt::fonts::OutlineFont::read(f.outlines), "C", 16);
  for (std::size_t y = 0; y < 16; ++y) CHECK(both.raster(1)[2 * y] == outlines.bytes(static_cast<std::int64_t>(y))[0]);
}

TEST_CASE("FontChain: installed fonts together draw what one of them lacks") {
  auto const latin = test::installed_font("DejaVuSans.ttf"), han = test::installed_font("wqy-microhei.ttc");
  if (latin.empty() || han.empty()) return;
  auto const chain = FontChain::read({latin, han + ":1"});
  CHECK(chain.font_of(U'ж') == 0);
  CHECK(chain.font_of(U'語') == 1);
  CHECK(chain.font_of(U'\U0010FFFD') == -1);
  auto const alone = gt::fonts::OutlineFont::read(han, {.face = 1});
  CHECK(same(chain.cell(U'語', 32), alone.cell(U'語', 32)));
  for (char32_t const pair : {U'А', U'О', U'с'}) {  // letters that look like Latin ones do so in DejaVu
    char32_t const twin = pair == U'А' ? U'A' : pair == U'О' ? U'O' : U'c';
    CHECK(same(chain.cell(pair, 32), chain.cell(twin, 32)));
  }
}

}  // namespace font_chain_test
