// SPDX-License-Identifier: MIT
// Reads a bitmap font in the `.hex` format of GNU Unifont, and draws its glyphs on cells.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/fonts/raster.hpp"

namespace gt::inline GT_ABI::fonts {

namespace detail {
inline constexpr std::int64_t most_font_bytes = std::int64_t{1} << 29;  // collections of all Han take 150 MB
}  // namespace detail

/// A glyph of 16 lines; bit 15 of a line is its leftmost pixel.
struct HexGlyph {
  int width = 16;                         ///< advance, 8 or 16 pixels
  std::array<std::uint16_t, 16> lines{};  ///< from the top
  bool operator==(HexGlyph const&) const = default;
};

/// A picture of digits for what the font lacks: a frame of 16 x 16 with the hexadecimal digits of `value` in it, each 3
/// x 5, in two lines of two (up to FFFF) or of three. So two missing characters never look the same.
HexGlyph hex_box(std::uint32_t value);
/// The same for a byte that is no UTF-8: two digits in one line.
HexGlyph byte_box(unsigned char byte);

/// A font of 8 x 16 and 16 x 16 bitmaps.
///
///     auto const font = gt::fonts::HexFont::read("/usr/share/unifont/unifont.hex");
///     bool const has_a = font.glyph(U'a') != nullptr;
///
/// Format: a line a glyph, `CODE:BITMAP`; CODE 4 to 6 hexadecimal digits, BITMAP 32 digits (8 x 16) or 64 (16 x 16),
/// the top line first, leftmost pixel in the top bit. Blank lines are skipped. Source: unifont(5), the manual page of
/// GNU Unifont.
class HexFont {
 public:
  static constexpr int baseline = 14;  ///< letters stand on the lower edge of line 13

  /// Errors: a file that cannot be read, or that `parse` refuses.
  static HexFont read(std::string const& path) { return parse(contents(path), path); }
  /// Reads the text of a font; `name` is for error messages.
  static HexFont parse(std::string_view text, std::string_view name = "font");

  std::int64_t size() const noexcept { return static_cast<std::int64_t>(glyphs_.size()); }  ///< glyphs
  /// The glyph of a code point; null where the font has none.
  HexGlyph const* glyph(char32_t code_point) const;
  /// The glyph, or its `hex_box`, on a cell: see GlyphSource.
  Cell cell(char32_t code_point, int side) const;
  /// The `byte_box` of a byte that is no UTF-8, on a cell.
  Cell undecoded(unsigned char byte, int side) const { return place(byte_box(byte), side); }

  /// Centres a glyph, scaled by S / 16, on a cell. The box of height h spans its ink and the baseline.
  static Cell place(HexGlyph const& glyph, int side);

 private:
  static std::string contents(std::string const& path);
  void add(std::string_view row, std::string_view name, int line);
  static std::uint32_t digit(char c, std::string_view name, int line);

  std::vector<HexGlyph> glyphs_;
  std::unordered_map<char32_t, std::size_t> index_;
};
static_assert(GlyphSource<HexFont>);

namespace detail {

/// Frames 2, 4 or 6 digits: `columns` a line, in one line or two.
HexGlyph framed_digits(std::uint32_t value, int columns, int lines);

}  // namespace detail

inline HexGlyph hex_box(std::uint32_t value) { return detail::framed_digits(value, value <= 0xFFFF ? 2 : 3, 2); }
inline HexGlyph byte_box(unsigned char byte) { return detail::framed_digits(byte, 2, 1); }

}  // namespace gt::fonts

#if !defined(GT_PREBUILT)
  #include "gt/fonts/unifont_impl.hpp"
#endif
