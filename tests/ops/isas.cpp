// SPDX-License-Identifier: MIT
// The row kernels on every instruction set that this translation unit may use.
#include <doctest/doctest.h>

#include "conformance/adamw.hpp"
#include "conformance/gelu.hpp"
#include "conformance/layer_norm.hpp"
#include "conformance/rms_norm.hpp"
#include "conformance/rope.hpp"
#include "gt/cpu.hpp"
#include "support/isas.hpp"

namespace isas_test {

TEST_CASE_TEMPLATE_DEFINE("row kernels on each instruction set", B, row_kernels) {
  constexpr int width = gt::simd::Lane<B::isa, float>::width;
  B const on(1);
  SUBCASE("layer_norm") { gt::test::layer_norm_conforms<float>(on, width); }
  SUBCASE("rms_norm") { gt::test::rms_norm_conforms<float>(on, width); }
  SUBCASE("gelu") { gt::test::gelu_conforms<float>(on, width); }
  SUBCASE("rope") { gt::test::rope_conforms<float>(on, width); }
  SUBCASE("adamw") { gt::test::adamw_conforms<float>(on, width); }
}
TEST_CASE_TEMPLATE_APPLY(row_kernels, gt::test::AllCpus);

}  // namespace isas_test
