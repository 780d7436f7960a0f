// SPDX-License-Identifier: MIT
// What a model stands on: one fixed row of numbers for every token, with a name that two models can compare.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <string>

#include "gt/core/buffer.hpp"

namespace gt::inline GT_ABI {

/// A frozen embedding of V tokens: `table()` holds V rows of `width()` numbers, [V, n], and `fingerprint()` names them.
/// The model widens a row from n to C = d_model by repeating each number C / n times in a row (`lifted`).
template <class S>
concept Substrate = requires(S const& substrate) {
  { substrate.vocab() } -> std::same_as<std::int64_t>;              // V
  { substrate.width() } -> std::same_as<int>;                       // n
  { substrate.table() } -> std::same_as<Buffer<float> const&>;      // [V, n], row-major, shared
  { substrate.fingerprint() } -> std::convertible_to<std::string>;  // equal for equal definitions
  { substrate.method() } -> std::convertible_to<std::string>;       // "glyph", "binary", ...
};

/// The table of any substrate, without the way that led to it: what a model keeps and an expert carries. Copies share.
class FrozenTable {
 public:
  /// rows [V, n]. Errors: no token or column, another number of rows, a number that is not finite, no fingerprint.
  FrozenTable(std::string method, std::int64_t vocab, int width, Buffer<float> rows, std::string fingerprint);

  std::int64_t vocab() const noexcept { return vocab_; }                    ///< V
  int width() const noexcept { return width_; }                             ///< n
  Buffer<float> const& table() const noexcept { return rows_; }             ///< [V, n]
  std::string const& fingerprint() const noexcept { return fingerprint_; }  ///< equal for equal definitions
  std::string const& method() const noexcept { return method_; }            ///< "glyph", "binary", ...
  /// Row of token `id`, [n].
  float const* row(std::int64_t id) const noexcept { return rows_.data() + id * width_; }

 private:
  std::string method_;
  std::int64_t vocab_;
  int width_;
  Buffer<float> rows_;
  std::string fingerprint_;
};
static_assert(Substrate<FrozenTable>);

namespace substrate {
/// Throws unless rows of `width` numbers can be widened to `d_model`.
void check_lift(int width, int d_model);

/// The table as the model sees it, [V, C]:  y[i, j] = table[i, floor(j * n / C)], each number repeated C / n times.
/// Equal to torch.repeat_interleave(table, C / n, dim=1). Its rank is at most n.
template <Substrate S>
Buffer<float> lifted(S const& substrate, int d_model) {
  check_lift(substrate.width(), d_model);
  int const times = d_model / substrate.width();
  Buffer<float> wide(substrate.vocab() * d_model);
  float* y = wide.data();
  for (float const x : substrate.table()) y = std::fill_n(y, times, x);
  return wide;
}
}  // namespace substrate

namespace detail {

/// Scales each row of `rows` [V, n] to length 1, sums in double. Rows no longer than `shortest` become exactly zero:
/// they have no direction.
void normalise_rows(Buffer<float> const& rows, int n, double shortest = 0);

}  // namespace detail
}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/substrate/frozen_table_impl.hpp"
#endif
