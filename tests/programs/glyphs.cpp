// SPDX-License-Identifier: MIT
// glyphs from outside: a sheet on disk, and which font drew how many characters.
#include <doctest/doctest.h>

#include <string>

#include "fonts/fonts.hpp"
#include "fonts/made_fonts.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/corpus.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace glyphs_test {

using gt::test::check_complaint, gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::Lines;
using gt::test::Program, gt::test::put, gt::test::TemporaryFolder;

namespace {

struct Place {
  Place() {
    put(hex, test::tiny_font);
    auto const bytes = test::font_file(test::small_true_type());  // A to E
    put(outlines, {reinterpret_cast<char const*>(bytes.data()), bytes.size()});
  }
  Ended glyphs(Lines more) const {
    more.insert(more.end(), {"--out", sheet});
    return Program("glyphs", more).wait();
  }
  /// Width and height, which a PNG holds from byte 16 on.
  std::pair<int, int> size() const {
    std::string const png = gt::read_text_file(sheet);
    REQUIRE(png.size() > 24);
    CHECK(png.starts_with("\x89PNG"));
    auto const number = [&](std::size_t at) {
      return static_cast<unsigned char>(png[at + 2]) * 256 + static_cast<unsigned char>(png[at + 3]);
    };
    return {number(16), number(20)};
  }
  TemporaryFolder folder;
  std::string hex = folder / "tiny.hex", outlines = folder / "made.ttf", sheet = folder / "sheet.png";
};

}  // namespace

TEST_CASE("glyphs: a text, drawn by two fonts, and what neither has") {
  Place const at;
  auto const drawn = at.glyphs({"--font", at.outlines, "--font", at.hex, "--text", "ABAl語\xE4", "--columns", "3"});
  CHECK(drawn.status == 0);
  CHECK(has(drawn.out, "6 pictures of 4 different characters\n"));
  CHECK(has(drawn.out, "2 drawn by " + at.outlines + "\n"));
  CHECK(has(drawn.out, "1 drawn by " + at.hex + "\n"));
  CHECK(has(drawn.out, "1 in no font, drawn as boxes: 8A9E\n"));
  CHECK(has(drawn.out, "1 bytes that are no character"));
  CHECK(at.size() == std::pair(6 + 3 * 70, 6 + 2 * 87));
}

TEST_CASE("glyphs: a range, a tokenizer, or an assortment") {
  Place const at;
  auto const range = at.glyphs({"--font", at.hex, "--range", "U+0041-U+0050", "--raster", "16", "--no-labels"});
  CHECK(has(range.out, "16 pictures of 16 different characters\n"));
  CHECK(at.size() == std::pair(6 + 4 * 38, 6 + 4 * 38));
  CHECK(has(at.glyphs({"--font", at.hex, "--range", "41"}).out, "1 pictures of 1 different"));
  CHECK(has(at.glyphs({"--font", at.hex, "--range", "D7FF-E000"}).out, "2 pictures of 2"));

  std::string const path = at.folder / "tokenizer.json";
  gt::Tokenizer::build(gt::Corpus::from_text(gt::test::prose(2000)), {.vocab_size = 400}).save(path);
  auto const tokens = at.glyphs({"--font", at.hex, "--tokens", path, "--most", "300"});
  CHECK(has(tokens.out, "the first 300 of 400 (--most)\n"));
  CHECK(has(tokens.out, "300 pictures of "));
  CHECK(at.glyphs({"--font", at.hex}).status == 0);
}

TEST_CASE("glyphs: bad input is one sentence, and no sheet is left") {
  Place const at;
  auto const wrong = [&](Lines const& more) {
    Lines all{"--font", at.hex};
    all.insert(all.end(), more.begin(), more.end());
    return at.glyphs(all);
  };
  for (char const* const range : {"U+0050-U+0041", "A-", "-", "zebra", "110000", "U+0041-U+110000", "1FFFFFFFFF"}) {
    CAPTURE(range);
    check_sentence(wrong({"--range=" + std::string(range)}), "--range must read U+0400-U+04FF");
  }
  check_sentence(wrong({"--raster", "24"}), "16, 32 or 64");
  check_sentence(wrong({"--zoom", "0"}), "zoom must be 1 to 16");
  check_sentence(wrong({"--columns", "-1"}), "columns must not be negative");
  check_sentence(wrong({"--tokens", "/no/such.json"}), "/no/such.json");
  check_sentence(wrong({"--font", at.hex + ":1"}), "must be a collection");
  check_sentence(wrong({"--font", at.outlines + ":3"}), "must have a face 3 (got 1 face, counted from 0)");
  check_sentence(at.glyphs({}), "no-font.hex");
  check_complaint(wrong({"--text", "a", "--range", "41"}), "--text excludes --range");
  check_sentence(wrong({"--most", "-3"}), "--most must be at least 1 (got -3)");
  check_sentence(Program("glyphs", {"--font", at.hex, "--out", at.hex}).wait(), "must be a PNG file or not exist");
  CHECK(at.folder.entries() == 2);
  auto const folder = Program("glyphs", {"--font", at.hex, "--out", at.folder / "none/a.png"}).wait();
  check_sentence(folder, "writable folder");
}

}  // namespace glyphs_test
