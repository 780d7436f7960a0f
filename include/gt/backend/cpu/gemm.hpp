// SPDX-License-Identifier: MIT
// The packed matrix product: blocks for the caches, tiles for the registers, jobs for the threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "gt/backend/cpu/gemm_pack.hpp"
#include "gt/backend/cpu/gemm_tile.hpp"
#include "gt/backend/cpu/gemv.hpp"
#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/packed_weights.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/kernels.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt::inline GT_ABI::simd {

inline constexpr int scratch_packed_b = 0;  ///< scratch slots of the CPU backend
inline constexpr int scratch_packed_a = 1;  ///< the packed block of A, or all of it

namespace detail {

/// `n` in equal, even parts of about `wanted`; whole up to `most`.
constexpr std::int64_t part_of(std::int64_t n, std::int64_t most, std::int64_t wanted) {
  return n <= most ? std::max<std::int64_t>(n, 1) : ceil_div(ceil_div(n, ceil_div(n, wanted)), 2) * 2;
}
/// Terms of a sum that a tile takes at a time: mr rows of A and nr columns of B of that depth stay in L2 beside the
/// rest of a block, and the fewer the blocks, the less often a tile of C is read and written.
constexpr std::int64_t depth_of_tile(std::int64_t k) { return part_of(k, 640, 512); }
/// Terms of a sum for which B is packed at a time: what is packed is used before it leaves the last cache.
constexpr std::int64_t depth_of_pass(std::int64_t k) { return part_of(k, 1280, 1024); }

/// How a product is cut into jobs: by its shape alone, never by the number of threads. Rows are cut into blocks of up
/// to 8 panels, the last ones smaller, so that threads end together; few rows are cut by columns as well.
struct GemmJobs {
  std::int64_t large, each, small_each, row_jobs;  ///< `large` blocks of `each` panels of A, then of `small_each`
  std::int64_t columns_each, column_jobs;          ///< panels of B in a job

  GemmJobs(std::int64_t row_panels, std::int64_t column_panels) {
    if (row_panels >= 48) {
      large = (row_panels - 16) / 8, each = 8, small_each = 2;
      row_jobs = large + ceil_div(row_panels - large * each, small_each);
      columns_each = column_panels, column_jobs = 1;
    } else {
      large = 0, each = small_each = std::clamp<std::int64_t>(row_panels / 8, 1, 4);
      row_jobs = ceil_div(row_panels, each);
      std::int64_t const splits = std::clamp<std::int64_t>(32 / row_jobs, 1, ceil_div(column_panels, 4));
      columns_each = ceil_div(column_panels, splits), column_jobs = ceil_div(column_panels, columns_each);
    }
  }
  std::int64_t count() const { return row_jobs * column_jobs; }
  std::int64_t first_row(std::int64_t job) const {
    std::int64_t const r = job / column_jobs;
    return r < large ? r * each : large * each + (r - large) * small_each;
  }
  std::int64_t rows(std::int64_t job) const { return job / column_jobs < large ? each : small_each; }
};

/// One product on one thread or several. B lies packed.
template <Isa I, class T, class E>
class GemmRun {
 public:
  using Tile = GemmTile<I, T, E>;
  using PackA = Packing<I, Tile::mr, T, E, Tile::step>;
  static constexpr std::int64_t terms = PackA::terms;
  static constexpr std::int64_t mr = Tile::mr, nr = Tile::nr;

  ops::MatrixRef<T> a;
  PackedPanels<E> b;
  E const* packed_a;  // all of A; null: blocks are packed as they come
  ops::GemmOutput<T> c;
  ops::GemmShape s;
  ops::Epilogue const* epilogue;  // null: the sums are not whole yet
  std::int64_t column0;           // of the whole product, for the epilogue

  /// Elements of a block of `panels` panels of A.
  static constexpr std::int64_t block_size(std::int64_t panels, std::int64_t k) {
    return panels * PackA::pitch(depth_of_tile(k));
  }

