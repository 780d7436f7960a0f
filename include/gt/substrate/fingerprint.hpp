// SPDX-License-Identifier: MIT
// The name of a substrate: a SHA-256 of what defines it, which is never the float rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/bit_cast.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/sha256.hpp"

namespace gt::inline GT_ABI {

namespace substrate {
/// Raised when the same definition starts to give other rows, so that old and new models do not mix unnoticed.
inline constexpr int substrate_version = 1;
}  // namespace substrate

/// Collects the definition of a substrate and hashes it:
///
///     "gt substrate", version, method, V, n, then what the method adds: token strings, packed rasters, a seed, ...
///
/// Numbers are 8 bytes, the lowest first; strings are preceded by their length, so that ("ab", "c") and ("a", "bc")
/// differ. Float rows stay out: compilers differ in their last bits, and two models on such tables do match.
class Fingerprint {
 public:
  /// Begins the definition with method, V and n.
  Fingerprint(std::string_view method, std::int64_t vocab, int width) {
    text("gt substrate").number(substrate::substrate_version).text(method).number(vocab).number(width);
  }
  /// Appends 8 bytes, the lowest first.
  Fingerprint& number(std::int64_t value) {
    auto const bits = static_cast<std::uint64_t>(value);
    std::array<unsigned char, 8> low_first{};
    for (std::size_t i = 0; i < 8; ++i) low_first[i] = static_cast<unsigned char>(bits >> (8 * i));
    return bytes(low_first);
  }
  /// Appends the length and the bytes.
  Fingerprint& text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    hash_.update(value);
    return *this;
  }
  /// Appends how many there are, and each string by id.
  Fingerprint& tokens(std::vector<std::string> const& tokens) {
    number(static_cast<std::int64_t>(tokens.size()));
    for (auto const& token : tokens) text(token);
    return *this;
  }
  /// Appends the bytes alone: their number must follow from what stands before.
  Fingerprint& bytes(std::span<unsigned char const> bytes) {
    hash_.update(std::as_bytes(bytes));
    return *this;
  }
  /// Appends numbers by their bits, 4 bytes each, the lowest first: for rows that have no other definition.
  Fingerprint& rows(std::span<float const> numbers) {
    for (float const x : numbers) {
      auto const bits = detail::bit_cast<std::uint32_t>(x);
      std::array<unsigned char, 4> const low_first{
          static_cast<unsigned char>(bits), static_cast<unsigned char>(bits >> 8),
          static_cast<unsigned char>(bits >> 16), static_cast<unsigned char>(bits >> 24)};
      bytes(low_first);
    }
    return *this;
  }
  /// Of all that was added so far, 64 hexadecimal digits.
  std::string hex() const { return hash_.hex(); }

 private:
  Sha256 hash_;
};

}  // namespace gt
