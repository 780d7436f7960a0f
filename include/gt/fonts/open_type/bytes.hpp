// SPDX-License-Identifier: MIT
// Bytes of a font file that are only ever read inside their bounds, and that can say where they come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI::fonts::detail {

/// A stretch of a font file, big-endian. A read past its end throws an Error that names the file and the part.
class FontBytes {
 public:
  /// `file` is the name for error messages, `part` what these bytes are ("table cmap"). Both must outlive this object.
  FontBytes(std::span<unsigned char const> bytes, std::string_view file, std::string_view part)
      : bytes_{bytes}, file_{file}, part_{part} {}

  std::size_t size() const noexcept { return bytes_.size(); }
  std::span<unsigned char const> all() const noexcept { return bytes_; }

  unsigned u8(std::size_t at) const { return need(at, 1)[0]; }
  unsigned u16(std::size_t at) const {
    auto const* const p = need(at, 2);
    return unsigned{p[0]} << 8 | p[1];
  }
  int i16(std::size_t at) const { return static_cast<std::int16_t>(u16(at)); }
  std::uint32_t u32(std::size_t at) const { return std::uint32_t{u16(at)} << 16 | u16(at + 2); }
  /// A big-endian number of 1 to 4 bytes.
  std::uint32_t number(std::size_t at, std::size_t bytes) const {
    auto const* const p = need(at, bytes);
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | p[i];
    return value;
  }
  FontBytes sub(std::size_t at, std::size_t size) const {
    need(at, size);
    return {bytes_.subspan(at, size), file_, part_};
  }
  FontBytes named(std::string_view part) const { return {bytes_, file_, part}; }

  template <class... Parts>
  void check(bool holds, Parts const&... what) const {
    if (!holds) fail(what...);
  }
  template <class... Parts>
  [[noreturn]] void fail(Parts const&... what) const {
    gt::fail("OutlineFont", "'", file_, "': ", part_, " ", what..., "; the file is broken");
  }

 private:
  unsigned char const* need(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at)
      gt::fail("OutlineFont", "'", file_, "': ", part_, " must hold ", size, " bytes at ", at, " (got ", bytes_.size(),
               " bytes in all); the file is broken or cut off");
    return bytes_.data() + at;
  }

  std::span<unsigned char const> bytes_;
  std::string_view file_, part_;
};

}  // namespace gt::fonts::detail
