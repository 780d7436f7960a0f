// SPDX-License-Identifier: MIT
// A packed matrix of bits: the rasters of a vocabulary, one row a token, or one raster, one row a line of pixels.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI::fonts {

/// `rows` x `columns` bits. A row starts at a byte, its first bit is the top bit of its first byte, and what is left of
/// its last byte is zero: `bytes(i)` is the same on every machine and may be hashed or written to a file.
class BitMatrix {
 public:
  BitMatrix() = default;
  /// All zero. Errors: a negative number of rows, less than one column.
  BitMatrix(std::int64_t rows, int columns) : rows_{rows}, columns_{columns}, words_per_row_{(columns + 63) / 64} {
    check(rows >= 0 && columns >= 1, "BitMatrix", "needs rows >= 0 and columns >= 1 (got ", rows, " x ", columns, ")");
    words_.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(words_per_row_));
  }

  std::int64_t rows() const noexcept { return rows_; }  ///< tokens, or lines of pixels
  int columns() const noexcept { return columns_; }     ///< bits of a row

  /// Whether the bit is set.
  bool operator()(std::int64_t row, int column) const noexcept {
    return (first_byte(row)[column / 8] >> (7 - column % 8) & 1) != 0;
  }
  /// Sets the bit.
  void set(std::int64_t row, int column) noexcept {
    auto* const byte = first_byte(row) + column / 8;
    *byte = static_cast<unsigned char>(*byte | 0x80u >> (column % 8));
  }
  /// Row `i`, packed, [ceil(columns / 8)].
  std::span<unsigned char const> bytes(std::int64_t row) const noexcept {
    return {first_byte(row), static_cast<std::size_t>((columns_ + 7) / 8)};
  }
  /// The same, to write; the bits behind the last column must stay zero.
  std::span<unsigned char> bytes(std::int64_t row) noexcept {
    return {first_byte(row), static_cast<std::size_t>((columns_ + 7) / 8)};
  }
  /// The same bytes as text, as a key of a map.
  std::string_view key(std::int64_t row) const noexcept {
    return {reinterpret_cast<char const*>(first_byte(row)), static_cast<std::size_t>((columns_ + 7) / 8)};
  }
  bool operator==(BitMatrix const&) const = default;

  /// Rows and columns exchanged.
  BitMatrix transposed() const {
    check(rows_ <= 0x7FFFFFFF, "BitMatrix", "a transpose needs fewer than 2^31 rows (got ", rows_, ")");
    BitMatrix turned(columns_, std::max(1, static_cast<int>(rows_)));
    for (std::int64_t i = 0; i < rows_; ++i)
      for (int j = 0; j < columns_; ++j)
        if ((*this)(i, j)) turned.set(j, static_cast<int>(i));
    return turned;
  }
  /// How many bits rows `i` and `j` have in common: their dot product.
  std::int64_t common(std::int64_t i, std::int64_t j) const noexcept {
    std::uint64_t const *a = words_.data() + i * words_per_row_, *b = words_.data() + j * words_per_row_;
    std::int64_t n = 0;
    for (int w = 0; w < words_per_row_; ++w) n += std::popcount(a[w] & b[w]);
    return n;
  }

 private:
  unsigned char const* first_byte(std::int64_t row) const noexcept {
    return reinterpret_cast<unsigned char const*>(words_.data() + row * words_per_row_);
  }
  unsigned char* first_byte(std::int64_t row) noexcept {
    return reinterpret_cast<unsigned char*>(words_.data() + row * words_per_row_);
  }

  std::int64_t rows_ = 0;
  int columns_ = 0;
  int words_per_row_ = 0;
  std::vector<std::uint64_t> words_;  // filled through bytes, so that nothing depends on the byte order
};

}  // namespace gt::fonts
