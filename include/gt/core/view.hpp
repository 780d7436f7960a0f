// SPDX-License-Identifier: MIT
// A view of numbers that somebody else owns: a pointer, extents that are static or run-time, and a row stride.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::int64_t dyn = -1;  ///< an extent that is known at run time

/// Row-major view of `sizeof...(Extents)` dimensions; an extent of `dyn` is a run-time value. The last dimension is
/// contiguous; rows of a matrix may be `stride` elements apart, so that columns can be viewed (`columns`).
/// Copying a view copies no numbers; a `View<T const>` only reads. Nothing is checked beyond debug assertions.
template <class T, std::int64_t... Extents>
class View {
 public:
  static constexpr int rank = sizeof...(Extents);  ///< dimensions, 1 to 4
  static_assert(rank >= 1 && rank <= 4);
  using value_type = std::remove_const_t<T>;  ///< of an element, without const

  constexpr View() = default;
  /// View of `data` with all extents given, static ones too.
  template <std::convertible_to<std::int64_t>... Sizes>
  requires(sizeof...(Sizes) == rank) constexpr explicit View(T* data, Sizes... sizes)
      : data_{data}, extents_{static_cast<std::int64_t>(sizes)...} {
    stride_ = 1;
    for (int d = 1; d < rank; ++d) stride_ *= extents_[static_cast<std::size_t>(d)];
    GT_ASSERT((((Extents == dyn) || (Extents == static_cast<std::int64_t>(sizes))) && ...));
  }
  /// A view of the same numbers with less static knowledge, or read-only.
  template <class U, std::int64_t... From>
  requires(sizeof...(From) == rank && std::convertible_to<U (*)[], T (*)[]> &&
           ((Extents == dyn || From == dyn || Extents == From) && ...)) constexpr View(View<U, From...> const& other)
      : data_{other.data()}, stride_{other.stride()} {
    for (int d = 0; d < rank; ++d) extents_[static_cast<std::size_t>(d)] = other.extent(d);
  }

  constexpr T* data() const { return data_; }  ///< the first element
  /// Elements along dimension d.
  constexpr std::int64_t extent(int d) const { return extents_[static_cast<std::size_t>(d)]; }
  constexpr std::int64_t rows() const { return extents_[0]; }                         ///< the first extent
  constexpr std::int64_t columns() const requires(rank == 2) { return extents_[1]; }  ///< the second extent
  constexpr std::int64_t stride() const { return stride_; }  ///< elements from one row to the next
  /// Elements.
  constexpr std::int64_t size() const {
    std::int64_t n = 1;
    for (auto e : extents_) n *= e;
    return n;
  }
  /// Whether it views nothing: an optional argument that was left out.
  constexpr bool is_null() const { return data_ == nullptr; }
  constexpr explicit operator bool() const { return data_ != nullptr; }  ///< whether it views something

  constexpr T* row(std::int64_t i) const { return data_ + i * stride_; }  ///< where row i begins
  /// Element i of a vector.
  constexpr T& operator[](std::int64_t i) const requires(rank == 1) { return data_[i]; }
  /// Element (i, j) of a matrix.
  constexpr T& operator()(std::int64_t i, std::int64_t j) const requires(rank == 2) { return data_[i * stride_ + j]; }
  /// Columns [from, from + count) of a matrix.
  constexpr View<T, dyn, dyn> columns(std::int64_t from, std::int64_t count) const requires(rank == 2) {
    return View<T, dyn, dyn>::with_stride(data_ + from, extents_[0], count, stride_);
  }
  /// Rows [from, from + count) of a matrix.
  constexpr View<T, dyn, dyn> rows(std::int64_t from, std::int64_t count) const requires(rank == 2) {
    return View<T, dyn, dyn>::with_stride(row(from), count, extents_[1], stride_);
  }
  /// A matrix whose rows are `stride` elements apart.
  static constexpr View with_stride(T* data, std::int64_t rows, std::int64_t columns,
                                    std::int64_t stride) requires(rank == 2) {
    View v(data, rows, columns);
    v.stride_ = stride;
    return v;
  }

 private:
  T* data_ = nullptr;
  std::array<std::int64_t, rank> extents_{};
  std::int64_t stride_ = 1;
};

template <class T>
using Vector = View<T, dyn>;  ///< [N]
template <class T>
using Matrix = View<T, dyn, dyn>;  ///< [M, N], rows `stride()` apart

/// Whether two matrices have the same rows and columns.
template <class A, class B>
constexpr bool same_shape(A const& a, B const& b) {
  return a.rows() == b.rows() && a.columns() == b.columns();
}

/// A parameter whose type is deduced from another one, so that views with more static knowledge convert to it.
template <class T>
using In = std::type_identity_t<T>;

}  // namespace gt
