// SPDX-License-Identifier: MIT
// The packed matrix product: blocks for the caches, tiles for the registers, jobs for the threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "gt/backend/cpu/gemm_kernel.hpp"
#include "gt/core/matrix_ref.hpp"

namespace gt::detail {

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// B packed whole: for each block of kc rows, for each panel of nr columns, [depth][nr].
template <class Tile>
struct PackedB {
  std::int64_t panels;  // of nr columns
  std::int64_t k;

  std::int64_t size() const { return panels * Tile::nr * k; }
  std::int64_t offset(std::int64_t k0, std::int64_t depth, std::int64_t panel) const {
    return panels * Tile::nr * k0 + panel * Tile::nr * depth;
  }
};

/// Rows [i0, i1) of C, panels [p0, p1) of packed B, over all of k. `pa` holds one block of A: (i1 - i0) x kc.
template <class Tile, class T>
void gemm_block(MatrixRef<T> a, T const* pb, PackedB<Tile> layout, GemmOutput<T> c, GemmShape s, std::int64_t i0,
                std::int64_t i1, std::int64_t p0, std::int64_t p1, T* pa) noexcept {
  constexpr std::int64_t mr = Tile::mr, nr = Tile::nr;
  if (s.k == 0 && !c.accumulate) {
    for (std::int64_t i = i0; i < i1; ++i) {
      for (std::int64_t j = p0 * nr; j < std::min(s.n, p1 * nr); ++j)
        c.data[i * c.stride + j] = c.bias ? c.bias[j] : T(0);
    }
  }
  for (std::int64_t k0 = 0; k0 < s.k; k0 += Tile::kc) {
    std::int64_t const depth = std::min(Tile::kc, s.k - k0);
    Tile::pack_a(a, i0, i1, k0, depth, pa);
    bool const from_c = c.accumulate || k0 > 0;
    for (std::int64_t p = p0; p < p1; ++p) {
      T const* b = pb + layout.offset(k0, depth, p);
      std::int64_t const j = p * nr, columns = std::min(nr, s.n - j);
      for (std::int64_t i = i0; i < i1; i += mr) {
        std::int64_t const rows = std::min(mr, i1 - i);
        auto const kernel = Tile::kernel(rows);
        T* const out = c.data + i * c.stride + j;
        T const* const panel = pa + (i - i0) * depth;
        if (columns == nr) {
          kernel(depth, panel, b, out, c.stride, from_c, c.bias ? c.bias + j : nullptr);
          continue;
        }
        alignas(64) T tile[mr * nr];  // the last columns go through a full tile
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t x = 0; x < nr; ++x) {
            tile[r * nr + x] = x >= columns ? T(0) : from_c ? out[r * c.stride + x] : c.bias ? c.bias[j + x] : T(0);
          }
        }
        kernel(depth, panel, b, tile, nr, true, nullptr);
        for (std::int64_t r = 0; r < rows; ++r) std::copy_n(tile + r * nr, columns, out + r * c.stride);
      }
    }
  }
}

/// How a product is cut into jobs: by its shape alone, never by the number of threads.
struct GemmJobs {
  std::int64_t rows_each, row_jobs;      // rows of C in a job
  std::int64_t panels_each, panel_jobs;  // panels of B in a job
};
template <class Tile>
GemmJobs gemm_jobs(GemmShape s, std::int64_t panels) {
  constexpr std::int64_t wanted = 32;  // enough for an even share on a few threads
  std::int64_t const row_panels = ceil_div(s.m, Tile::mr);
  std::int64_t const each = std::clamp<std::int64_t>(row_panels / wanted, 1, 8);
  std::int64_t const row_jobs = ceil_div(row_panels, each);
  std::int64_t const splits = std::clamp<std::int64_t>(wanted / row_jobs, 1, ceil_div(panels, 4));
  std::int64_t const panels_each = ceil_div(panels, splits);
  return {each * Tile::mr, row_jobs, panels_each, ceil_div(panels, panels_each)};
}

}  // namespace gt::detail

