// SPDX-License-Identifier: MIT
// Shared, 64-byte aligned storage of one element type: the owner behind every View.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::size_t alignment = 64;  ///< bytes: one cache line, one AVX-512 register

/// A handle on `size` elements. Copying shares (blocks, heads and substrate tables are held once by many models);
/// `clone` copies. Elements start at zero. Memory that somebody else owns, such as a mapped file, is adopted with
/// `wrap`.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>, "a Buffer holds plain numbers");

 public:
  Buffer() = default;
  /// `size` zeros, aligned to `alignment` bytes.
  explicit Buffer(std::int64_t size) : size_{size} {
    if (size == 0) return;
    auto const bytes = static_cast<std::size_t>(size) * sizeof(T);
    auto* const raw = static_cast<T*>(::operator new (bytes, std::align_val_t{alignment}));
    std::fill_n(raw, size, T{});
    data_ = std::shared_ptr<T>(raw, [](T* p) { ::operator delete (p, std::align_val_t{alignment}); });
  }
  /// Adopts memory kept alive by `owner`. Nobody may write through the result if the memory is read-only.
  static Buffer wrap(std::shared_ptr<T> owner, std::int64_t size) {
    Buffer wrapped;
    wrapped.data_ = std::move(owner);
    wrapped.size_ = size;
    return wrapped;
  }

  T* data() const noexcept { return data_.get(); }                         ///< null if empty
  std::int64_t size() const noexcept { return size_; }                     ///< elements
  bool empty() const noexcept { return size_ == 0; }                       ///< whether there are none
  T& operator[](std::int64_t i) const noexcept { return data_.get()[i]; }  ///< not checked
  std::span<T> span() const noexcept { return {data_.get(), static_cast<std::size_t>(size_)}; }  ///< all elements
  T* begin() const noexcept { return data(); }                                                   ///< the first
  T* end() const noexcept { return data() + size_; }                                             ///< behind the last
  /// Whether both are handles on the same memory.
  bool shares_with(Buffer const& other) const noexcept { return data_ == other.data_; }
  /// Whether another handle keeps the same memory, or nobody does: then it is a constant of the program.
  bool is_shared() const noexcept {
    if (empty()) return false;
    // A count that is read orders nothing. Giving up a handle does: what others read before they gave up theirs comes
    // before what is written behind this call.
    auto const probe = data_;
    return probe.use_count() != 2;
  }
  /// Memory of its own from now on: a copy where it is shared. Returns whether it was.
  bool unshare() {
    bool const shared = is_shared();
    if (shared) *this = clone();
    return shared;
  }

  /// A copy of the elements in memory of its own.
  Buffer clone() const {
    Buffer copy(size_);
    std::copy_n(data(), size_, copy.data());
    return copy;
  }

 private:
  std::shared_ptr<T> data_;
  std::int64_t size_ = 0;
};

}  // namespace gt
