// SPDX-License-Identifier: MIT
// Outline fonts made in memory, small enough to know every pixel; and real ones, where they are installed.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace test {

using Bytes = std::vector<unsigned char>;

/// Appends big-endian numbers.
struct Writer {
  Bytes bytes;
  Writer& u8(int v) { return bytes.push_back(static_cast<unsigned char>(v & 255)), *this; }
  Writer& u16(int v) { return u8(v >> 8), u8(v); }
  Writer& u32(std::uint32_t v) { return u16(static_cast<int>(v >> 16)), u16(static_cast<int>(v & 0xFFFF)); }
  Writer& all(Bytes const& more) { return bytes.insert(bytes.end(), more.begin(), more.end()), *this; }
};
inline void poke16(Bytes& bytes, std::size_t at, int v) {
  bytes[at] = static_cast<unsigned char>(v >> 8 & 255), bytes[at + 1] = static_cast<unsigned char>(v & 255);
}

/// Tables by tag. Tests break one and see what is said.
using Tables = std::map<std::string, Bytes>;
/// The file; `at`: where it will stand in a collection.
inline Bytes font_file(Tables const& tables, std::size_t at = 0) {
  Writer directory, data;
  directory.u32(tables.count("CFF ") != 0 ? 0x4F54544Fu : 0x00010000u).u16(static_cast<int>(tables.size()));
  directory.u16(0).u16(0).u16(0);
  auto const start = at + 12 + 16 * tables.size();
  for (auto const& [tag, bytes] : tables) {
    for (char const c : tag) directory.u8(c);
    directory.u32(0).u32(static_cast<std::uint32_t>(start + data.bytes.size()));
    directory.u32(static_cast<std::uint32_t>(bytes.size()));
    data.all(bytes);
    while (data.bytes.size() % 4 != 0) data.u8(0);
  }
  return directory.all(data.bytes).bytes;
}
inline Bytes collection(std::vector<Tables> const& faces) {
  Writer header, data;
  header.u32(0x74746366).u32(0x00010000).u32(static_cast<std::uint32_t>(faces.size()));
  auto const start = 12 + 4 * faces.size();
  for (auto const& face : faces) {
    auto const at = start + data.bytes.size();
    header.u32(static_cast<std::uint32_t>(at));
    data.all(font_file(face, at));
  }
  return header.all(data.bytes).bytes;
}

struct Point {
  int x = 0, y = 0;
  bool on = true;
};
using Contours = std::vector<std::vector<Point>>;
inline std::vector<Point> box(int x0, int y0, int x1, int y1) { return {{x0, y0}, {x0, y1}, {x1, y1}, {x1, y0}}; }

/// A simple glyph of the table glyf, its points in words, a flag for each.
inline Bytes simple_glyph(Contours const& contours) {
  Writer g;
  g.u16(static_cast<int>(contours.size())).u16(0).u16(0).u16(64).u16(64);
  int end = -1;
  for (auto const& contour : contours) g.u16(end += static_cast<int>(contour.size()));
  g.u16(0);
  for (auto const& contour : contours)
    for (auto const& p : contour) g.u8(p.on ? 1 : 0);
  for (bool const vertical : {false, true}) {
    int before = 0;
    for (auto const& contour : contours)
      for (auto const& p : contour) g.u16((vertical ? p.y : p.x) - std::exchange(before, vertical ? p.y : p.x));
  }
  return g.bytes;
}
/// One component, after what `flags` say, by a 2 x 2 matrix in units of 1 / 16384.
struct Part {
  int glyph = 0, dx = 0, dy = 0;
  std::vector<int> scale;  ///< none, one, two or four numbers
  int flags = 2;           ///< 2: dx and dy are offsets
};
inline Bytes composite_glyph(std::vector<Part> const& parts) {
  Writer g;
  g.u16(-1).u16(0).u16(0).u16(64).u16(64);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto const& p = parts[i];
    int const scaled = p.scale.size() == 1 ? 8 : p.scale.size() == 2 ? 64 : p.scale.size() == 4 ? 128 : 0;
    g.u16(p.flags | 1 | scaled | (i + 1 < parts.size() ? 32 : 0)).u16(p.glyph).u16(p.dx).u16(p.dy);
    for (int const s : p.scale) g.u16(s);
  }
  return g.bytes;
}

