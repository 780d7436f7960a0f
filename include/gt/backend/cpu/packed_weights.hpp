// SPDX-License-Identifier: MIT
// Weights that do not change, packed for the matrix product once instead of at every use.
#pragma once

#include <cstdint>
#include <vector>

#include "gt/backend/cpu/gemm_pack.hpp"
#include "gt/backend/cpu/gemm_tile.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt {

/// An operand of a product, panel by panel, [k][nr] each.
template <class T>
struct PackedPanels {
  T const* data = nullptr;  ///< the first panel; null where there is none
  std::int64_t pitch = 0;   ///< elements from one panel to the next
};

/// Keeps the packed form of every operand B of a product that lies in memory declared constant. It packs an operand
/// when it is first used, and holds as many numbers again. For one thread's calls.
template <Isa I>
class PackedWeights {
 public:
  /// These will not change from now on.
  explicit PackedWeights(std::vector<ConstantMemory> constants) : constants_{std::move(constants)} {}

  /// The panels of B [k, n], packed now in jobs of `for_each` if they were not before; none where B may change.
  template <class T, class ForEach>
  PackedPanels<T> find(MatrixRef<T>, GemmShape, ForEach const&) noexcept {
    return {};  // of fp32 alone
  }
  /// The same of fp32.
  template <class ForEach>
  PackedPanels<float> find(MatrixRef<float> b, GemmShape s, ForEach const& for_each) noexcept {
    using Tile = GemmTile<I, float>;
    std::int64_t const pitch = detail::panel_pitch<float>(Tile::nr, s.k);
    for (auto const& e : entries_) {
      if (e.b.data == b.data && e.b.row_stride == b.row_stride && e.b.column_stride == b.column_stride && e.n == s.n &&
          e.k == s.k) {
        return {e.panels.data(), pitch};
      }
    }
    if (!is_constant(b.data)) return {};
    Buffer<float> const panels((s.n + Tile::nr - 1) / Tile::nr * pitch);
    detail::pack_operand<I, Tile::nr>(b.transposed(), s.n, s.k, panels.data(), for_each);
    entries_.push_back({b, s.n, s.k, panels});
    return {panels.data(), pitch};
  }

  /// Bytes held.
  std::int64_t bytes() const {
    std::int64_t sum = 0;
    for (auto const& e : entries_) sum += e.panels.size() * static_cast<std::int64_t>(sizeof(float));
    return sum;
  }

 private:
  struct Entry {
    MatrixRef<float> b;
    std::int64_t n, k;
    Buffer<float> panels;
  };
  bool is_constant(void const* p) const noexcept {
    for (auto const& c : constants_) {
      if (c.holds(p)) return true;
    }
    return false;
  }
  std::vector<ConstantMemory> constants_;
  std::vector<Entry> entries_;
};

}  // namespace gt
