// SPDX-License-Identifier: MIT
// Several fonts in a row: each character is drawn by the first that has it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/fonts/outline_font.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/fonts/unifont.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI::fonts {

/// Font files, the first choice first: one path or several, `"unifont.hex"` or `{"DejaVuSans.ttf", "wqy.ttc:1"}`.
struct FontFiles {
  /// One file.
  FontFiles(char const* path) : paths{path} {}  // NOLINT(google-explicit-constructor)
  /// One file.
  FontFiles(std::string path) : paths{std::move(path)} {}  // NOLINT(google-explicit-constructor)
  /// Several, in this order.
  FontFiles(std::vector<std::string> all) : paths{std::move(all)} {}  // NOLINT(google-explicit-constructor)
  /// Several, in this order.
  FontFiles(std::initializer_list<std::string> all) : paths{all} {}
  std::vector<std::string> paths;  ///< a face of a collection as `path:N`
};

/// A chain of fonts. A character is drawn by the first font that has it; one that none has becomes its `hex_box`.
///
///     auto const fonts = gt::fonts::FontChain::read({"DejaVuSans.ttf", "wqy-microhei.ttc:1", "unifont.hex"});
///     bool const drawn = fonts.has(U'語');
///
/// Files are told apart by what is in them: text is GNU Unifont's .hex format, all else must be a TrueType or OpenType
/// font. `:N` after the path of a collection picks its face N, from 0 on. Copies share the fonts of outlines.
class FontChain {
 public:
  using Font = std::variant<HexFont, OutlineFont>;  ///< a link of the chain

  /// The first choice first. Errors: no font.
  explicit FontChain(std::vector<Font> fonts);
  /// Errors: those of HexFont and OutlineFont, and no path at all.
  template <class Outlines = OutlineFont>
  static FontChain read(FontFiles const& files) {
    std::vector<Font> fonts;
    for (auto const& path : files.paths) fonts.push_back(read_font<Outlines>(path));
    return FontChain(std::move(fonts));
  }

  std::int64_t size() const noexcept { return static_cast<std::int64_t>(fonts_.size()); }  ///< fonts
  bool has(char32_t code_point) const { return font_of(code_point) >= 0; }  ///< whether one of them has it
  /// The place in the chain, from 0 on, of the font that draws a character; -1: a box does.
  int font_of(char32_t code_point) const;

  /// The glyph in the first font that has one, or the `hex_box`, on a cell: see GlyphSource.
  Cell cell(char32_t code_point, int side) const;
  /// The `byte_box` of a byte that is no UTF-8, on a cell.
  Cell undecoded(unsigned char byte, int side) const { return HexFont::place(byte_box(byte), side); }

 private:
  static bool has(Font const& font, char32_t code_point);
  template <class Outlines>
  static Font read_font(std::string const& given) {
    auto const [path, face] = without_face(given);
    if (!can_be_read(path)) return HexFont::read(path);  // which says why not, and where to get a font
    std::string const bytes = read_text_file(path, detail::most_font_bytes);
    if (!is_text(bytes))
      return Outlines::parse({reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()}, path,
                             {.face = std::max(face, 0)});
    check(face < 0, "FontChain", "'", path, "' must be a collection to have a face ", face, " (got text)");
    return HexFont::parse(bytes, path);
  }
  /// "fonts.ttc:1" is face 1 of fonts.ttc, unless there is a file of that whole name; -1: no face is given.
  static std::pair<std::string, int> without_face(std::string const& given);
  static bool can_be_read(std::string const& path) { return ::access(path.c_str(), R_OK) == 0; }
  /// No outline font begins with text only, unless the text is its kind.
  static bool is_text(std::string_view bytes);

  std::vector<Font> fonts_;
};
static_assert(GlyphSource<FontChain>);

}  // namespace gt::fonts

#if !defined(GT_PREBUILT)
  #include "gt/fonts/font_chain_impl.hpp"
#endif