/// A cmap of one subtable.
inline Bytes cmap_of(int platform, int encoding, Bytes const& subtable) {
  return Writer{}.u16(0).u16(1).u16(platform).u16(encoding).u32(12).all(subtable).bytes;
}
/// Format 12: groups of first and last character, and glyph.
inline Bytes cmap_12(std::vector<std::vector<std::uint32_t>> const& groups, int format = 12) {
  Writer w;
  w.u16(format).u16(0).u32(static_cast<std::uint32_t>(16 + 12 * groups.size())).u32(0);
  w.u32(static_cast<std::uint32_t>(groups.size()));
  for (auto const& group : groups)
    for (auto const number : group) w.u32(number);
  return w.bytes;
}

/// Everything but the outlines, for a line of 64 units, 56 above the baseline; glyph i is the character 'A' + i - 1.
inline Tables metrics(std::vector<int> const& advances) {
  Tables t;
  int const glyphs = static_cast<int>(advances.size());
  t["head"] = Bytes(54);
  poke16(t["head"], 18, 64);
  poke16(t["head"], 50, 1);
  t["maxp"] = Writer{}.u32(0x00010000).u16(glyphs).bytes;
  t["hhea"] = Bytes(36);
  poke16(t["hhea"], 4, 56), poke16(t["hhea"], 6, -8), poke16(t["hhea"], 34, glyphs);
  Writer hmtx;
  for (int const advance : advances) hmtx.u16(advance).u16(0);
  t["hmtx"] = hmtx.bytes;
  t["cmap"] = cmap_of(3, 10, cmap_12({{'A', static_cast<std::uint32_t>('A' + glyphs - 2), 1}}));
  return t;
}
/// A TrueType font of these glyphs and advances; glyph 0 is the missing one.
inline Tables true_type(std::vector<Bytes> const& glyphs, std::vector<int> const& advances) {
  Tables t = metrics(advances);
  Writer loca, glyf;
  for (auto const& glyph : glyphs) {
    loca.u32(static_cast<std::uint32_t>(glyf.bytes.size()));
    glyf.all(glyph);
  }
  t["loca"] = loca.u32(static_cast<std::uint32_t>(glyf.bytes.size())).bytes;
  t["glyf"] = glyf.bytes;
  return t;
}
/// A box, a blank, a curve, two composites within each other: what a reader can trip over.
inline Tables small_true_type() {
  std::vector<Point> const round{{8, 0, false}, {8, 48, false}, {56, 48, false}, {56, 0, false}};
  return true_type({simple_glyph({box(0, 0, 32, 32)}),
                    simple_glyph({box(8, 0, 24, 32)}),
                    {},
                    simple_glyph({round}),
                    composite_glyph({{1, 0, 0, {8192}}, {3, 4, -4, {}}}),
                    composite_glyph({{4, 1, 1, {0, 16384, -16384, 0}}, {1, 0, 0, {16384, 8192}}})},
                   {32, 32, 16, 64, 48, 64});
}

/// A list of byte strings, with offsets of `size` bytes.
inline Bytes cff_index(std::vector<Bytes> const& parts, int size = 2) {
  Writer w;
  w.u16(static_cast<int>(parts.size()));
  if (parts.empty()) return w.bytes;
  w.u8(size);
  int offset = 1;
  auto const put = [&] {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) w.u8(offset >> shift);
  };
  put();
  for (auto const& part : parts) offset += static_cast<int>(part.size()), put();
  for (auto const& part : parts) w.all(part);
  return w.bytes;
}
/// Code of a charstring: numbers from -107 to 107, and `op(n)`.
struct Op {
  int code = 0;
};
struct Charstring : Writer {
  Charstring& operator<<(int number) { return u8(number + 139), *this; }
  Charstring& operator<<(Op op) { return u8(op.code), *this; }
};

