// SPDX-License-Identifier: MIT
// What counts as a backend.
#include "gt/core/backend.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {
struct Model {
  using tag = gt::cpu_tag;
  int threads() const { return 1; }
};
struct OfTagOfItsOwn {
  struct tag {};
  int threads() const { return 1; }
};
struct WithoutThreads {
  using tag = gt::ref_tag;
};
static_assert(gt::Backend<Model>);
static_assert(!gt::Backend<OfTagOfItsOwn>);
static_assert(!gt::Backend<WithoutThreads>);
static_assert(!gt::Backend<int>);
}  // namespace

TEST_CASE("Isa: each instruction set has a name of its own") {
  using gt::Isa;
  CHECK(std::string(name(Isa::scalar)) == "scalar");
  CHECK(std::string(name(Isa::sse2)) == "SSE2");
  CHECK(std::string(name(Isa::neon)) == "NEON");
  CHECK(std::string(name(Isa::avx2)) == "AVX2");
  CHECK(std::string(name(Isa::avx512)) == "AVX-512");
}
