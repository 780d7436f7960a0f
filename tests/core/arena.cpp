// SPDX-License-Identifier: MIT
// Arenas: the same code measures and takes, and asking for more than there is fails with the numbers.
#include "gt/core/arena.hpp"

#include <doctest/doctest.h>

#include <complex>
#include <cstdint>

namespace arena_test {

using gt::Arena, gt::Error;

namespace {
/// 1 and 17 floats at first, then 100 doubles, given back, then 3 complex numbers.
void lay_out(Arena& arena) {
  arena.take<float>(1);
  arena.take<float>(17);
  auto const mark = arena.mark();
  arena.take<double>(100);
  arena.release(mark);
  arena.take<std::complex<double>>(3);
}
}  // namespace

TEST_CASE("Arena: measuring hands out nothing and counts whole lines of 64 bytes") {
  Arena arena;
  CHECK(arena.measuring());
  CHECK(arena.take<float>(1) == nullptr);
  CHECK(arena.used() == 64);
  CHECK(arena.take<float>(17) == nullptr);
  CHECK(arena.used() == 64 + 128);
  CHECK(arena.take<float>(0) == nullptr);
  CHECK(arena.used() == 192);
  CHECK(gt::measure(lay_out) == 64 + 128 + 832);
}

TEST_CASE("Arena: what was measured is enough, and not a byte more is there") {
  Arena arena(gt::measure(lay_out));
  CHECK(!arena.measuring());
  CHECK_NOTHROW(lay_out(arena));
  CHECK((arena.used() == 64 + 128 + 64 && arena.peak() == 1024));
  arena.reset();
  CHECK_NOTHROW(lay_out(arena));
  CHECK_NOTHROW(arena.take<float>(1024 / 4 - 64));
  CHECK_THROWS_WITH_AS(arena.take<std::byte>(1), "gt: Arena: needs 1088 bytes, but was sized for 1024", Error);
}

TEST_CASE("Arena: one of no bytes is full, and does not measure") {
  Arena arena(gt::measure([](Arena&) {}));
  CHECK(!arena.measuring());
  CHECK_THROWS_WITH_AS(arena.take<float>(1), "gt: Arena: needs 64 bytes, but was sized for 0", Error);
}

TEST_CASE("Arena: aligned pieces that do not overlap; released memory is used again") {
  Arena arena(4096);
  float* const a = arena.take<float>(3);
  double* const b = arena.take<double>(9);
  auto const mark = arena.mark();
  float* const c = arena.take<float>(5);
  arena.release(mark);
  CHECK(reinterpret_cast<std::uintptr_t>(a) % gt::alignment == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(b) % gt::alignment == 0);
  CHECK(static_cast<void*>(b) == static_cast<void*>(a + 16));
  CHECK(static_cast<void*>(c) == static_cast<void*>(b + 16));
  CHECK(arena.take<float>(1) == c);
}

}  // namespace arena_test
