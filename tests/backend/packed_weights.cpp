// SPDX-License-Identifier: MIT
// Weights kept packed: the same bits as without, each packed once, and only what was declared constant.
#include "gt/backend/cpu/packed_weights.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

#include "backend/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "support/close.hpp"
#include "support/data.hpp"
#include "support/isas.hpp"

namespace packed_weights_test {

using gt::Cpu, gt::ops::GemmOutput, gt::ops::GemmShape, gt::ops::MatrixRef;
using gt::test::Grid, gt::test::is_corner, gt::test::modes, gt::test::plain, gt::test::Product;

namespace {

/// Bytes of a packed B [k, n] of floats.
template <gt::Isa I>
std::int64_t packed_bytes(std::int64_t n, std::int64_t k) {
  constexpr int nr = gt::simd::GemmTile<I, float>::nr;
  return gt::simd::detail::ceil_div(n, nr) * gt::simd::detail::Packing<I, nr, float, float>::pitch(k) *
         static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("PackedWeights: the same bits as without, from the first use on", B, kept_bits) {
  using Tile = gt::simd::GemmTile<B::isa, float>;
  // One row, a few, and many on two threads; parts of panels; several passes over k.
  GemmShape const shapes[] = {
      {1, 6 * Tile::nr + 5, 70}, {1, 3, 1300}, {3, 2 * Tile::nr, 70}, {Tile::mr + 1, 5, 3}, {40, 70, 1300}};
  for (GemmShape const s : shapes) {
    Product<float> const p(s.m, s.n, s.k);
    for (bool const by_columns : {false, true}) {
      auto const on = B(2).keeping({p.b_memory(by_columns)});
      for (auto const mode : modes) {
        INFO("m ", s.m, ", n ", s.n, ", k ", s.k, ", mode ", mode, ", by columns ", by_columns);
        CHECK(is_corner(p.run(on, mode, false, by_columns), p.run(B(1), mode, false, by_columns).view()));
      }
      CHECK(on.packed_weights()->bytes() == packed_bytes<B::isa>(s.n, s.k));
    }
  }
}
TEST_CASE_TEMPLATE_APPLY(kept_bits, gt::test::AllCpus);

TEST_CASE("PackedWeights: what is declared constant is packed once, what is not is read at every use") {
  for (std::int64_t const m : {1, 20}) {
    CAPTURE(m);
    Product<float> const p(m, 70, 40);
    Grid<float> const other(1, 1);
    auto const kept = Cpu<>(1).keeping({p.b_memory(false)}), none = Cpu<>(1).keeping({}),
               others = Cpu<>(1).keeping({{other.data(), 4}});
    auto const before = p.run(Cpu<>(1), plain);
    for (auto const& on : {kept, none, others}) CHECK(is_corner(p.run(on, plain), before.view()));
    CHECK(kept.packed_weights()->bytes() == packed_bytes<gt::native_isa>(70, 40));
    for (std::int64_t j = 0; j < p.n; ++j) p.b(39, j) += 1;
    auto const after = p.run(Cpu<>(1), plain);
    CHECK(!gt::test::bit_equal(before.elements(), after.elements()));
    for (auto const& on : {none, others}) {
      CHECK(is_corner(p.run(on, plain), after.view()));
      CHECK(on.packed_weights()->bytes() == 0);
    }
    CHECK(is_corner(p.run(kept, plain), before.view()));  // who breaks the promise gets what was
    CHECK(kept.packed_weights()->bytes() == packed_bytes<gt::native_isa>(70, 40));
  }
}

TEST_CASE("PackedWeights: each orientation of a weight and each part of it is an entry of its own") {
  std::int64_t const M = 3, N = 70, K = 40;
  Grid<float> const w(gt::test::normal(N * K, 2), N, K, gt::test::loose), x(gt::test::normal(M * K, 1), M, K),
      dy(gt::test::normal(M * N, 3), M, N), y(M, N), dx(M, K);
  auto const on = Cpu<>(2).keeping({{w.data(), N * w.view().stride() * 4}});
  auto const product = [](auto const& cpu, Grid<float> const& a, MatrixRef<float> b, Grid<float> const& c,
                          GemmShape s) {
    gemm(cpu, MatrixRef<float>(a.view()), b, GemmOutput<float>{c.data(), c.view().stride()}, s);
    return c.elements();
  };
  MatrixRef<float> const by_rows(w.view());
  std::int64_t bytes = 0;
  auto const same = [&](Grid<float> const& a, MatrixRef<float> b, Grid<float> const& c, GemmShape s, bool adds) {
    INFO("n ", s.n, ", k ", s.k);
    for (int const run : {1, 2}) {
      CAPTURE(run);
      CHECK(gt::test::bit_equal(product(on, a, b, c, s), product(Cpu<>(1), a, b, c, s)));
      if (run == 1 && adds) bytes += packed_bytes<gt::native_isa>(s.n, s.k);
      CHECK(on.packed_weights()->bytes() == bytes);
    }
  };
  same(x, by_rows.transposed(), y, {M, N, K}, true);                 // y = x W^T
  same(dy, by_rows, dx, {M, K, N}, true);                            // dx = dy W
  same(x, by_rows.transposed(), y, {M, N - 1, K}, true);             // without the last row of W
  same(x, by_rows.transposed(), y, {M, N, K - 1}, true);             // without its last column
  same(x, by_rows.from(1, 0).transposed(), y, {M, N - 1, K}, true);  // without its first row
  same(x, by_rows.transposed(), y, {1, N, K}, false);                // of another number of rows of x
  same(x, by_rows.transposed(), dx, {M, K, K}, true);                // the first K rows: a square
  same(x, by_rows, dx, {M, K, K}, true);                             // the same in its other orientation
}

TEST_CASE("PackedWeights: copies of a backend share what is kept; others have nothing") {
  Product<float> const p(3, 70, 40);
  Cpu<> const plain_cpu(1);
  CHECK(plain_cpu.packed_weights() == nullptr);
  auto const on = keeping(plain_cpu, {p.b_memory(false)}), copy = on;
  CHECK(plain_cpu.packed_weights() == nullptr);
  CHECK((on.packed_weights() != nullptr && on.packed_weights() == copy.packed_weights()));
  p.run(copy, plain);
  std::int64_t const bytes = packed_bytes<gt::native_isa>(70, 40);
  CHECK(on.packed_weights()->bytes() == bytes);
  auto const anew = keeping(on, {p.b_memory(false)});
  CHECK(anew.packed_weights() != on.packed_weights());
  CHECK(anew.packed_weights()->bytes() == 0);
  CHECK(on.packed_weights()->bytes() == bytes);
}

TEST_CASE("PackedWeights: threads that meet at an operand pack it once, and all get the same bits") {
  Product<float> const p(5, 70, 40);
  auto const expected = p.run(Cpu<>(1), plain);
  for (int round = 0; round < 20; ++round) {
    auto const on = keeping(Cpu<>(1), {p.b_memory(false)});
    std::atomic<int> waiting{4};
    std::vector<int> same(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < same.size(); ++i) {
      threads.emplace_back([&, i] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        for (int j = 0; j < 5; ++j) same[i] += is_corner(p.run(on, plain), expected.view());
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(same == std::vector<int>(4, 5));
    CHECK(on.packed_weights()->bytes() == packed_bytes<gt::native_isa>(70, 40));
  }
}

TEST_CASE("PackedWeights: several runs of memory; weights in bf16 are entries beside those in fp32") {
  Product<float> const p(3, 70, 41);
  auto const on = Cpu<>(1).keeping({{}, p.b_memory(false), p.b_memory(true)});
  std::int64_t const bytes = packed_bytes<gt::native_isa>(70, 41);
  for (int const run : {1, 2}) {
    CAPTURE(run);
    auto const by_rows = p.run(on, plain, false, false);
    CHECK(is_corner(p.run(on, plain, false, true), by_rows.view()));
    CHECK(p.agrees(by_rows, plain));
  }
  CHECK(on.packed_weights()->bytes() == 2 * bytes);
  if constexpr (gt::has_bf16_products<gt::native_isa>) {
    auto const in_bf16 = on.with(gt::Products::bf16);
    CHECK(in_bf16.packed_weights() == on.packed_weights());
    auto const without = p.run(Cpu<>(1).with(gt::Products::bf16), plain);
    CHECK(is_corner(p.run(in_bf16, plain), without.view()));
    CHECK(on.packed_weights()->bytes() > 2 * bytes);
    CHECK(on.packed_weights()->bytes() < 3 * bytes);  // half as many bytes as in fp32
    CHECK(p.agrees(p.run(on, plain), plain));
  }
}

TEST_CASE("PackedWeights: numbers that are not floats, and backends that keep nothing") {
  Product<double> const p(3, 70, 40);
  auto const on = keeping(Cpu<>(1), {p.b_memory(false)});
  CHECK(is_corner(p.run(on, plain), p.run(Cpu<>(1), plain).view()));
  CHECK(on.packed_weights()->bytes() == 0);
  auto const ref = keeping(gt::Ref{}, {p.b_memory(false)});
  static_assert(std::is_same_v<decltype(ref), gt::Ref const>);
  CHECK(p.agrees(p.run(ref, plain), plain));
}

}  // namespace packed_weights_test