  /// Rows [i0, i1) of C, panels [p0, p1) of B. `block` has room for (i1 - i0) rows of A.
  void operator()(std::int64_t i0, std::int64_t i1, std::int64_t p0, std::int64_t p1, E* block) const noexcept {
    std::int64_t const kc = depth_of_tile(s.k);
    std::int64_t k0 = 0;
    do {  // once, where there is nothing to sum
      std::int64_t const depth = std::min(kc, s.k - k0);
      std::int64_t const apart = PackA::pitch(packed_a ? s.k : depth), steps = PackA::steps(depth);
      if (!packed_a) PackA::pack_panels(a.from(i0, k0), i1 - i0, depth, block, apart);
      bool const first = k0 == 0, last = k0 + depth >= s.k;
      std::int64_t const share = nr / ceil_div(i1 - i0, mr);  // of the next panel of B, a step of a tile
      for (std::int64_t p = p0; p < p1; ++p) {
        E const* const columns = b.data + p * b.pitch + k0 / terms * nr;
        E const* ahead = p + 1 < p1 ? columns + b.pitch : columns;
        for (std::int64_t i = i0; i < i1; i += mr, ahead += share * steps) {
          E const* const rows =
              packed_a ? packed_a + i / mr * apart + k0 / terms * Tile::step : block + (i - i0) / mr * apart;
          Place const here{i, std::min(mr, i1 - i), p * nr}, next = next_to(here, i0, i1, p1);
          tile(here, next, rows, columns, steps, first, last, {ahead, share, nullptr, nullptr});
        }
      }
      k0 += depth;
    } while (k0 < s.k);
  }

 private:
  // A tile of C: its first row, its rows, its first column.
  struct Place {
    std::int64_t i, rows, j;
  };
  // The whole tile after this one; itself where there is none.
  Place next_to(Place here, std::int64_t i0, std::int64_t i1, std::int64_t p1) const noexcept {
    if (here.i + 2 * mr <= i1) return {here.i + mr, mr, here.j};
    if (here.j + 2 * nr <= std::min(s.n, p1 * nr) && i0 + mr <= i1) return {i0, mr, here.j + nr};
    return here;
  }
  void tile(Place here, Place next, E const* pa, E const* pb, std::int64_t steps, bool first, bool last,
            TileAhead<T, E> ahead) const noexcept {
    auto const [i, rows, j] = here;
    std::int64_t const columns = std::min(nr, s.n - j);
    T* const out = c.data + i * c.stride + j;
    bool const started = first && c.start();
    TileOutput<T> const to{out, c.stride,
                           started ? c.start() + i * c.start_stride() + j
                           : first ? nullptr
                                   : out,
                           first ? c.start_stride() : c.stride, first && c.bias ? c.bias + j : nullptr};
    if (columns == nr) {
      ahead.data = c.data + next.i * c.stride + next.j;
      ahead.start = started ? c.start() + next.i * c.start_stride() + next.j : out;
      Tile::kernel(rows)(steps, pa, pb, to, ahead);
    } else {
      edge(rows, columns, pa, pb, steps, to);
    }
    if (last && epilogue) (*epilogue)(i, column0 + j, rows, columns);
  }
  // The last columns go through a full tile in memory of its own.
  static void edge(std::int64_t rows, std::int64_t columns, E const* pa, E const* pb, std::int64_t steps,
                   TileOutput<T> to) noexcept {
    alignas(64) T square[mr * nr];
    std::fill_n(square, mr * nr, T(0));
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t x = 0; x < columns; ++x) {
        if (to.start) square[r * nr + x] = to.start[r * to.start_stride + x];
        if (to.bias) square[r * nr + x] += to.bias[x];
      }
    }
    Tile::narrow_kernel(ceil_div(columns, Tile::width))(steps, pa, pb, {square, nr, square, nr, nullptr},
                                                        {pb, 0, square, square});
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(square + r * nr, columns, to.data + r * to.stride);
  }
};

/// Below about a million multiply-adds, waking threads costs more than they save.
constexpr bool is_small(ops::GemmShape s) { return s.m * s.n * s.k < (std::int64_t{1} << (s.m == 1 ? 17 : 20)); }

/// A product of one row, with panels of B, or with B as it lies where there are none.
template <class E, Isa I, class T, class ForEach>
void gemm_of_row(Cpu<I> const& on, ops::MatrixRef<T> a, ops::MatrixRef<T> b, PackedPanels<E> panels,
                 ops::GemmOutput<T> c, ops::GemmShape s, ops::Epilogue const& epilogue,
                 ForEach const& for_each) noexcept {
  using Tile = GemmTile<I, T, E>;
  std::int64_t const steps = Packing<I, Tile::mr, T, E>::steps(s.k);
  E* const row = on.template scratch<E>(scratch_packed_a, steps);
  for (std::int64_t d = 0; d < steps; ++d) row[d] = Tile::P::make(a, 0, d, s.k);
  constexpr std::int64_t each = 2 * gemv_panels * Tile::nr;
  for_each(ceil_div(s.n, each), [&](std::int64_t job) {
    std::int64_t const j0 = job * each, j1 = std::min(s.n, j0 + each);
    if (panels.data) {
      gemv_packed<I, T, E>(steps, row, panels, c, j0, j1);
    } else if constexpr (std::is_same_v<E, T>) {
      gemv_unpacked<I, T>(s.k, row, b, c, j0, j1);
    }
    epilogue(0, j0, 1, j1 - j0);
  });
}

