// SPDX-License-Identifier: MIT
// The attention kernels on every instruction set: their formula, gradients, and the bits of pieces and of threads.
#include "conformance/attention.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "gt/cpu.hpp"
#include "support/isas.hpp"

namespace attention_test {

using gt::ops::AttentionShape, gt::Cpu;
using gt::test::AttentionCase, gt::test::bit_equal, gt::test::Grid, gt::test::normal;

TEST_CASE_TEMPLATE_DEFINE("attention on every instruction set", B, instruction_sets) {
  gt::test::attention_conforms<float>(B(2), gt::simd::Lane<B::isa, float>::width);
}
TEST_CASE_TEMPLATE_APPLY(instruction_sets, gt::test::AllCpus);

TEST_CASE("attention: the number of threads, and how many heads there are to share, change no bit") {
  // 16 heads are a job each; of one head, runs of 256 queries are.
  AttentionShape const all{1, 16, 16, 300, 0}, one{1, 1, 16, 300, 0};
  auto const x = normal(gt::test::numbers_in(all), 1), d_out = normal(300 * 256, 2);
  auto const run = [&](int threads) {
    AttentionCase<float> const a(all, x);
    a.run(Cpu<>(threads));
    Grid<float> const dys(d_out, 300, 256), dx(300, 768);
    attention_backward(Cpu<>(threads), dys.view(), a.q(), a.k(), a.v(), a.o.view(), a.log_sum.data(),
                       dx.view().columns(0, 256), dx.view().columns(256, 256), dx.view().columns(512, 256), all);
    auto numbers = a.o.elements();
    for (float const v : dx.elements()) numbers.push_back(v);
    return numbers;
  };
  auto const serial = run(1);
  for (int const threads : {2, 4}) CHECK(bit_equal(run(threads), serial));

  AttentionCase<float> const a(all, x);
  for (std::int64_t const head : {0, 15}) {
    Grid<float> const o(300, 16), log_sum(1, 300);
    auto const part = [&](auto const& view) { return view.columns(head * 16, 16); };
    attention(Cpu<>(2), part(a.q()), part(a.k()), part(a.v()), o.view(), log_sum.data(), one);
    std::vector<float> expected;
    for (std::int64_t t = 0; t < 300; ++t) {
      auto const row = serial.begin() + t * 256 + head * 16;
      expected.insert(expected.end(), row, row + 16);
    }
    CHECK(bit_equal(o.elements(), expected));
  }
}

}  // namespace attention_test