/// Parts of a CFF font that tests change.
struct CffParts {
  std::vector<Bytes> charstrings, subroutines, global;
  int select = -1;       ///< format of FDSelect; -1: no CID font
  Bytes top_extra = {};  ///< more of the top DICT
};
inline Bytes cff_table(CffParts const& parts) {
  auto const five = [](Writer& w, std::size_t v) { w.u8(29).u32(static_cast<std::uint32_t>(v)); };
  Bytes const names = cff_index({{'t'}}), strings = cff_index({}), global = cff_index(parts.global);
  Bytes const charstrings = cff_index(parts.charstrings, 3), subroutines = cff_index(parts.subroutines, 1);
  bool const cid = parts.select >= 0;
  std::size_t const top_size = 6 + (cid ? 2 * 7 : 11) + parts.top_extra.size();
  std::size_t const start = 4 + names.size() + (2 + 1 + 4 + top_size) + strings.size() + global.size();
  std::size_t const private_at = start + charstrings.size(), dicts_at = private_at + 6 + subroutines.size();

  Writer top, pdict, dict, select;
  five(pdict, 6), pdict.u8(19);  // its subroutines follow it
  five(top, start), top.u8(17);
  five(dict, 6), five(dict, private_at), dict.u8(18);
  Bytes const dicts = cff_index({dict.bytes});
  if (cid) {
    five(top, dicts_at), top.u8(12).u8(36);
    five(top, dicts_at + dicts.size()), top.u8(12).u8(37);
    select.u8(parts.select);
    if (parts.select == 0)
      for (std::size_t i = 0; i < parts.charstrings.size(); ++i) select.u8(0);
    else
      select.u16(1).u16(0).u8(0).u16(static_cast<int>(parts.charstrings.size()));
  } else {
    top.all(dict.bytes);
  }
  top.all(parts.top_extra);
  Writer cff;
  cff.u8(1).u8(0).u8(4).u8(2).all(names).all(cff_index({top.bytes})).all(strings).all(global);
  cff.all(charstrings).all(pdict.bytes).all(subroutines);
  if (cid) cff.all(dicts).all(select.bytes);
  return cff.bytes;
}
/// A font of three letters: a box, the same box from a subroutine after hints and their mask, a curve from a global
/// one.
inline CffParts small_cff() {
  auto const code = [](Charstring const& c) { return c.bytes; };
  Op const vlineto{7}, call{10}, back{11}, endchar{14}, hstemhm{18}, hintmask{19}, rmoveto{21}, hmoveto{22},
      call_global{29}, hvcurveto{31};
  CffParts parts;
  parts.charstrings = {
      code(Charstring{} << endchar), code(Charstring{} << 8 << 0 << rmoveto << 32 << 16 << -32 << vlineto << endchar),
      code(Charstring{} << 1 << 2 << hstemhm << 3 << 4 << hintmask << Op{0xC0} << -107 << call << endchar),
      code(Charstring{} << 0 << -107 << call_global << endchar)};
  parts.subroutines = {code(Charstring{} << 8 << 0 << rmoveto << 32 << 16 << -32 << vlineto << back)};
  parts.global = {code(Charstring{} << hmoveto << 48 << 0 << 48 << 16 << hvcurveto << back)};
  return parts;
}
inline Tables open_type(CffParts const& parts) {
  Tables t = metrics(std::vector<int>(parts.charstrings.size(), 32));
  t["CFF "] = cff_table(parts);
  return t;
}

/// The path of an installed font, looked for in GT_FONTS (folders, separated by ':') and where systems keep fonts;
/// empty, with a message, where there is none.
inline std::string installed_font(std::string const& name) {
  std::string folders = "/usr/share/fonts:/usr/local/share/fonts";
  if (char const* const given = std::getenv("GT_FONTS")) folders = std::string(given) + ":" + folders;
  while (!folders.empty()) {
    auto const end = std::min(folders.find(':'), folders.size());
    std::error_code none;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folders.substr(0, end), none))
      if (entry.path().filename() == name) return entry.path().string();
    folders.erase(0, end + 1);
  }
  MESSAGE("skipped: needs the font ", name, " (install it, or set GT_FONTS to its folder)");
  return {};
}

}  // namespace test
