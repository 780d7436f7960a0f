// SPDX-License-Identifier: MIT
// Weights that do not change, packed for the matrix product once instead of at every use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/backend/cpu/gemm_pack.hpp"
#include "gt/backend/cpu/gemm_tile.hpp"
#include "gt/backend/cpu/isa.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt::inline GT_ABI::simd {

/// Keeps the packed form of every operand B of a product that lies in memory declared constant. It packs an operand
/// when it is first used, and holds as many numbers again. For one thread's calls.
template <Isa I>
class PackedWeights {
 public:
  /// These will not change from now on.
  explicit PackedWeights(std::vector<ConstantMemory> constants) : constants_{std::move(constants)} {}

  /// The panels of B [k, n], packed now in jobs of `for_each` if they were not before; none where B may change.
  template <class E, class T, class ForEach>
  PackedPanels<E> find(ops::MatrixRef<T> b, ops::GemmShape s, ForEach const& for_each) noexcept {
    if constexpr (std::is_same_v<T, float>) {
      using Pack = detail::Packing<I, GemmTile<I, float, E>::nr, float, E>;
      for (auto const& e : entries_) {
        if (e.b.data == b.data && e.b.row_stride == b.row_stride && e.b.column_stride == b.column_stride &&
            e.n == s.n && e.k == s.k && e.terms == Pack::terms) {
          return {reinterpret_cast<E const*>(e.panels.data()), Pack::pitch(s.k)};
        }
      }
      if (!is_constant(b.data)) return {};
      std::int64_t const panels = detail::ceil_div(s.n, GemmTile<I, float, E>::nr);
      Buffer<std::byte> const memory(panels * Pack::pitch(s.k) * static_cast<std::int64_t>(sizeof(E)));
      auto* const data = reinterpret_cast<E*>(memory.data());
      Pack::pack(b.transposed(), s.n, s.k, data, for_each);
      entries_.push_back({b, s.n, s.k, Pack::terms, memory});
      return {data, Pack::pitch(s.k)};
    } else {
      return {};
    }
  }

  /// Bytes held.
  std::int64_t bytes() const {
    std::int64_t sum = 0;
    for (auto const& e : entries_) sum += e.panels.size();
    return sum;
  }

 private:
  struct Entry {
    ops::MatrixRef<float> b;
    std::int64_t n, k, terms;
    Buffer<std::byte> panels;
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

}  // namespace gt::simd
