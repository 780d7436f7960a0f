// SPDX-License-Identifier: MIT
// Broken fonts: each is refused in one sentence or drawn, and nothing is ever read outside of it.
#include "gt/fonts/open_type.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "fonts.hpp"
#include "gt/base/philox.hpp"
#include "gt/fonts/outline_font.hpp"
#include "gt/io/text_file.hpp"
#include "made_fonts.hpp"

namespace open_type_test {

using gt::fonts::detail::OpenType;
using test::Bytes;
using test::error_of;
using test::has;
using test::Tables;

namespace {

std::string said(Bytes const& file) {
  return error_of([&] { OpenType::parse(file, "f"); });
}
std::string said_of(Tables const& tables) { return said(test::font_file(tables)); }
/// What is said of the small TrueType font after a change.
std::string changed(std::function<void(Tables&)> const& change) {
  auto tables = test::small_true_type();
  change(tables);
  return said_of(tables);
}
std::string drawing(Bytes const& glyph) {
  return said_of(test::true_type({{}, glyph, test::simple_glyph({test::box(0, 0, 8, 8)})}, {32, 32, 32}));
}
std::string running(Bytes const& charstring) {
  auto parts = test::small_cff();
  parts.charstrings[2] = charstring;
  return said_of(test::open_type(parts));
}
Bytes code(test::Charstring const& c) { return c.bytes; }

/// Reads a font and draws some of it. True when it opened; whatever else happens must be one Error of one line.
bool survives(Bytes const& file) {
  try {
    auto const font = gt::fonts::OutlineFont::parse(file, "f");
    for (char32_t c = U'A'; c < U'G'; ++c)
      for (int const side : {16, 64}) font.cell(c, side);
    return true;
  } catch (gt::Error const& error) {
    std::string const text = error.what();
    CHECK(text.starts_with("gt: OutlineFont: 'f'"));
    CHECK(text.find('\n') == std::string::npos);
    return false;
  }
}

struct Sample {
  char const* name;
  Bytes file;
};
std::vector<Sample> samples() {
  std::vector<Sample> all{{"glyf", test::font_file(test::small_true_type())}};
  for (int const select : {-1, 0, 3}) {
    auto parts = test::small_cff();
    parts.select = select;
    all.push_back({"CFF", test::font_file(test::open_type(parts))});
  }
  all.push_back({"ttc", test::collection({test::small_true_type(), test::open_type(test::small_cff())})});
  return all;
}

}  // namespace

TEST_CASE("OpenType: reads what a font says") {
  auto const font = OpenType::parse(test::font_file(test::small_true_type()), "f");
  CHECK(font.glyphs() == 6);
  CHECK(font.line() == 64);
  CHECK(font.characters().size() == 5);
  CHECK(font.glyph(U'C') == 3);
  CHECK(font.glyph(U'Z') == 0);
  CHECK(font.advance(3) == 64);
  CHECK_FALSE(font.is_cff());
  std::vector<int> parts;
  font.each_part(5, [&](int glyph, gt::fonts::detail::Affine const&) { parts.push_back(glyph); });
  CHECK(parts == std::vector<int>{1, 3, 1});
  auto few = test::small_true_type();
  test::poke16(few["hhea"], 34, 2);  // the last advance serves all glyphs after it
  CHECK(OpenType::parse(test::font_file(few), "f").advance(5) == 32);
}

TEST_CASE("OpenType: the formats of cmap, and which subtable is taken") {
  auto const characters = [](Bytes const& cmap) {
    auto tables = test::small_true_type();
    tables["cmap"] = cmap;
    std::vector<std::uint32_t> found;
    auto const font = OpenType::parse(test::font_file(tables), "f");
    for (auto const& [character, glyph] : font.characters()) found.insert(found.end(), {character, glyph});
    return found;
  };
  using Found = std::vector<std::uint32_t>;
  using test::Writer;
  Bytes zero = Writer{}.u16(0).u16(262).u16(0).bytes;
  zero.resize(6 + 256);
  zero[6 + 'x'] = 3;
  Bytes const six = Writer{}.u16(6).u16(14).u16(0).u16('x').u16(2).u16(4).u16(5).bytes;
  Bytes const ten = Writer{}.u16(10).u16(0).u32(24).u32(0).u32(0x1F600).u32(2).u16(4).u16(5).bytes;
  // Segments: 'a' to 'c' by a delta, 'x' to 'z' by glyph numbers that follow, the closing one.
  Bytes const four = Writer{}
                         .u16(4)
                         .u16(0)
                         .u16(0)
                         .u16(6)
                         .u16(0)
                         .u16(0)
                         .u16(0)
                         .u16('c')
                         .u16('z')
                         .u16(0xFFFF)
                         .u16(0)
                         .u16('a')
                         .u16('x')
                         .u16(0xFFFF)
                         .u16(1 - 'a')
                         .u16(1)
                         .u16(1)
                         .u16(0)
                         .u16(4)
                         .u16(0)
                         .u16(3)
                         .u16(0)
                         .u16(4)
                         .bytes;
  CHECK(characters(test::cmap_of(0, 3, zero)) == Found{'x', 3});
  CHECK(characters(test::cmap_of(0, 3, six)) == Found{'x', 4, 'y', 5});
  CHECK(characters(test::cmap_of(3, 10, ten)) == Found{0x1F600, 4, 0x1F601, 5});
  CHECK(characters(test::cmap_of(3, 1, four)) == Found{'a', 1, 'b', 2, 'c', 3, 'x', 4, 'z', 5});
  CHECK(characters(test::cmap_of(0, 4, test::cmap_12({{0xD7FF, 0xE000, 2}}, 13))) == Found{0xD7FF, 2, 0xE000, 2});

  Bytes const low = test::cmap_12({{'x', 'x', 1}}), high = test::cmap_12({{'y', 'y', 2}});
  auto const two = [&](int p, int e, Bytes const& first, int q, int f, Bytes const& second) {
    auto const at = static_cast<std::uint32_t>(20 + first.size());
    return Writer{}.u16(0).u16(2).u16(p).u16(e).u32(20).u16(q).u16(f).u32(at).all(first).all(second).bytes;
  };
  CHECK(characters(two(3, 1, low, 3, 10, high)) == Found{'y', 2});  // all of Unicode before a part of it
  CHECK(characters(two(0, 4, high, 0, 3, low)) == Found{'y', 2});
  CHECK(characters(two(3, 1, low, 0, 5, high)) == Found{'x', 1});  // 5 lists variants of characters
  CHECK(characters(two(3, 1, low, 3, 10, {0, 14, 0, 0})) == Found{'x', 1});
}

TEST_CASE("OpenType: what is wrong with a table is said in one sentence") {
  using test::poke16;
  struct Bad {
    char const* says;
    std::function<void(Tables&)> change;
  };
  for (Bad const& bad : std::vector<Bad>{
           {"the file must have a table maxp (got none)", [](Tables& t) { t.erase("maxp"); }},
           {"the file must have a table cmap", [](Tables& t) { t.erase("cmap"); }},
           {"the file must have a table loca", [](Tables& t) { t.erase("loca"); }},
           {"table maxp must count at least one glyph", [](Tables& t) { poke16(t["maxp"], 4, 0); }},
           {"table maxp must hold 2 bytes at 4 (got 3 bytes", [](Tables& t) { t["maxp"].resize(3); }},
           {"table hhea must give a line a height of at least 16 units (got 0)",
            [](Tables& t) { poke16(t["hhea"], 4, -8); }},
           {"table hhea must count at least one advance", [](Tables& t) { poke16(t["hhea"], 34, 0); }},
           {"table hmtx must hold 2 bytes at 24", [](Tables& t) { poke16(t["hhea"], 34, 7); }},
           {"table head must give loca form 0 or 1 (got 2)", [](Tables& t) { poke16(t["head"], 50, 2); }},
           {"table loca must hold 2 bytes at 24", [](Tables& t) { t["loca"].resize(24); }},
           {"table loca must rise from 0 to at most", [](Tables& t) { poke16(t["loca"], 0, 1); }},
           {"table loca must rise from 0 to at most", [](Tables& t) { poke16(t["loca"], 18, 0); }},
           {"table cmap must map Unicode characters", [](Tables& t) { poke16(t["cmap"], 4, 1); }},
           {"table cmap must hold 2 bytes at", [](Tables& t) { poke16(t["cmap"], 8, 9); }},
           {"table cmap must map characters to glyphs below 6 (got 6)",
            [](Tables& t) {
              t["cmap"] = test::cmap_of(3, 10, test::cmap_12({{'A', 'F', 1}}));
            }},
           {"table cmap must list its runs of characters in order",
            [](Tables& t) {
              t["cmap"] = test::cmap_of(3, 10, test::cmap_12({{'B', 'B', 1}, {'A', 'A', 1}}));
            }},
           {"table cmap must list its runs of characters in order (got 0 to 1114112",
            [](Tables& t) {
              t["cmap"] = test::cmap_of(3, 10, test::cmap_12({{0, 0x110000, 1}}, 13));
            }},
       }) {
    CAPTURE(bad.says);
    auto const error = changed(bad.change);
    CAPTURE(error);
    CHECK(has(error, "gt: OutlineFont: 'f': "));
    CHECK(has(error, bad.says));
    CHECK(has(error, "; the file is broken"));
  }
}

TEST_CASE("OpenType: what is wrong with a glyph is said in one sentence that names it") {
  using test::poke16;
  auto const box = test::simple_glyph({test::box(0, 0, 8, 8)});
  auto const altered = [&](std::size_t at, int v) {
    Bytes glyph = box;
    poke16(glyph, at, v);
    return drawing(glyph);
  };
  Bytes cut = box;
  cut.pop_back();
  CHECK(has(drawing(cut), "'f': glyph 1 must hold 16 bytes at 18 (got 33 bytes in all)"));
  CHECK(has(drawing({0, 1, 0}), "glyph 1 must hold 10 bytes at 0 (got 3"));
  CHECK(has(altered(0, 2000), "glyph 1 must hold 2 bytes at 4010"));
  CHECK(has(altered(10, 16384), "glyph 1 must have at most 16384 points (got 16385)"));
  CHECK(has(altered(10, 4), "glyph 1 must hold"));    // one point more than there is
  CHECK(has(altered(12, 500), "glyph 1 must hold"));  // instructions beyond the end
  auto two = test::simple_glyph({test::box(0, 0, 8, 8), test::box(8, 8, 9, 9)});
  poke16(two, 10, 7);
  CHECK(has(drawing(two), "glyph 1 must end its contours one after another (got point 7 after point 7)"));
  CHECK(has(drawing(test::simple_glyph({test::box(0, 0, 8, 8), {{1, 1, false}}})), "no contour of one control point"));
  CHECK(drawing(test::simple_glyph({test::box(0, 0, 8, 8), {{1, 1, true}}})).empty());

  CHECK(has(drawing(test::composite_glyph({{1, 0, 0, {}}})), "glyph 1 must not contain itself"));
  CHECK(has(drawing(test::composite_glyph({{3, 0, 0, {}}})), "glyph 1 must be made of glyphs below 3 (got 3)"));
  auto part = test::composite_glyph({{2, 0, 0, {16384}}});
  part.pop_back();
  CHECK(has(drawing(part), "glyph 1 must hold 2 bytes at 18 (got 19"));

  auto const pile = [&](int levels, int each) {  // glyph i is made of glyph i - 1, so many times
    std::vector<Bytes> glyphs{{}, box};
    for (int i = 0; i < levels; ++i)
      glyphs.push_back(
          test::composite_glyph(std::vector<test::Part>(static_cast<std::size_t>(each), {i + 1, 0, 0, {}})));
    return said_of(test::true_type(glyphs, std::vector<int>(glyphs.size(), 32)));
  };
  CHECK(pile(16, 1).empty());
  CHECK(has(pile(17, 1), "at most 16384 points and 16 levels (got more)"));
  CHECK(has(pile(10, 4), "at most 16384 points and 16 levels (got more)"));
  std::vector<Bytes> down{{}};  // the same, counted from the outside in
  for (int i = 1; i < 40; ++i) down.push_back(test::composite_glyph({{i + 1, 0, 0, {}}}));
  down.push_back(box);
  CHECK(has(said_of(test::true_type(down, std::vector<int>(down.size(), 32))), "must not lie within 17 others"));
}

TEST_CASE("OpenType: what is wrong with PostScript outlines") {
  using Op = test::Op;
  using test::Charstring;
  CHECK(has(running({}), "'f': glyph 2 must end with endchar"));
  CHECK(has(running(code(Charstring{} << 1)), "must end with endchar"));
  CHECK(has(running({28, 1}), "glyph 2 must hold"));
  CHECK(has(running(code(Charstring{} << 1 << Op{21})), "must give operator 21 at least 2 numbers (got 1)"));
  CHECK(has(running(code(Charstring{} << 1 << 2 << 3 << Op{8})), "must give operator 8 at least 6 numbers (got 3)"));
  CHECK(has(running(code(Charstring{} << Op{2})), "must be made of operators of type 2 (got 2)"));
  CHECK(has(running(code(Charstring{} << 1 << Op{12} << Op{34})), "must give operator 12 34 at least 7 numbers"));
  CHECK(has(running(code(Charstring{} << Op{12} << Op{3})), "must not use operator 12 3"));
  CHECK(has(running(code(Charstring{} << Op{11})), "must not return from no subroutine"));
  CHECK(has(running(code(Charstring{} << 0 << Op{10})), "must call a subroutine below 1 (got 107)"));
  Charstring many;
  for (int i = 0; i < 49; ++i) many << 1;
  CHECK(has(running(many.bytes), "must not pile up more than 48 numbers"));
  Charstring masked;
  for (int i = 0; i < 40; ++i) masked << 1;
  CHECK(has(running(code(masked << Op{18} << Op{19} << Op{14})), "glyph 2 must hold 3 bytes"));

  auto parts = test::small_cff();
  parts.subroutines = {code(Charstring{} << -107 << Op{10})};  // calls itself
  CHECK(has(said_of(test::open_type(parts)), "glyph 2 must not call subroutines within 10 others"));
  parts.subroutines.clear();
  for (int i = 0; i < 10; ++i) {  // each calls the next ten times: 10^10 steps
    Charstring body;
    for (int k = 0; k < 10 && i < 9; ++k) body << i + 1 - 107 << Op{10};
    parts.subroutines.push_back(code(body << 1 << 1 << Op{5} << Op{11}));
  }
  CHECK(has(said_of(test::open_type(parts)), "glyph 2 must be drawn in 65536 steps and 16384 points (got more)"));

  auto const together = [](int glyphs) {  // each within its own limits, 10^3 lines in a few bytes
    test::CffParts all;
    for (int i = 0; i < 3; ++i) {
      Charstring body;
      for (int k = 0; k < 10; ++k) body << i + 1 - 107 << Op{10};
      all.subroutines.push_back(code(body << Op{11}));
    }
    all.subroutines.push_back(code(Charstring{} << 1 << 1 << Op{5} << Op{11}));
    all.charstrings.assign(static_cast<std::size_t>(glyphs), code(Charstring{} << -107 << Op{10} << Op{14}));
    return test::open_type(all);
  };
  CHECK(said_of(together(5)).empty());
  auto const steps = 65'536 + 32 * together(60)["CFF "].size();
  CHECK(said_of(together(60)) ==
        gt::text("gt: OutlineFont: 'f': table CFF must be drawn in ", steps, " steps (got more); the file is broken"));

  auto const top = [](Bytes const& more) {
    auto with_more = test::small_cff();
    with_more.top_extra = more;
    return said_of(test::open_type(with_more));
  };
  CHECK(top({30, 0x1A, 0x5F, 12, 7}).empty());  // a real number, 1.5
  CHECK(has(top({140, 12, 6}), "table CFF must have charstrings of type 2 (got type 1)"));
  CHECK(has(top({255}), "must hold numbers and operators (got byte 255)"));
  CHECK(has(top({30}), "must hold 1 bytes"));
  auto const altered = [](std::size_t at, int byte) {
    auto tables = test::open_type(test::small_cff());
    tables["CFF "][at] = static_cast<unsigned char>(byte);
    return said_of(tables);
  };
  CHECK(has(altered(0, 2), "must be of version 1 (got 2)"));
  CHECK(has(altered(6, 5), "must have offsets of 1 to 4 bytes (got 5)"));
  CHECK(has(altered(8, 2), "must list its parts in order and inside of itself"));
  auto tables = test::open_type(test::small_cff());
  Bytes& cff = tables["CFF "];  // its list of dictionaries is now one behind it
  auto const at = static_cast<std::uint32_t>(cff.size());
  cff = test::cff_table([&] {
    auto with_dicts = test::small_cff();
    with_dicts.top_extra = test::Writer{}.u8(29).u32(at + 7).u8(12).u8(36).bytes;
    return with_dicts;
  }());
  REQUIRE(cff.size() == at + 7);
  Bytes const dicts = test::cff_index(std::vector<Bytes>(257));
  cff.insert(cff.end(), dicts.begin(), dicts.end());
  CHECK(has(said_of(tables), "table CFF must have at most 256 dictionaries (got 257)"));
  tables = test::open_type(test::small_cff());
  test::poke16(tables["maxp"], 4, 9);
  tables["hmtx"].resize(36);
  CHECK(has(said_of(tables), "must draw 9 glyphs (got 4)"));
}

TEST_CASE("OpenType: a font cut off anywhere is refused or drawn") {
  for (auto const& sample : samples()) {
    CAPTURE(sample.name);
    Bytes const& file = sample.file;
    REQUIRE(survives(file));
    for (std::size_t size = 0; size < file.size(); ++size) {
      // A copy of just that size, so that the sanitizer sees a step beyond it.
      bool const opened = survives(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
      if (size + 4 < file.size() && std::string(sample.name) != "ttc") CHECK_FALSE(opened);
    }
  }
}

TEST_CASE("OpenType: flipped bytes are refused or drawn") {
  gt::Random const random(gt::seed(11), gt::Purpose::test);
  std::uint64_t k = 0;
  for (auto const& sample : samples()) {
    CAPTURE(sample.name);
    Bytes const& file = sample.file;
    int opened = 0;
    for (int round = 0; round < 2000; ++round) {
      Bytes broken = file;
      for (int flips = 1 + round % 4; flips > 0; --flips) {
        auto const at = static_cast<std::size_t>(random.bits(k++) % broken.size());
        auto const value = random.bits(k++);
        // Any byte, or one of those that break sizes and counts.
        broken[at] = static_cast<unsigned char>(value % 3 == 0 ? value >> 8 : value % 3 == 1 ? 255 : 0);
      }
      opened += survives(broken) ? 1 : 0;
    }
    CHECK(opened > 0);
    CHECK(opened < 2000);
  }
}

TEST_CASE("OpenType: real fonts, cut off at their tables and with flipped bytes") {
  gt::Random const random(gt::seed(12), gt::Purpose::test);
  std::uint64_t k = 0;
  for (char const* const name : {"DejaVuSansMono-Bold.ttf", "unifont_csur.otf"}) {
    auto const path = test::installed_font(name);
    if (path.empty()) continue;
    CAPTURE(name);
    std::string const text = gt::read_text_file(path);
    Bytes const file(text.begin(), text.end());
    CHECK(survives(file));
    std::set<std::size_t> sizes;
    for (std::size_t i = 0; i < file[5]; ++i) {  // the directory is at 12, an offset at 8 of 16 bytes
      gt::fonts::detail::FontBytes const record(std::span{file}.subspan(12 + 16 * i, 16), "f", "record");
      for (std::size_t const at : {std::size_t{record.u32(8)}, std::size_t{record.u32(8)} + record.u32(12)})
        for (std::size_t const size : {at - 1, at, at + 1}) sizes.insert(std::min(size, file.size()));
    }
    for (std::size_t const size : sizes)
      survives(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
    for (int round = 0; round < 60; ++round) {
      Bytes broken = file;
      for (int flips = 0; flips < 3; ++flips) {
        std::size_t const within = round % 2 == 0 ? 400 : broken.size();  // the directory and the first tables, or all
        broken[random.bits(k) % within] = static_cast<unsigned char>(random.bits(k + 1));
        k += 2;
      }
      survives(broken);
    }
  }
}

}  // namespace open_type_test