/// Few rows of A: B is used so few times that packing all of it first, and reading it again, would cost as much as the
/// product. Each job packs some panels of B, which stay in its cache until all rows have used them.
constexpr bool has_few_rows(ops::GemmShape s, std::int64_t row_panels) {
  return row_panels <= 16 && s.n * s.k >= (std::int64_t{1} << 20);
}
template <class E, Isa I, class T, class ForEach>
void gemm_of_few_rows(Cpu<I> const& on, ops::MatrixRef<T> a, ops::MatrixRef<T> b, ops::GemmOutput<T> c,
                      ops::GemmShape shape, ops::Epilogue const& epilogue, ForEach const& for_each) noexcept {
  using Run = GemmRun<I, T, E>;
  using PackB = Packing<I, Run::Tile::nr, T, E>;
  constexpr std::int64_t columns_each = 4 * Run::nr;
  std::int64_t const pass = depth_of_tile(shape.k);
  for (std::int64_t k0 = 0; k0 == 0 || k0 < shape.k; k0 += pass) {
    std::int64_t const depth = std::min(pass, shape.k - k0);
    E* const pa = on.template scratch<E>(scratch_packed_a, ceil_div(shape.m, Run::mr) * Run::PackA::pitch(depth));
    Run::PackA::pack(a.from(0, k0), shape.m, depth, pa, for_each);
    for_each(ceil_div(shape.n, columns_each), [&](std::int64_t job) {
      std::int64_t const j0 = job * columns_each;
      ops::GemmShape const s{shape.m, std::min(columns_each, shape.n - j0), depth};
      std::int64_t const panels = ceil_div(s.n, Run::nr), pitch = PackB::pitch(depth);
      E* const pb = on.template scratch<E>(scratch_packed_b, panels * pitch);
      PackB::pack_panels(b.from(k0, j0).transposed(), s.n, depth, pb, pitch);
      auto const out = k0 == 0 ? c.from(j0) : ops::GemmOutput<T>{c.data + j0, c.stride, true};
      bool const last = k0 + depth >= shape.k;
      Run{a, {pb, pitch}, pa, out, s, last ? &epilogue : nullptr, j0}(0, s.m, 0, panels, nullptr);
    });
  }
}

/// A product over panels of E.
template <class E, Isa I, class T>
void gemm_over(Cpu<I> const& on, ops::MatrixRef<T> a, ops::MatrixRef<T> b, ops::GemmOutput<T> c, ops::GemmShape shape,
               ops::Epilogue const& epilogue) noexcept {
  using Run = GemmRun<I, T, E>;
  using PackA = typename Run::PackA;
  using PackB = Packing<I, Run::Tile::nr, T, E>;
  constexpr std::int64_t mr = Run::mr, nr = Run::nr, terms = Run::terms;
  bool const threads = !is_small(shape);
  auto const for_each = [&](std::int64_t jobs, auto const& body) {
    if (threads) return on.parallel_for(jobs, body);
    for (std::int64_t job = 0; job < jobs; ++job) body(job);
  };
  std::int64_t const row_panels = ceil_div(shape.m, mr), all_panels = ceil_div(shape.n, nr);
  std::int64_t const pass = depth_of_pass(shape.k);
  PackedPanels<E> kept;
  if (on.packed_weights()) kept = on.packed_weights()->template find<E>(b, shape, for_each);
  if constexpr (std::is_same_v<E, T>) {
    if (shape.m == 1 && !kept.data && has_gemv_unpacked<I>(b))
      return gemm_of_row<E>(on, a, b, kept, c, shape, epilogue, for_each);
  }
  if (!kept.data && shape.m > 1 && has_few_rows(shape, row_panels))
    return gemm_of_few_rows<E>(on, a, b, c, shape, epilogue, for_each);
  // Where B is not kept, it is packed in blocks of at most 4M elements, so that scratch memory stays bounded.
  std::int64_t const block = kept.data ? all_panels : std::max<std::int64_t>(1, (std::int64_t{4} << 20) / (pass * nr));
  std::int64_t k0 = 0;
  do {  // once, where there is nothing to sum
    std::int64_t const depth = std::min(pass, shape.k - k0);
    bool const last = k0 + depth >= shape.k;
    for (std::int64_t first = 0; first < all_panels; first += block) {
      std::int64_t const panels = std::min(block, all_panels - first), j0 = first * nr;
      ops::GemmShape const s{shape.m, std::min(shape.n - j0, panels * nr), depth};
      PackedPanels<E> pb = kept;
      if (kept.data) {
        pb.data += k0 / terms * nr;
      } else {
        pb.pitch = PackB::pitch(depth);
        E* const packed = on.template scratch<E>(scratch_packed_b, panels * pb.pitch);
        PackB::pack(b.from(k0, j0).transposed(), s.n, depth, packed, for_each);
        pb.data = packed;
      }
      auto const out = k0 == 0 ? c.from(j0) : ops::GemmOutput<T>{c.data + j0, c.stride, true};
      GemmJobs const jobs(row_panels, panels);
      E* pa = nullptr;
      if (shape.m == 1) {
        auto const done = [&](std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns) {
          if (last) epilogue(i, j0 + j, rows, columns);
        };
        gemm_of_row<E>(on, a.from(0, k0), b, pb, out, s, done, for_each);
        continue;
      }
      // Jobs share the rows of A, or would each read a part of its short lines: it is packed at once.
      if (jobs.column_jobs > 1 || (a.row_stride == 1 && row_panels <= 16)) {
        pa = on.template scratch<E>(scratch_packed_a, row_panels * PackA::pitch(depth));
        PackA::pack(a.from(0, k0), s.m, depth, pa, for_each);
      }
      Run const run{a.from(0, k0), pb, pa, out, s, last ? &epilogue : nullptr, j0};
      for_each(jobs.count(), [&](std::int64_t job) {
        std::int64_t const i0 = jobs.first_row(job) * mr, p0 = job % jobs.column_jobs * jobs.columns_each;
        E* const rows = pa ? nullptr : on.template scratch<E>(scratch_packed_a, Run::block_size(jobs.each, depth));
        run(i0, std::min(s.m, i0 + jobs.rows(job) * mr), p0, std::min(panels, p0 + jobs.columns_each), rows);
      });
    }
    k0 += depth;
  } while (k0 < shape.k);
}

}  // namespace detail

}  // namespace gt::simd

