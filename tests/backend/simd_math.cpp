// SPDX-License-Identifier: MIT
// Exponentials and reciprocals of registers, in units in the last place of the numbers that double knows.
#include "gt/backend/cpu/simd_math.hpp"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "gt/cpu.hpp"
#include "support/isas.hpp"

namespace simd_math_test {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();

/// One function on 16 floats, in as many registers as that takes.
template <class B, class F>
std::array<float, 16> on_registers(F const& f, std::array<float, 16> const& x) {
  using Registers = gt::simd::Register<B::isa, float>;
  std::array<float, 16> y{};
  for (std::size_t i = 0; i < 16; i += Registers::width)
    gt::simd::store(&y[i], typename Registers::type(f(gt::simd::load<typename Registers::type>(&x[i]))));
  return y;
}

/// The largest error of f over every 1009th float in [low, high], against `exact` in double.
template <class B, class F, class G>
double worst_ulp(F const& f, G const& exact, float low, float high) {
  double worst = 0;
  for (float const sign : {1.0F, -1.0F}) {
    for (std::uint32_t bits = 0; bits < 0x7F800000U - 16 * 1009;) {
      std::array<float, 16> x;
      for (float& v : x) v = sign * std::bit_cast<float>(bits), bits += 1009;
      auto const y = on_registers<B>(f, x);
      for (std::size_t i = 0; i < 16; ++i) {
        if (!(x[i] >= low && x[i] <= high)) continue;
        double const e = exact(static_cast<double>(x[i]));
        double const unit = std::ldexp(1.0, std::ilogb(static_cast<float>(e)) - 23);
        double const off = std::abs(static_cast<double>(y[i]) - e) / unit;
        if (!(off <= worst)) worst = off;  // NaN too
      }
    }
  }
  return worst;
}

template <class B>
void exponentials() {
  auto const e = [](auto const& x) { return gt::simd::exp(x); };
  auto const two = [](auto const& x) { return gt::simd::exp2(x); };
  bool const fused = B::isa != gt::Isa::scalar && B::isa != gt::Isa::sse2;
  double const most_off = fused ? 0.9 : 1.2;
  CHECK(worst_ulp<B>(
            e, [](double x) { return std::exp(x); }, -87.33F, 88.37F) <= most_off);
  CHECK(worst_ulp<B>(
            two, [](double x) { return std::exp2(x); }, -126, 127.49F) <= most_off);

  float const least = std::numeric_limits<float>::min(), most = std::numeric_limits<float>::max();
  std::array<float, 16> const far{infinity, most,      1e10F, 1000, 128, -150,  -1000, -1e10F,
                                  -most,    -infinity, nan,   -nan, 0,   -0.0F, least, -least};
  auto const of_e = on_registers<B>(e, far), of_two = on_registers<B>(two, far);
  for (std::size_t i = 0; i < 16; ++i) {
    CAPTURE(far[i]);
    if (i < 5) CHECK((of_e[i] == infinity && of_two[i] == infinity));
    if (i >= 5 && i < 10) CHECK((of_e[i] == 0 && of_two[i] == 0));
    if (i == 10 || i == 11) CHECK((std::isnan(of_e[i]) && std::isnan(of_two[i])));
    if (i >= 12) CHECK((of_e[i] == 1 && of_two[i] == 1));
  }
  // Where results have fewer digits, or none: between 0 and the smallest that has them all, and never negative.
  std::array<float, 16> low;
  for (std::size_t i = 0; i < 16; ++i) low[i] = -87.4F - static_cast<float>(i);
  for (float const y : on_registers<B>(e, low)) CHECK((y >= 0 && y <= least));
  for (std::size_t i = 0; i < 16; ++i) low[i] = -126.1F - 1.5F * static_cast<float>(i);
  for (float const y : on_registers<B>(two, low)) CHECK((y >= 0 && y <= least));
}

template <class B>
void reciprocals() {
  auto const over = [](auto const& x) { return gt::simd::reciprocal(x); };
  double const most_off = B::isa == gt::Isa::neon ? 1.5 : 1;
  CHECK(worst_ulp<B>(
            over, [](double x) { return 1 / x; }, -0x1p126F, -0x1p-126F) <= most_off);
  CHECK(worst_ulp<B>(
            over, [](double x) { return 1 / x; }, 0x1p-126F, 0x1p126F) <= most_off);
}

/// q = e t p has the relative error, in units of 2^-24: t 2, twice, for p moves with it about as t does; p's
/// coefficients and sums 3; e 2; the two products 2: 11. q is at most 1/2, and 1 - q is rounded once more: 6. In the
/// lower tail the error is that of q itself, and of e's exponent x^2 / 2, which is rounded three times.
template <class B>
void normal_distribution() {
  std::array<float, 16> x;
  for (float at = -13; at < 13; at += 0.016F) {
    for (std::size_t i = 0; i < 16; ++i) x[i] = at + 0.001F * static_cast<float>(i);
    auto const y = on_registers<B>([](auto const& v) { return gt::simd::normal_cdf(v); }, x);
    for (std::size_t i = 0; i < 16; ++i) {
      double const v = x[i], exact = 0.5 * std::erfc(v * -0.7071067811865476);
      CAPTURE(v);
      double const allowed = v > 0 ? 6 * 0x1p-24 : exact * (11 + 1.5 * v * v) * 0x1p-24;
      CHECK(std::abs(y[i] - exact) <= allowed);
    }
  }
  x = {0, -0.0F, 1e-40F, -1e-40F, 1e-20F, -1e-20F, 20, 1e5F, 1e20F, infinity, -20, -1e5F, -1e20F, -infinity, nan, -nan};
  auto const y = on_registers<B>([](auto const& v) { return gt::simd::normal_cdf(v); }, x);
  for (std::size_t i = 0; i < 16; ++i) {
    CAPTURE(x[i]);
    if (i < 6) CHECK(std::abs(y[i] - 0.5F) <= 0x1p-24F);
    if (i >= 6 && i < 10) CHECK(y[i] == 1);
    if (i >= 10 && i < 14) CHECK(y[i] == 0);
    if (i >= 14) CHECK(std::isnan(y[i]));
  }
}

template <class B>
void rounds() {
  std::array<float, 16> x;
  for (std::size_t i = 0; i < 16; ++i) x[i] = static_cast<float>(i) * 0.5F - 4;
  x[14] = 1234567.4F, x[15] = -0x1p21F - 0.5F;
  auto const y = on_registers<B>([](auto const& v) { return gt::simd::round(v); }, x);
  for (std::size_t i = 0; i < 16; ++i) CHECK(y[i] == std::nearbyint(x[i]));  // ties to even
}

template <class B>
void orders() {
  using Registers = gt::simd::Register<B::isa, float>;
  using V = typename Registers::type;
  std::array<float, 16> x;
  for (std::size_t i = 0; i < 16; ++i) x[i] = static_cast<float>((i * 7) % 16) - 5;
  auto const smaller = on_registers<B>([](auto const& v) { return gt::simd::min(V(2.0F), v); }, x);
  auto const larger = on_registers<B>([](auto const& v) { return gt::simd::max(V(2.0F), v); }, x);
  for (std::size_t i = 0; i < 16; ++i) {
    CHECK(smaller[i] == std::fmin(2.0F, x[i]));
    CHECK(larger[i] == std::fmax(2.0F, x[i]));
  }
  x.fill(nan);
  for (float const y : on_registers<B>([](auto const& v) { return gt::simd::min(V(2.0F), v); }, x))
    CHECK(std::isnan(y));
  for (float const y : on_registers<B>([](auto const& v) { return gt::simd::max(V(2.0F), v); }, x))
    CHECK(std::isnan(y));
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("simd_math: exponentials, reciprocals, rounding, order", B, of_registers) {
  SUBCASE("exponentials") { exponentials<B>(); }
  SUBCASE("normal distribution") { normal_distribution<B>(); }
  SUBCASE("reciprocals") { reciprocals<B>(); }
  SUBCASE("rounding") { rounds<B>(); }
  SUBCASE("the smaller and the larger") { orders<B>(); }
}
TEST_CASE_TEMPLATE_APPLY(of_registers, gt::test::AllCpus);

TEST_CASE("simd_math: other element types are those of the standard library") {
  CHECK(gt::simd::exp(1.5) == std::exp(1.5));
  CHECK(gt::simd::exp2(1.5) == std::exp2(1.5));
  CHECK(gt::simd::normal_cdf(1.5) == 0.5 * std::erfc(1.5 * -0.7071067811865476));
  CHECK(gt::simd::reciprocal(3.0) == 1.0 / 3.0);
}

}  // namespace simd_math_test
