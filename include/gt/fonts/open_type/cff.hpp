// SPDX-License-Identifier: MIT
// The table CFF: PostScript outlines, checked so that stb_truetype may run their charstrings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gt/fonts/open_type/bytes.hpp"
#include "gt/fonts/open_type/glyf.hpp"

namespace gt::inline GT_ABI::fonts::detail {

/// A list of byte strings: count, size of an offset, count + 1 offsets from 1 on, data. Source: Adobe Technical Note
/// 5176, section 5.
template <class Bytes>
class CffIndex {
 public:
  CffIndex() = default;
  CffIndex(Bytes const& cff, std::size_t at) : start_{at}, end_{at + 2}, count_{cff.u16(at)} {
    if (count_ == 0) return;
    offset_size_ = cff.u8(at + 2);
    cff.check(offset_size_ >= 1 && offset_size_ <= 4, "must have offsets of 1 to 4 bytes (got ", offset_size_, ")");
    data_ = at + 2 + (count_ + 1) * offset_size_;  // of the byte before the first, as offsets count from 1
    std::uint32_t before = 1;
    for (std::size_t i = 0; i <= count_; ++i) {
      auto const offset = cff.number(at + 3 + i * offset_size_, offset_size_);
      bool const rises = i == 0 ? offset == 1 : offset >= before;
      cff.check(rises && offset <= cff.size() - data_, "must list its parts in order and inside of itself (got offset ",
                offset, " after ", before, ")");
      before = offset;
    }
    end_ = data_ + before;
  }
  std::size_t count() const noexcept { return count_; }
  std::size_t end() const noexcept { return end_; }  ///< where the next thing starts
  Bytes operator()(Bytes const& cff, std::size_t i) const {
    auto const offset = [&](std::size_t k) { return cff.number(start_ + 3 + k * offset_size_, offset_size_); };
    return cff.sub(data_ + offset(i), offset(i + 1) - offset(i));
  }

 private:
  std::size_t start_ = 0, end_ = 0, count_ = 0, offset_size_ = 1, data_ = 0;
};

/// The numbers before operator `key` of a DICT (a second byte after 12 counts from 256); empty without it. Source:
/// Adobe Technical Note 5176, section 4.
template <class Bytes>
std::vector<std::uint32_t> cff_operands(Bytes const& dict, unsigned key) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t at = 0; at < dict.size();) {
    unsigned const b = dict.u8(at);
    dict.check(b < 22 || (b >= 28 && b != 31 && b != 255), "must hold numbers and operators (got byte ", b, ")");
    if (b < 22) {
      unsigned const operation = b == 12 ? 256 + dict.u8(at + 1) : b;
      if (operation == key) return numbers;
      numbers.clear();
      at += b == 12 ? 2 : 1;
    } else if (b == 30) {  // a real number, in half-bytes up to an F; none of those read here is one
      unsigned digits = 0;
      do digits = dict.u8(++at);
      while (digits >> 4 != 15 && (digits & 15) != 15);
      ++at;
      numbers.push_back(0);
    } else if (b == 28 || b == 29) {
      std::size_t const bytes = b == 28 ? 2 : 4;
      numbers.push_back(dict.number(at + 1, bytes));
      at += 1 + bytes;
    } else if (b <= 246) {
      numbers.push_back(b - 139);
      ++at;
    } else {
      std::uint32_t const high = b <= 250 ? (b - 247) * 256 : 0u - (b - 251) * 256, low = dict.u8(at + 1);
      numbers.push_back(b <= 250 ? high + low + 108 : high - low - 108);
      at += 2;
    }
  }
  return {};
}

