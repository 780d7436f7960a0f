// SPDX-License-Identifier: MIT
// Instruction sets by their names.
#include "gt/backend/cpu/isa.hpp"

#include <doctest/doctest.h>

#include <string>

namespace isa_test {

TEST_CASE("Isa: each instruction set has a name of its own") {
  using gt::Isa;
  CHECK(std::string(name(Isa::scalar)) == "scalar");
  CHECK(std::string(name(Isa::sse2)) == "SSE2");
  CHECK(std::string(name(Isa::neon)) == "NEON");
  CHECK(std::string(name(Isa::avx2)) == "AVX2");
  CHECK(std::string(name(Isa::avx512)) == "AVX-512");
  CHECK(std::string(name(Isa::avx512_bf16)) == "AVX-512 BF16");
}

}  // namespace isa_test
