// SPDX-License-Identifier: MIT
// The container of a font: a directory of named tables, alone in its file or one face of a collection.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/fonts/open_type/bytes.hpp"

namespace gt::inline GT_ABI::fonts::detail {

/// Whether `bytes` begin as a font does, or as one packed for the web, which is refused.
inline bool begins_as_font(std::string_view bytes) {
  constexpr std::array<std::string_view, 6> kinds{{{"\0\1\0\0", 4}, "OTTO", "ttcf", "true", "wOFF", "wOF2"}};
  return std::any_of(kinds.begin(), kinds.end(), [&](auto kind) { return bytes.starts_with(kind); });
}

/// The tables of one face. Source: OpenType specification 1.9, "Organization of an OpenType font".
template <class Bytes>
class FontContainer {
 public:
  FontContainer(Bytes const& file, std::string_view name, int face) : file_{file} {
    check(file.size() < (std::size_t{1} << 30), where, "'", name, "' must be smaller than 1 GiB (got ", file.size(),
          " bytes)");
    std::string_view const kind = begin();
    check(!kind.starts_with("wOF"), where, "'", name,
          "' must be a font as it is installed (got one packed for the web); unpack it to .ttf or .otf");
    check(begins_as_font(kind), where, "'", name,
          "' must be a TrueType or OpenType font, .ttf, .otf or .ttc (got another kind of file)");
    bool const collection = kind == "ttcf";
    if (collection) file.sub(12, 4 * std::size_t{file.u32(8)});
    faces_ = collection ? static_cast<int>(file.u32(8)) : 1;
    check(face >= 0 && face < faces_, where, "'", name, "' must have a face ", face, " (got ", faces_,
          faces_ == 1 ? " face" : " faces", ", counted from 0)");
    std::size_t const at = collection ? file.u32(12 + 4 * static_cast<std::size_t>(face)) : 0;
    for (std::size_t i = 0; i < file.u16(at + 4); ++i) records_.push_back(file.sub(at + 12 + 16 * i, 16));
  }
  int faces() const noexcept { return faces_; }

  bool has(std::string_view tag) const { return find(tag) != nullptr; }
  /// `name` is "table " and four letters.
  Bytes table(std::string_view name) const {
    Bytes const* const record = find(name.substr(6));
    file_.check(record != nullptr, "must have a ", name, " (got none)");
    return file_.named(name).sub(record->u32(8), record->u32(12));
  }

 private:
  static constexpr auto where = "OutlineFont";
  std::string_view begin() const {
    return {reinterpret_cast<char const*>(file_.all().data()), std::min<std::size_t>(4, file_.size())};
  }
  Bytes const* find(std::string_view tag) const {  // the first, where there are two
    auto const named_so = [&](Bytes const& r) { return std::equal(tag.begin(), tag.end(), r.all().begin()); };
    auto const at = std::find_if(records_.begin(), records_.end(), named_so);
    return at == records_.end() ? nullptr : &*at;
  }

  Bytes file_;
  std::vector<Bytes> records_;
  int faces_ = 1;
};

/// A table to be written.
struct NewTable {
  std::string_view tag;
  std::vector<unsigned char> bytes;
  /// Puts a big-endian number of two or four bytes at `at`.
  void put(std::size_t at, std::uint32_t value, int size) {
    for (int i = size; i-- > 0; value >>= 8)
      bytes[at + static_cast<std::size_t>(i)] = static_cast<unsigned char>(value);
  }
};
/// A font file of these tables, each at a multiple of four.
inline std::vector<unsigned char> build_font(std::vector<NewTable> const& tables) {
  NewTable font{.tag = {}, .bytes = std::vector<unsigned char>(12 + 16 * tables.size())};
  font.put(0, 0x00010000, 4);
  font.put(4, static_cast<std::uint32_t>(tables.size()), 2);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto const& [tag, bytes] = tables[i];
    std::copy(tag.begin(), tag.end(), font.bytes.begin() + static_cast<std::ptrdiff_t>(12 + 16 * i));
    font.put(20 + 16 * i, static_cast<std::uint32_t>(font.bytes.size()), 4);
    font.put(24 + 16 * i, static_cast<std::uint32_t>(bytes.size()), 4);
    font.bytes.insert(font.bytes.end(), bytes.begin(), bytes.end());
    font.bytes.resize((font.bytes.size() + 3) / 4 * 4);
  }
  return std::move(font.bytes);
}

}  // namespace gt::fonts::detail
