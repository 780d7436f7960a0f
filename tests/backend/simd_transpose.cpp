// SPDX-License-Identifier: MIT
// Blocks transposed in registers: every number of rows, any strides, nothing read or written beside them.
#include "gt/backend/cpu/simd_transpose.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

#include "gt/cpu.hpp"
#include "support/data.hpp"
#include "support/isas.hpp"

namespace simd_transpose_test {

using gt::test::Grid, gt::test::normal;

namespace {

/// The source has no more rows than are read, and lies at the end of its memory.
template <gt::Isa I, class T>
void transposes() {
  constexpr std::int64_t block = gt::simd::transpose_block<I, T>;
  static_assert(block == (gt::simd::has_avx512(I) && sizeof(T) == 4 ? 16 : 4));
  for (std::int64_t rows = -1; rows <= block; ++rows) {
    std::int64_t const there = std::max<std::int64_t>(0, rows);
    for (std::int64_t const gap : {0, 1, 5, 48}) {
      INFO("rows ", rows, ", gap ", gap);
      Grid<T> const from(normal(there * block, 1), there, block, {.shift = gap == 0 ? 0 : 1, .gap = gap});
      Grid<T> const to(block, block, {.shift = gap == 0 ? 0 : 3, .gap = gap}, 7);
      gt::simd::transpose<I>(from.data(), from.view().stride(), rows, to.data(), to.view().stride());
      std::int64_t wrong = 0;
      for (std::int64_t c = 0; c < block; ++c) {
        for (std::int64_t r = 0; r < block; ++r) wrong += to(c, r) != (r < there ? from(r, c) : T(0));
      }
      CHECK(wrong == 0);
      CHECK(to.intact());
    }
  }
}

/// Rows of the result may overlap: what the next one writes over the end of the last one stands.
template <gt::Isa I, class T>
void overlaps() {
  constexpr std::int64_t block = gt::simd::transpose_block<I, T>;
  Grid<T> const from(normal(block * block, 1), block, block);
  for (std::int64_t apart = 1; apart < block; ++apart) {
    for (std::int64_t const rows : {block, apart}) {
      INFO("apart ", apart, ", rows ", rows);
      Grid<T> const to(1, (block - 1) * apart + block, gt::test::loose, 7);
      gt::simd::transpose<I>(from.data(), block, rows, to.data(), apart);
      std::int64_t wrong = 0;
      for (std::int64_t c = 0; c < block; ++c) {
        std::int64_t const stands = c + 1 < block ? apart : block;
        for (std::int64_t r = 0; r < stands; ++r) wrong += to[c * apart + r] != (r < rows ? from(r, c) : T(0));
      }
      CHECK(wrong == 0);
      CHECK(to.intact());
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("simd_transpose_block: every number of rows, any strides", B, transpose_blocks) {
  transposes<B::isa, float>();
  transposes<B::isa, double>();
  overlaps<B::isa, float>();
  overlaps<B::isa, double>();
}
TEST_CASE_TEMPLATE_APPLY(transpose_blocks, gt::test::AllCpus);

}  // namespace simd_transpose_test
