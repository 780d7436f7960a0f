// SPDX-License-Identifier: MIT
// Weights that do not change, packed for the matrix product once instead of at every use.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
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
/// when it is first used, and holds as many numbers again. For any number of threads: nobody waits, as who asks for an
/// operand that another thread is packing is told to read it as it lies, which gives the same bits.
template <Isa I>
class PackedWeights {
 public:
  /// These will not change from now on.
  explicit PackedWeights(std::vector<ConstantMemory> constants) : constants_{std::move(constants)} {}
  PackedWeights(PackedWeights const&) = delete;
  PackedWeights& operator=(PackedWeights const&) = delete;
  ~PackedWeights() {
    each([](Entry const* e) { delete e; });
  }

  /// The panels of B [k, n], packed now in jobs of `for_each` if they were not before; none where B may change, or is
  /// being packed by another thread.
  template <class E, class T, class ForEach>
  PackedPanels<E> find(ops::MatrixRef<T> b, ops::GemmShape s, ForEach const& for_each) noexcept {
    if constexpr (std::is_same_v<T, float>) {
      using Pack = detail::Packing<I, GemmTile<I, float, E>::nr, float, E>;
      Key const key{b, s.n, s.k, Pack::terms};
      auto& list = lists_[list_of(b.data)];
      Entry* first = list.load(std::memory_order_acquire);
      if (Entry const* const e = find_in(first, key)) return panels_of<E>(*e, Pack::pitch(s.k));
      if (!is_constant(b.data)) return {};
      auto made = std::make_unique<Entry>(key, first);
      while (!list.compare_exchange_weak(first, made.get(), std::memory_order_release, std::memory_order_acquire)) {
        if (Entry const* const e = find_in(first, key)) return panels_of<E>(*e, Pack::pitch(s.k));
        made->next = first;
      }
      Entry& mine = *made.release();  // all may see it now, and it is this thread's to fill
      std::int64_t const panels = detail::ceil_div(s.n, GemmTile<I, float, E>::nr);
      mine.panels = Buffer<std::byte>(panels * Pack::pitch(s.k) * static_cast<std::int64_t>(sizeof(E)));
      Pack::pack(b.transposed(), s.n, s.k, reinterpret_cast<E*>(mine.panels.data()), for_each);
      mine.packed.store(true, std::memory_order_release);
      return panels_of<E>(mine, Pack::pitch(s.k));
    } else {
      return {};
    }
  }

  /// Bytes held, of what is packed.
  std::int64_t bytes() const {
    std::int64_t sum = 0;
    each([&](Entry const* e) {
      if (e->packed.load(std::memory_order_acquire)) sum += e->panels.size();
    });
    return sum;
  }

 private:
  struct Key {
    ops::MatrixRef<float> b;
    std::int64_t n, k, terms;
    bool operator==(Key const& o) const {
      return b.data == o.b.data && b.row_stride == o.b.row_stride && b.column_stride == o.b.column_stride && n == o.n &&
             k == o.k && terms == o.terms;
    }
  };
  struct Entry {
    Key key;
    Entry* next;
    Buffer<std::byte> panels{};  // of the thread that made the entry, until they are packed
    std::atomic<bool> packed{false};
    Entry(Key const& k, Entry* n) : key{k}, next{n} {}
  };
  static std::size_t list_of(void const* p) noexcept {
    return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(p) * std::uint64_t{0x9E3779B97F4A7C15}) >> 58);
  }
  static Entry const* find_in(Entry const* e, Key const& key) noexcept {
    while (e && !(e->key == key)) e = e->next;
    return e;
  }
  template <class E>
  static PackedPanels<E> panels_of(Entry const& e, std::int64_t pitch) noexcept {
    if (!e.packed.load(std::memory_order_acquire)) return {};
    return {reinterpret_cast<E const*>(e.panels.data()), pitch};
  }
  template <class F>
  void each(F const& f) const {
    for (auto const& list : lists_) {
      for (Entry const *e = list.load(std::memory_order_acquire), *next = nullptr; e; e = next) next = e->next, f(e);
    }
  }
  bool is_constant(void const* p) const noexcept {
    for (auto const& c : constants_) {
      if (c.holds(p)) return true;
    }
    return false;
  }
  std::vector<ConstantMemory> constants_;
  std::array<std::atomic<Entry*>, 64> lists_{};  // by where B lies; they only grow, at their beginnings
};

}  // namespace gt::simd
