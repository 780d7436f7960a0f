// SPDX-License-Identifier: MIT
// Every op on the CPU backend: its SIMD in float, its generic registers in double.
#include "gt/cpu.hpp"

#include <doctest/doctest.h>

#include "conformance/adamw.hpp"
#include "conformance/attention.hpp"
#include "conformance/cross_entropy.hpp"
#include "conformance/embedding.hpp"
#include "conformance/gelu.hpp"
#include "conformance/layer_norm.hpp"
#include "conformance/linear.hpp"
#include "conformance/linear_gelu.hpp"
#include "conformance/lora.hpp"
#include "conformance/residual.hpp"
#include "conformance/rms_norm.hpp"
#include "conformance/rope.hpp"

namespace cpu_test {

namespace {
constexpr int width = gt::simd::Lane<gt::native_isa, float>::width;
}

TEST_CASE_TEMPLATE("linear on the CPU", T, float, double) { gt::test::linear_conforms<T>(gt::Cpu<>(2), width); }

TEST_CASE_TEMPLATE("linear_gelu on the CPU", T, float, double) {
  gt::test::linear_gelu_conforms<T>(gt::Cpu<>(2), width);
}

TEST_CASE_TEMPLATE("layer_norm on the CPU", T, float, double) { gt::test::layer_norm_conforms<T>(gt::Cpu<>(2), width); }

TEST_CASE_TEMPLATE("rms_norm on the CPU", T, float, double) { gt::test::rms_norm_conforms<T>(gt::Cpu<>(2), width); }

TEST_CASE_TEMPLATE("gelu on the CPU", T, float, double) { gt::test::gelu_conforms<T>(gt::Cpu<>(2), width); }

TEST_CASE_TEMPLATE("rope on the CPU", T, float, double) { gt::test::rope_conforms<T>(gt::Cpu<>(2), width); }

TEST_CASE_TEMPLATE("attention on the CPU", T, float, double) { gt::test::attention_conforms<T>(gt::Cpu<>(2), width); }

TEST_CASE_TEMPLATE("lora on the CPU", T, float, double) { gt::test::lora_conforms<T>(gt::Cpu<>(2), width); }
TEST_CASE_TEMPLATE("embedding on the CPU", T, float, double) { gt::test::embedding_conforms<T>(gt::Cpu<>(2), width); }

TEST_CASE_TEMPLATE("residual on the CPU", T, float, double) { gt::test::residual_conforms<T>(gt::Cpu<>(2), width); }

TEST_CASE_TEMPLATE("head_cross_entropy on the CPU", T, float, double) {
  gt::test::head_cross_entropy_conforms<T>(gt::Cpu<>(2), width);
}

TEST_CASE_TEMPLATE("adamw and sum_of_squares on the CPU", T, float, double) {
  gt::test::adamw_conforms<T>(gt::Cpu<>(2), width);
}

}  // namespace cpu_test
