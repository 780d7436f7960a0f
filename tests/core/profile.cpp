// SPDX-License-Identifier: MIT
// Profiles: every op once, by name, with the work of its formula; nothing where nobody asked.
#include "gt/core/profile.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/linear_gelu.hpp"
#include "support/data.hpp"

namespace profile_test {

using gt::Cpu, gt::ops::Profile, gt::ops::Timer;
using gt::test::Grid;

namespace {

struct Unmeasured {
  using tag = gt::ref_tag;
  int threads() const { return 1; }
};
template <class B>
concept HasProfile = requires(B const& on) {
  { on.profile() } -> std::same_as<Profile*>;
};
static_assert(HasProfile<Cpu<>> && !HasProfile<gt::Ref> && !HasProfile<Unmeasured>);
static_assert(!std::is_copy_constructible_v<Timer> && !std::is_copy_assignable_v<Timer>);

/// "name calls flops bytes" of each entry.
std::vector<std::string> lines(Profile const& profile) {
  std::vector<std::string> all;
  for (auto const& e : profile.entries()) {
    all.push_back(gt::text(e.op, " ", e.calls, " ", static_cast<std::int64_t>(e.work.flops), " ",
                           static_cast<std::int64_t>(e.work.bytes)));
  }
  return all;
}
using Lines = std::vector<std::string>;

/// Runs both products that a projection has, forward and backward: M 3, K 5, N 7.
template <gt::Backend B>
void work_on(B const& on) {
  Grid<float> const x(3, 5), w(7, 5), b(1, 7), y(3, 7), h(3, 7), dx(3, 5), dw(7, 5), db(1, 7);
  gt::ops::linear(on, x.view(), w.view(), b.vector(), y.view());
  gt::ops::linear(on, x.view(), w.view(), {}, y.view(), y.view());
  gt::ops::linear_gelu(on, x.view(), w.view(), b.vector(), h.view(), y.view());
  gt::ops::linear_backward(on, y.view(), x.view(), w.view(), dx.view(), dw.view(), db.vector());
  gt::ops::gelu_linear_backward(on, y.view(), x.view(), x.view(), w.view(), dx.view(), dw.view(), {});
}

}  // namespace

TEST_CASE("OpProfile: calls, seconds and work are summed by name, in the order of first calls") {
  Profile profile;
  CHECK(profile.entries().empty());
  CHECK(profile.seconds() == 0);
  std::string const same = "one";  // another pointer, the same name
  profile.add("one", 0.5, {8, 100});
  profile.add("two", 0.25, {1, 2});
  profile.add(same.c_str(), 1, {16, 200});
  CHECK(lines(profile) == Lines{"one 2 24 300", "two 1 1 2"});
  CHECK(profile.entries()[0].seconds == 1.5);
  CHECK(profile.seconds() == 1.75);
  profile.clear();
  CHECK(profile.entries().empty());
  profile.add("two", 1, {3, 4});
  CHECK(lines(profile) == Lines{"two 1 3 4"});
}

TEST_CASE("OpTimer: counts when it ends, on a backend that is measured alone") {
  Profile profile;
  Cpu<> const on(1);
  {
    Timer const timer(on.profiled(profile), "op", {2, 3});
    CHECK(profile.entries().empty());
    Timer const nobody(on, "nobody", {2, 3}), unmeasured(Unmeasured{}, "unmeasured", {2, 3}),
        ref(gt::Ref{}, "ref", {2, 3});
  }
  CHECK(lines(profile) == Lines{"op 1 2 3"});
}

TEST_CASE("OpTimer: the seconds of ops are no more than went by around them") {
  Profile profile;
  auto const on = Cpu<>(1).profiled(profile);
  auto const start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) work_on(on);
  std::chrono::duration<double> const around = std::chrono::steady_clock::now() - start;
  CHECK(profile.seconds() > 0);
  CHECK(profile.seconds() <= around.count() * (1 + 1e-9));  // 1e-9: sums of seconds are rounded
  for (auto const& e : profile.entries()) CHECK(e.seconds >= 0);
}

TEST_CASE("Cpu: a profiled copy reports, the backend it was made of does not") {
  Profile profile, other;
  Cpu<> const silent(1);
  auto const on = silent.profiled(profile);
  CHECK(silent.profile() == nullptr);
  CHECK(on.profile() == &profile);
  CHECK(on.threads() == silent.threads());
  CHECK(on.profiled(other).profile() == &other);
  CHECK(on.with(gt::Products::fp32).keeping({}).profile() == &profile);
  work_on(silent);
  work_on(gt::Ref{});
  CHECK(profile.entries().empty());
}

TEST_CASE("Cpu: projections are counted once each, by name, with 2 M N K flops and every operand's bytes") {
  Profile profile;
  auto const on = Cpu<>(2).profiled(profile);
  work_on(on);
  std::int64_t const flops = 2 * 3 * 5 * 7, bytes = 4 * (3 * 5 + 5 * 7 + 3 * 7);
  auto const line = [&](char const* op, std::int64_t calls) {
    return gt::text(op, " ", calls, " ", calls * flops, " ", calls * bytes);
  };
  CHECK(lines(profile) == Lines{line("linear", 2), line("linear_gelu", 1), line("linear_backward dx", 1),
                                line("linear_backward dW", 2), gt::text("linear_backward db 1 ", 3 * 7, " ", 4 * 3 * 7),
                                line("gelu_linear_backward dx", 1)});
}

}  // namespace profile_test