namespace gt {

inline constexpr int scratch_packed_b = 0;  ///< scratch slots of the CPU backend
inline constexpr int scratch_packed_a = 1;  ///< the packed block of A

/// C [m, n] = A B, A B + bias, or C + A B on all threads of `on`. An element's value depends on its row of A and its
/// column of B alone: not on the other rows, the shape, or the number of threads.
template <Isa I, class T>
void gemm(Cpu<I> const& on, MatrixRef<T> a, In<MatrixRef<T>> b, In<GemmOutput<T>> c, GemmShape shape) noexcept {
  using Tile = GemmTile<I, T>;
  if (shape.m <= 0 || shape.n <= 0) return;
  // B is packed in column blocks of at most 4M elements, so that scratch memory stays bounded.
  std::int64_t const block_panels =
      std::max<std::int64_t>(1, (std::int64_t{4} << 20) / std::max<std::int64_t>(1, shape.k * Tile::nr));
  std::int64_t const all_panels = detail::ceil_div(shape.n, Tile::nr);
  for (std::int64_t first = 0; first < all_panels; first += block_panels) {
    std::int64_t const panels = std::min(block_panels, all_panels - first);
    std::int64_t const j0 = first * Tile::nr;
    GemmShape const s{shape.m, std::min(shape.n - j0, panels * Tile::nr), shape.k};
    MatrixRef<T> const bb(b.data + j0 * b.column_stride, b.row_stride, b.column_stride);
    GemmOutput<T> const cc{c.data + j0, c.stride, c.accumulate, c.bias ? c.bias + j0 : nullptr};
    detail::PackedB<Tile> const layout{panels, s.k};
    T* const pb = on.template scratch<T>(scratch_packed_b, layout.size());
    std::int64_t const depth_blocks = detail::ceil_div(s.k, Tile::kc);
    auto const pack = [&](std::int64_t job) {
      std::int64_t const k0 = job / panels * Tile::kc, p = job % panels, depth = std::min(Tile::kc, s.k - k0);
      Tile::pack_b(bb, k0, depth, p * Tile::nr, std::min<std::int64_t>(Tile::nr, s.n - p * Tile::nr),
                   pb + layout.offset(k0, depth, p));
    };
    auto const jobs = detail::gemm_jobs<Tile>(s, panels);
    auto const multiply = [&](std::int64_t job) {
      std::int64_t const i0 = job / jobs.panel_jobs * jobs.rows_each, p0 = job % jobs.panel_jobs * jobs.panels_each;
      T* const pa = on.template scratch<T>(scratch_packed_a, (jobs.rows_each + Tile::mr) * Tile::kc);
      detail::gemm_block<Tile, T>(a, pb, layout, cc, s, i0, std::min(s.m, i0 + jobs.rows_each), p0,
                                  std::min(panels, p0 + jobs.panels_each), pa);
    };
    // Below about a million multiply-adds, waking threads costs more than they save.
    bool const small = s.m * s.n * s.k < (std::int64_t{1} << 20);
    if (small) {
      for (std::int64_t job = 0; job < depth_blocks * panels; ++job) pack(job);
      for (std::int64_t job = 0; job < jobs.row_jobs * jobs.panel_jobs; ++job) multiply(job);
    } else {
      on.parallel_for(depth_blocks * panels, pack);
      on.parallel_for(jobs.row_jobs * jobs.panel_jobs, multiply);
    }
  }
}

/// The same product on the calling thread; it may be called from inside a job.
template <Isa I, class T>
void gemm_serial(Cpu<I> const& on, MatrixRef<T> a, In<MatrixRef<T>> b, In<GemmOutput<T>> c, GemmShape s) noexcept {
  using Tile = GemmTile<I, T>;
  if (s.m <= 0 || s.n <= 0) return;
  std::int64_t const panels = detail::ceil_div(s.n, Tile::nr);
  detail::PackedB<Tile> const layout{panels, s.k};
  T* const pb = on.template scratch<T>(scratch_packed_b, layout.size());
  for (std::int64_t k0 = 0; k0 < s.k; k0 += Tile::kc) {
    std::int64_t const depth = std::min(Tile::kc, s.k - k0);
    for (std::int64_t p = 0; p < panels; ++p) {
      Tile::pack_b(b, k0, depth, p * Tile::nr, std::min<std::int64_t>(Tile::nr, s.n - p * Tile::nr),
                   pb + layout.offset(k0, depth, p));
    }
  }
  constexpr std::int64_t rows_each = 8 * Tile::mr;
  T* const pa = on.template scratch<T>(scratch_packed_a, rows_each * Tile::kc);
  for (std::int64_t i0 = 0; i0 < s.m; i0 += rows_each) {
    detail::gemm_block<Tile, T>(a, pb, layout, c, s, i0, std::min(s.m, i0 + rows_each), 0, panels, pa);
  }
}

}  // namespace gt