/// The outlines of a font: nothing of them is kept, they are only checked.
template <class Bytes>
class CffCheck {
 public:
  /// Checks all that stb reads: the lists, the dictionaries, and every charstring by running it without drawing.
  CffCheck(Bytes const& cff, int glyphs) : cff_{cff} {
    cff.check(cff.u8(0) == 1, "must be of version 1 (got ", cff.u8(0), ")");
    CffIndex<Bytes> const names(cff, cff.u8(2)), tops(cff, names.end()), strings(cff, tops.end());
    global_ = CffIndex<Bytes>(cff, strings.end());
    cff.check(tops.count() > 0, "must hold a font (got none)");
    Bytes const top = tops(cff, 0);
    auto const type = cff_operands(top, 256 + 6);
    cff.check(type.empty() || type[0] == 2, "must have charstrings of type 2 (got type ", type.empty() ? 2 : type[0],
              ")");
    charstrings_ = CffIndex<Bytes>(cff, place(top, 17));
    cff.check(place(top, 17) > 0 && charstrings_.count() >= static_cast<std::size_t>(glyphs), "must draw ", glyphs,
              " glyphs (got ", charstrings_.count(), ")");
    if (auto const dicts_at = place(top, 256 + 36); dicts_at > 0) {
      CffIndex<Bytes> const dicts(cff, dicts_at);
      cff.check(dicts.count() <= 256, "must have at most 256 dictionaries (got ", dicts.count(), ")");
      for (std::size_t i = 0; i < dicts.count(); ++i) local_.push_back(subroutines(dicts(cff, i)));
      select_subroutines(place(top, 256 + 37), static_cast<std::size_t>(glyphs));
      subroutines(top);  // stb reads them, and then uses those of the dictionaries
    } else {
      local_.push_back(subroutines(top));
      local_of_.assign(static_cast<std::size_t>(glyphs), 0);
    }
    most_steps_of_all_ = most_steps + most_steps_of_a_byte * cff.size();
    for (std::size_t i = 0; i < static_cast<std::size_t>(glyphs); ++i) points_.push_back(run(i));
  }
  std::vector<int> const& points() const noexcept { return points_; }  ///< of each glyph, at least

 private:
  /// The one number before `key`, an offset; 0 without it.
  static std::uint32_t place(Bytes const& dict, unsigned key) {
    auto const numbers = cff_operands(dict, key);
    return numbers.empty() ? 0 : numbers[0];
  }
  CffIndex<Bytes> subroutines(Bytes const& dict) const {
    auto const where = cff_operands(dict, 18);  // size and offset of a private DICT
    if (where.size() < 2 || where[0] == 0 || where[1] == 0) return {};
    auto const offset = place(cff_.sub(where[1], where[0]), 19);
    return offset == 0 ? CffIndex<Bytes>{} : CffIndex<Bytes>(cff_, std::size_t{where[1]} + offset);
  }
  /// FDSelect: which dictionary serves which glyph.
  void select_subroutines(std::size_t at, std::size_t glyphs) {
    cff_.check(at > 0 && cff_.u8(at) % 3 == 0 && cff_.u8(at) <= 3, "must select its dictionaries by format 0 or 3");
    auto const add = [&](std::size_t i) {
      cff_.check(i < local_.size(), "must select a dictionary below ", local_.size(), " (got ", i, ")");
      local_of_.push_back(static_cast<unsigned char>(i));
    };
    if (cff_.u8(at) == 0) {
      for (std::size_t i = 0; i < glyphs; ++i) add(cff_.u8(at + 1 + i));
      return;
    }
    std::size_t const ranges = cff_.u16(at + 1);
    cff_.check(ranges > 0 && cff_.u16(at + 3) == 0, "must select dictionaries from glyph 0 on");
    for (std::size_t i = 0; i < ranges; ++i) {
      std::size_t const range = at + 3 + 3 * i, end = cff_.u16(range + 3);
      cff_.check(end > local_of_.size(), "must select dictionaries in the order of glyphs");
      while (local_of_.size() < end) add(cff_.u8(range + 2));
    }
    cff_.check(local_of_.size() >= glyphs, "must select a dictionary for each of ", glyphs, " glyphs");
  }

