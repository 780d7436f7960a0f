// SPDX-License-Identifier: MIT
// One allocation for all activations of a step: measured once, then cut up by bumping a pointer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"

namespace gt::inline GT_ABI {

/// Bump allocator over one 64-byte aligned buffer. A default-constructed arena measures: it hands out null pointers
/// and counts, so that the code that lays out a step is run once to learn the size (`peak`) and again to get memory.
/// Asking for more than there is throws `gt::Error`; memory is never returned to the system before the arena dies.
class Arena {
 public:
  Arena() = default;
  /// An arena of this size; it gives out memory.
  explicit Arena(std::int64_t bytes) : storage_(bytes), capacity_{bytes}, measuring_{false} {}

  /// `count` elements of T at an aligned address; null while measuring. Contents are unspecified.
  template <class T>
  T* take(std::int64_t count) {
    std::int64_t const begin = used_;
    auto const line = static_cast<std::int64_t>(alignment);
    used_ += (count * static_cast<std::int64_t>(sizeof(T)) + line - 1) / line * line;
    peak_ = std::max(peak_, used_);
    if (measuring()) return nullptr;
    check(used_ <= capacity_, "Arena", "needs ", used_, " bytes, but was sized for ", capacity_);
    return reinterpret_cast<T*>(storage_.data() + begin);
  }

  bool measuring() const { return measuring_; }        ///< whether it only counts
  std::int64_t capacity() const { return capacity_; }  ///< bytes; 0 while measuring
  std::int64_t used() const { return used_; }          ///< bytes taken and not released
  std::int64_t peak() const { return peak_; }          ///< bytes, the most that was ever in use
  std::int64_t mark() const { return used_; }          ///< a place to `release` to
  void release(std::int64_t mark) { used_ = mark; }    ///< gives back all that was taken since `mark`
  void reset() { used_ = 0; }                          ///< gives back everything; the peak stays

 private:
  Buffer<std::byte> storage_;
  std::int64_t capacity_ = 0;
  std::int64_t used_ = 0;
  std::int64_t peak_ = 0;
  bool measuring_ = true;
};

/// Measures what `layout(arena)` takes, in bytes.
template <class Layout>
std::int64_t measure(Layout const& layout) {
  Arena arena;
  layout(arena);
  return arena.peak();
}

}  // namespace gt
