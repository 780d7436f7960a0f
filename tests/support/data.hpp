// SPDX-License-Identifier: MIT
// Numbers to test on, the sizes that matter, and matrices in awkward memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/view.hpp"
#include "support/close.hpp"

namespace gt::test {

/// n normal numbers, each a float exactly, so that every element type starts from the same ones.
inline Numbers normal(std::int64_t n, std::uint32_t stream) {
  Random const random(seed(11), Purpose::test, stream);
  Numbers x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(static_cast<float>(random.normal(i)));
  return x;
}
/// n ids below `vocab`.
inline std::vector<std::int32_t> ids_below(std::int64_t vocab, std::int64_t n, std::uint32_t stream) {
  Random const random(seed(12), Purpose::test, stream);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocab), i));
  return ids;
}
inline Vector<std::int32_t const> view_of(std::vector<std::int32_t> const& ids) {
  return Vector<std::int32_t const>(ids.data(), static_cast<std::int64_t>(ids.size()));
}

/// 1, W - 1, W, W + 1, 2 W + 3: where a kernel over registers of W elements may go wrong.
inline std::vector<std::int64_t> sizes_around(std::int64_t width) {
  std::vector<std::int64_t> sizes{1, width - 1, width, width + 1, 2 * width + 3};
  std::erase_if(sizes, [](std::int64_t n) { return n < 1; });
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

/// Where a matrix lies: `shift` elements behind an aligned address, its rows `gap` elements further apart than long.
struct Layout {
  std::int64_t shift = 0, gap = 0;
};
inline constexpr Layout tight{}, loose{.shift = 1, .gap = 3};
inline constexpr Layout layouts[] = {tight, loose};

/// A matrix in memory of its own; a vector is one of one row. Before, between and behind the rows stands NaN, so that
/// a read from there spoils the result and a write to there shows (`intact`); behind the last lies the end of the
/// allocation.
template <class T>
class Grid {
 public:
  Grid(std::int64_t rows, std::int64_t columns, Layout layout = tight, double value = 0)
      : Grid(Numbers(static_cast<std::size_t>(rows * columns), value), rows, columns, layout) {}
  template <class U>
  Grid(std::vector<U> const& values, std::int64_t rows, std::int64_t columns, Layout layout = tight)
      : rows_{rows},
        columns_{columns},
        shift_{layout.shift},
        stride_{columns + layout.gap},
        memory_(layout.shift + rows * stride_) {
    std::fill(memory_.begin(), memory_.end(), T(nan));
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) (*this)(i, j) = T(values[static_cast<std::size_t>(i * columns + j)]);
    }
  }

  Matrix<T> view() const { return Matrix<T>::with_stride(memory_.data() + shift_, rows_, columns_, stride_); }
  Vector<T> vector() const { return Vector<T>(memory_.data() + shift_, columns_); }
  T* data() const { return memory_.data() + shift_; }
  T& operator()(std::int64_t i, std::int64_t j) const { return view()(i, j); }
  T& operator[](std::int64_t j) const { return vector()[j]; }
  /// Row by row, without what lies between.
  std::vector<T> elements() const {
    std::vector<T> all;
    for (std::int64_t i = 0; i < rows_; ++i) all.insert(all.end(), view().row(i), view().row(i) + columns_);
    return all;
  }
  Numbers values() const {
    auto const all = elements();
    return Numbers(all.begin(), all.end());
  }
  /// Nobody has written around the rows.
  bool intact() const {
    for (std::int64_t at = 0; at < memory_.size(); ++at) {
      bool const inside = at >= shift_ && (at - shift_) % stride_ < columns_;
      if (!inside && !std::isnan(memory_[at])) return false;
    }
    return true;
  }

 private:
  using real = decltype(std::abs(T{}));
  static constexpr real nan = std::numeric_limits<real>::quiet_NaN();
  std::int64_t rows_, columns_, shift_, stride_;
  Buffer<T> memory_;
};

}  // namespace gt::test