  /// Runs a charstring as stb does, and counts its points instead of drawing them. Numbers matter only where they name
  /// a subroutine. Source: Adobe Technical Note 5177.
  int run(std::size_t glyph) {
    std::string const name = text("glyph ", glyph);
    struct Place {
      Bytes code;
      std::size_t at;
    };
    std::vector<Place> calls{{charstrings_(cff_, glyph).named(name), 0}};
    std::array<float, 48> stack;
    std::size_t size = 0, hints = 0;
    bool in_header = true;
    for (int steps = 0, points = 0;; ++steps) {
      Bytes const& code = calls.back().code;
      std::size_t& at = calls.back().at;
      code.check(at < code.size(), "must end with endchar");
      code.check(steps < most_steps && points <= most_points_of_a_glyph, "must be drawn in ", most_steps, " steps and ",
                 most_points_of_a_glyph, " points (got more)");
      cff_.check(++steps_of_all_ <= most_steps_of_all_, "must be drawn in ", most_steps_of_all_, " steps (got more)");
      unsigned const b = code.u8(at++);
      if (b >= 32 || b == 28) {
        std::size_t const bytes = b == 28 ? 2 : b == 255 ? 4 : b >= 247 ? 1 : 0;
        code.check(size < stack.size(), "must not pile up more than ", stack.size(), " numbers");
        stack[size++] = number(code, at, b);
        code.sub(at, bytes);
        at += bytes;
        continue;
      }
      int const least = least_numbers[b];
      code.check(least >= 0, "must be made of operators of type 2 (got ", b, ")");
      code.check(size >= static_cast<std::size_t>(least), "must give operator ", b, " at least ", least,
                 " numbers (got ", size, ")");
      if (b == endchar) return points;
      if (b == back) {
        code.check(calls.size() > 1, "must not return from no subroutine");
        calls.pop_back();
        continue;
      }
      if (b == call || b == call_global) {
        CffIndex<Bytes> const& list = b == call_global ? global_ : local_[local_of_[glyph]];
        int const bias = list.count() < 1240 ? 107 : list.count() < 33900 ? 1131 : 32768;
        int const subroutine = static_cast<int>(stack[--size]) + bias;
        code.check(subroutine >= 0 && static_cast<std::size_t>(subroutine) < list.count(),
                   "must call a subroutine below ", list.count(), " (got ", subroutine, ")");
        code.check(calls.size() <= 10, "must not call subroutines within 10 others");
        calls.push_back({list(cff_, static_cast<std::size_t>(subroutine)).named(name), 0});
        continue;
      }
      bool const mask = b == hintmask || b == cntrmask;
      if (b == hstem || b == vstem || b == hstemhm || b == vstemhm || (mask && in_header)) hints += size / 2;
      if (mask) {
        code.sub(at, (hints + 7) / 8);
        at += (hints + 7) / 8;
      }
      if (mask || b == rmoveto || b == hmoveto || b == vmoveto) in_header = false;
      if (b == flex) {  // in four forms, named by a second byte
        unsigned const form = code.u8(at++);
        code.check(form >= 34 && form <= 37, "must not use operator 12 ", form, ", which is not drawn here");
        std::size_t const numbers = form == 34 ? 7 : form == 35 ? 13 : form == 36 ? 9 : 11;
        code.check(size >= numbers, "must give operator 12 ", form, " at least ", numbers, " numbers (got ", size, ")");
      }
      points += 2 + static_cast<int>(size);  // at least as many as are drawn
      size = 0;
    }
  }
  static float number(Bytes const& code, std::size_t at, unsigned b) {
    if (b == 28) return static_cast<float>(code.i16(at));
    if (b == 255) return static_cast<float>(static_cast<std::int32_t>(code.u32(at))) / 65536;
    if (b <= 246) return static_cast<float>(static_cast<int>(b) - 139);
    int const low = static_cast<int>(code.u8(at)), high = static_cast<int>(b);
    return static_cast<float>(b <= 250 ? (high - 247) * 256 + low + 108 : -(high - 251) * 256 - low - 108);
  }
  static constexpr int most_steps = 65'536;                // of a glyph
  static constexpr std::size_t most_steps_of_a_byte = 32;  // of all glyphs; fonts need 1 or 2
  enum : unsigned {
    hstem = 1,
    vstem = 3,
    vmoveto = 4,
    call = 10,
    back = 11,
    flex = 12,
    endchar = 14,
    hstemhm = 18,
    hintmask = 19,
    cntrmask = 20,
    rmoveto = 21,
    hmoveto = 22,
    vstemhm = 23,
    call_global = 29
  };
  /// What each operator needs on the stack; -1: it is none.
  static constexpr std::array<signed char, 32> least_numbers{-1, 0,  -1, 0, 1, 2, 1, 1, 6, -1, 1, 0, 0,  -1, 0, -1,
                                                             -1, -1, 0,  0, 0, 2, 1, 0, 8, 8,  4, 4, -1, 1,  4, 4};

  Bytes cff_;
  CffIndex<Bytes> global_, charstrings_;
  std::vector<CffIndex<Bytes>> local_;   // subroutines of each dictionary
  std::vector<unsigned char> local_of_;  // by glyph
  std::vector<int> points_;
  std::size_t steps_of_all_ = 0, most_steps_of_all_ = 0;
};

}  // namespace gt::fonts::detail
