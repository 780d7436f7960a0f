// SPDX-License-Identifier: MIT
// XXH3-64: a checksum as quick as memory, which finds damaged files. Against forgery use Sha256.
#pragma once

#define XXH_INLINE_ALL  // header-only: no library to link
#if defined(__SSE2__) && !defined(XXH_VECTOR)
  #define XXH_VECTOR XXH_SSE2  // the same code whatever -march says: translation units may differ in it
#endif
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::io {

/// XXH3-64 of bytes that arrive in pieces; how they are cut does not matter.
/// Source: xxHash specification, "XXH3 algorithm overview", seed 0.
class Xxh3 {
 public:
  Xxh3() { XXH3_64bits_reset(&state_); }
  /// Appends bytes.
  Xxh3& update(std::span<std::byte const> bytes) {
    if (!bytes.empty()) XXH3_64bits_update(&state_, bytes.data(), bytes.size());
    return *this;
  }
  /// Appends the bytes of a text.
  Xxh3& update(std::string_view text) { return update(std::as_bytes(std::span{text.data(), text.size()})); }

  /// The checksum of all bytes so far. More may follow.
  std::uint64_t value() const { return XXH3_64bits_digest(&state_); }
  /// The same as 16 lower-case hexadecimal digits.
  std::string hex() const {
    auto const sum = value();
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[sum >> shift & 15u];
    return digits;
  }

 private:
  XXH3_state_t state_;
};

}  // namespace gt::io