namespace gt::inline GT_ABI {

/// See `ops::kernel_report`.
template <>
inline constexpr bool ops::has_kernel<cpu_tag, ops::Op::gemm> = true;

/// C [m, n] = addend + bias + A B on all threads of `on`, with products in its precision. An element's value depends on
/// its row of A and its column of B alone: not on the other rows, the shape, or the number of threads.
/// `epilogue(i, j, rows, columns)` is called on every tile of C when it is done, on the thread that has it in its
/// cache.
template <Isa I, class T>
void gemm(Cpu<I> const& on, ops::MatrixRef<T> a, In<ops::MatrixRef<T>> b, In<ops::GemmOutput<T>> c,
          ops::GemmShape shape, ops::Epilogue const& epilogue = {}) noexcept {
  if (shape.m <= 0 || shape.n <= 0) return;
  if constexpr (has_bf16_products<I> && std::is_same_v<T, float>) {
    if (on.products() == Products::bf16) return simd::detail::gemm_over<simd::Bf16Pair>(on, a, b, c, shape, epilogue);
  }
  simd::detail::gemm_over<T>(on, a, b, c, shape, epilogue);
}

/// The same product on the calling thread, in full precision; it may be called from inside a job.
template <Isa I, class T>
void gemm_serial(Cpu<I> const& on, ops::MatrixRef<T> a, In<ops::MatrixRef<T>> b, In<ops::GemmOutput<T>> c,
                 ops::GemmShape s) noexcept {
  using Run = simd::detail::GemmRun<I, T, T>;
  using PackB = simd::detail::Packing<I, Run::Tile::nr, T, T>;
  constexpr std::int64_t rows_each = 8 * Run::mr;
  if (s.m <= 0 || s.n <= 0) return;
  std::int64_t const panels = simd::detail::ceil_div(s.n, Run::nr), pitch = PackB::pitch(s.k);
  T* const pb = on.template scratch<T>(simd::scratch_packed_b, panels * pitch);
  PackB::pack(b.transposed(), s.n, s.k, pb, [](std::int64_t jobs, auto const& body) {
    for (std::int64_t job = 0; job < jobs; ++job) body(job);
  });
  Run const run{a, {pb, pitch}, nullptr, c, s, nullptr, 0};
  T* const block = on.template scratch<T>(simd::scratch_packed_a, Run::block_size(8, s.k));
  for (std::int64_t i0 = 0; i0 < s.m; i0 += rows_each) run(i0, std::min(s.m, i0 + rows_each), 0, panels, block);
}

}  // namespace gt
