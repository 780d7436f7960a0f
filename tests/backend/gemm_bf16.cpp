// SPDX-License-Identifier: MIT
// Products in bf16: against the sums of rounded operands in double, within what their roundings add; and the same bits
// whatever the shape around an element, the number of threads, and whether weights are kept packed.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "backend/support.hpp"
#include "gt/backend/cpu/gemm.hpp"
#include "gt/cpu.hpp"
#include "support/close.hpp"
#include "support/data.hpp"
#include "support/isas.hpp"

namespace gemm_bf16_test {

using gt::Cpu, gt::ops::GemmOutput, gt::ops::GemmShape, gt::ops::MatrixRef, gt::Products;
using gt::test::Grid, gt::test::is_corner, gt::test::loose, gt::test::modes, gt::test::Product;

namespace {

constexpr bool here = gt::has_bf16_products<gt::native_isa>;
using Tile = gt::simd::GemmTile<gt::native_isa, float>;  // that of bf16 has the same size

/// The native CPU with products in bf16.
Cpu<> bf16(int threads) { return Cpu<>(threads).with(Products::bf16); }
Product<float> product(std::int64_t m, std::int64_t n, std::int64_t k) { return {m, n, k, Products::bf16}; }

}  // namespace

TEST_CASE("bf16 products: whether they were tested") {
  if (here) {
    CHECK(gt::native_isa == gt::Isa::avx512_bf16);
    CHECK(bf16(1).products() == Products::bf16);
  } else {
    MESSAGE("this build has no products in bf16 (", std::string(Cpu<>::name()), "): their tests are skipped");
  }
}

TEST_CASE_TEMPLATE_DEFINE("bf16 products: an instruction set without them says so", B, bf16_refused) {
  if (gt::has_bf16_products<B::isa>) return;
  std::string const built = here ? "" : ", built without it";
  auto const sentence =
      std::string("gt: Cpu: products in bf16 need AVX512-BF16 (this is ") + B::name() + built + "); use fp32";
  CHECK_THROWS_WITH_AS(B(1).with(Products::bf16), sentence.c_str(), gt::Error);
  CHECK(B(1).with(Products::fp32).products() == Products::fp32);
}
TEST_CASE_TEMPLATE_APPLY(bf16_refused, gt::test::AllCpus);

TEST_CASE("bf16 products: chosen for a copy, and for products of floats on all threads alone" * doctest::skip(!here)) {
  auto const p = product(20, 70, 64);
  auto const mode = gt::test::with_bias;
  Cpu<> const in_fp32(1);
  auto const in_bf16 = in_fp32.with(Products::bf16);
  CHECK(in_fp32.products() == Products::fp32);
  auto const rounded = p.run(in_bf16, mode), full = p.run(in_fp32, mode);
  CHECK(!gt::test::bit_equal(rounded.elements(), full.elements()));
  CHECK(!p.agrees(full, mode));  // the test could tell one from the other
  CHECK(is_corner(p.run(in_bf16.with(Products::fp32), mode), full.view()));
  auto const serial = p.output(0, p.m, p.n, mode);
  gemm_serial(in_bf16, p.a_from(0, false), p.b_from(false), p.into(serial, mode), GemmShape{p.m, p.n, p.k});
  CHECK(is_corner(serial, full.view()));
  Product<double> const exact(20, 70, 64);
  CHECK(is_corner(exact.run(in_bf16, mode), exact.run(in_fp32, mode).view()));
}

TEST_CASE("bf16 products: every size of tile, transpose and kind of output" * doctest::skip(!here)) {
  auto const on = bf16(1);
  // Pairs, blocks of 16 pairs that are transposed at once, with whole and half pairs behind them; several passes.
  for (std::int64_t const k : {0, 1, 2, 3, 31, 32, 33, 34, 65, 66, 67, 513, 1281, 1283, 2600}) {
    auto const p = product(2 * Tile::mr + 1, 2 * Tile::nr + 3, k);
    std::vector<Grid<float>> whole;
    for (auto const mode : modes) {
      INFO("k ", k, ", mode ", mode);
      whole.push_back(p.run(on, mode));
      CHECK(p.agrees_in_bf16(whole.back(), mode));
      CHECK(p.agrees(whole.back(), mode));  // far closer than that, as roundings cancel: like fp32
      CHECK(whole.back().intact());
      for (int const turned : {1, 2, 3})
        CHECK(is_corner(p.run(on, mode, (turned & 1) != 0, (turned & 2) != 0), whole.back().view()));
    }
    if (k > 67) continue;
    for (std::int64_t m = 1; m <= p.m; ++m) {
      for (std::int64_t n = 1; n <= p.n; ++n) {
        auto const mode = modes[static_cast<std::size_t>(m + n) % std::size(modes)];
        auto const c = p.output(0, m, n, mode);
        gemm(on, p.a_from(0, m % 2 == 0), p.b_from(n % 2 == 0), p.into(c, mode), GemmShape{m, n, k});
        INFO("m ", m, ", n ", n, ", k ", k, ", mode ", mode);
        CHECK(is_corner(c, whole[static_cast<std::size_t>(mode)].view()));
        CHECK(c.intact());
      }
    }
  }
}

TEST_CASE("bf16 products: the same bits on 1, 2 and 4 threads, with and without kept weights" * doctest::skip(!here)) {
  for (GemmShape const s : {GemmShape{200, 100, 257},
                            {3, 300, 1001},
                            {100, 70, 1301},
                            {2, 6600, 1281},
                            {1, 300, 4001},
                            {1, 33, 71},
                            {1000, 40, 65},
                            {5, 6, 7}}) {
    auto const p = product(s.m, s.n, s.k);
    for (auto const mode : {gt::test::with_bias, gt::test::accumulate, gt::test::with_addend_and_bias}) {
      INFO("m ", s.m, ", n ", s.n, ", k ", s.k, ", mode ", mode);
      auto const one = p.run(bf16(1), mode);
      CHECK(p.agrees_in_bf16(one, mode));
      CHECK(one.intact());
      for (int const threads : {2, 4}) {
        auto const kept = bf16(threads).keeping({p.b_memory(true)});
        CHECK(is_corner(p.run(bf16(threads), mode, true), one.view()));
        for (int const run : {1, 2}) {
          CAPTURE(run);
          CHECK(is_corner(p.run(kept, mode, false, true), one.view()));
        }
        CHECK(kept.packed_weights()->bytes() > 0);
      }
    }
  }
}

TEST_CASE("bf16 products: a row is the same alone, among a few, and in the middle of many" * doctest::skip(!here)) {
  for (std::int64_t const k : {300, 1301}) {
    auto const p = product(17, 6 * Tile::nr + 5, k);
    for (auto const mode : modes) {
      auto const whole = p.run(bf16(2), mode);
      for (std::int64_t row = 0; row < p.m; ++row) {
        for (std::int64_t const rows : {std::int64_t{1}, std::min<std::int64_t>(3, p.m - row)}) {
          INFO("row ", row, ", rows ", rows, ", k ", k, ", mode ", mode);
          CHECK(is_corner(p.run_rows(bf16(2), mode, row, rows, true), whole.view().rows(row, rows)));
        }
      }
    }
  }
}

TEST_CASE("bf16 products: subnormal numbers count as zero, wherever they lie" * doctest::skip(!here)) {
  // The greatest of them, which nearest rounding would make normal, one in the middle, and the least normal number.
  float const normal = std::numeric_limits<float>::min(), greatest = std::nextafter(normal, 0.0F);
  for (float const x : {greatest, -greatest, normal / 2, normal}) {
    std::int64_t const m = Tile::mr + 3, n = 5 * Tile::nr + 3;
    for (std::int64_t const k : {1, 71}) {
      Grid<float> const small(m, k, loose, x), large(k, n, loose, 0x1p100), c(m, n, loose), turned(n, m, loose);
      double const sum = std::abs(x) < normal ? 0 : static_cast<double>(k) * x * 0x1p100;
      gemm(bf16(1), MatrixRef<float>(small.view()), MatrixRef<float>(large.view()),
           GemmOutput<float>{c.data(), c.view().stride()}, GemmShape{m, n, k});
      gemm(bf16(1), MatrixRef<float>(large.view()).transposed(), MatrixRef<float>(small.view()).transposed(),
           GemmOutput<float>{turned.data(), turned.view().stride()}, GemmShape{n, m, k});
      CAPTURE(x);
      CAPTURE(k);
      CHECK(c.values() == gt::test::Numbers(static_cast<std::size_t>(m * n), sum));
      CHECK(turned.values() == c.values());
      for (std::int64_t const row : {std::int64_t{0}, m - 1}) {
        Grid<float> const alone(1, n, loose);
        gemm(bf16(1), MatrixRef<float>(small.view().rows(row, 1)), MatrixRef<float>(large.view()),
             GemmOutput<float>{alone.data(), n}, GemmShape{1, n, k});
        CHECK(is_corner(alone, c.view().rows(row, 1)));
      }
    }
  }
}

}  // namespace gemm_bf16_test
