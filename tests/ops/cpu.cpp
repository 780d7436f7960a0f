// SPDX-License-Identifier: MIT
// Every op on the CPU backend with its SIMD, and its generic registers for double.
#include "gt/cpu.hpp"

#include <doctest/doctest.h>

#include "conformance/adamw.hpp"
#include "conformance/attention.hpp"
#include "conformance/cross_entropy.hpp"
#include "conformance/embedding.hpp"
#include "conformance/gelu.hpp"
#include "conformance/layer_norm.hpp"
#include "conformance/linear.hpp"
#include "conformance/residual.hpp"
#include "conformance/rope.hpp"

namespace {
gt::Cpu<> const on(2);
constexpr int width = gt::SimdLane<gt::native_isa, float>::width;
}  // namespace

TEST_CASE_TEMPLATE("linear: its formula, gradients by the complex step, errors", T, float, double) {
  SUBCASE("forward") { gt::test::linear_forward<T>(on, width); }
  SUBCASE("gradient") { gt::test::linear_gradient<T>(on, width); }
  SUBCASE("errors") { gt::test::linear_errors<T>(on); }
}

TEST_CASE_TEMPLATE("layer_norm: its formula, gradients by the complex step, aliases, errors", T, float, double) {
  SUBCASE("forward") { gt::test::layer_norm_forward<T>(on, width); }
  SUBCASE("far_from_zero") { gt::test::layer_norm_far_from_zero<T>(on); }
  SUBCASE("gradient") { gt::test::layer_norm_gradient<T>(on, width); }
  SUBCASE("sums_over_rows") { gt::test::layer_norm_sums_over_rows<T>(on); }
  SUBCASE("errors") { gt::test::layer_norm_errors<T>(on); }
}

TEST_CASE_TEMPLATE("gelu: its formula, gradients by the complex step, tails, aliases, errors", T, float, double) {
  SUBCASE("forward") { gt::test::gelu_forward<T>(on, width); }
  SUBCASE("tails") { gt::test::gelu_tails<T>(on); }
  SUBCASE("gradient") { gt::test::gelu_gradient<T>(on, width); }
  SUBCASE("errors") { gt::test::gelu_errors<T>(on); }
}

TEST_CASE_TEMPLATE("rope: its formula, gradients by the complex step, relative positions, errors", T, float, double) {
  SUBCASE("forward") { gt::test::rope_forward<T>(on, width); }
  SUBCASE("gradient") { gt::test::rope_gradient<T>(on, width); }
  SUBCASE("is_relative") { gt::test::rope_is_relative<T>(on); }
  SUBCASE("errors") { gt::test::rope_errors<T>(on); }
}

TEST_CASE_TEMPLATE("attention: its formula, gradients by the complex step, causality, errors", T, float, double) {
  SUBCASE("forward") { gt::test::attention_forward<T>(on, width); }
  SUBCASE("is_causal") { gt::test::attention_is_causal<T>(on); }
  SUBCASE("softmax") { gt::test::attention_softmax<T>(on); }
  SUBCASE("gradient") { gt::test::attention_gradient<T>(on, width); }
  SUBCASE("errors") { gt::test::attention_errors<T>(on); }
}

TEST_CASE_TEMPLATE("embedding: the row of each id, repeated; errors", T, float, double) {
  SUBCASE("forward") { gt::test::embedding_forward<T>(on, width); }
  SUBCASE("errors") { gt::test::embedding_errors<T>(on); }
}

TEST_CASE_TEMPLATE("residual_add: the rounded sum, aliases, errors", T, float, double) {
  SUBCASE("forward") { gt::test::residual_forward<T>(on, width); }
  SUBCASE("errors") { gt::test::residual_errors<T>(on); }
}

TEST_CASE_TEMPLATE("head_cross_entropy: its formula, gradients by the complex step, errors", T, float, double) {
  SUBCASE("forward") { gt::test::head_cross_entropy_forward<T>(on, width); }
  SUBCASE("in_runs") { gt::test::head_cross_entropy_in_runs<T>(on); }
  SUBCASE("gradient") { gt::test::head_cross_entropy_gradient<T>(on, width); }
  SUBCASE("ignores_shifts") { gt::test::head_cross_entropy_ignores_shifts<T>(on); }
  SUBCASE("errors") { gt::test::head_cross_entropy_errors<T>(on); }
}

TEST_CASE_TEMPLATE("adamw: three steps by its formula, and the first by hand", T, float, double) {
  gt::test::adamw_steps<T>(on, width);
  gt::test::adamw_first_step<T>(on);
}

TEST_CASE_TEMPLATE("sum_of_squares: the sum in double, wherever the numbers lie", T, float, double) {
  gt::test::sum_of_squares_agrees<T>(on, width);
}
