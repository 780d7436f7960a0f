// SPDX-License-Identifier: MIT
// What counts as a backend.
#include "gt/core/backend.hpp"

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>
#include <vector>

namespace backend_test {

using gt::ConstantMemory;

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
struct Keeper : Model {
  std::vector<ConstantMemory> constants;
  Keeper keeping(std::vector<ConstantMemory> kept) const { return {{}, std::move(kept)}; }
};
static_assert(gt::Backend<Model> && gt::Backend<Keeper>);
static_assert(!gt::Backend<OfTagOfItsOwn>);
static_assert(!gt::Backend<WithoutThreads>);
static_assert(!gt::Backend<int>);
}  // namespace

TEST_CASE("ConstantMemory: holds its first byte and its last, and nothing beside them") {
  char const bytes[12]{};
  ConstantMemory const middle{bytes + 4, 4}, empty{bytes + 4, 0}, none;
  for (int i = 0; i < 12; ++i) {
    CAPTURE(i);
    CHECK(middle.holds(bytes + i) == (i >= 4 && i < 8));
    CHECK(!empty.holds(bytes + i));
    CHECK(!none.holds(bytes + i));
  }
  CHECK(!middle.holds(nullptr));
  CHECK(!none.holds(nullptr));
}

TEST_CASE("keeping: a backend that can is told what is constant; any other is returned as it is") {
  float const weights[3]{};
  auto const keeper = gt::keeping(Keeper{}, {{weights, sizeof weights}, {}});
  CHECK(keeper.constants.size() == 2);
  CHECK((keeper.constants[0].data == weights && keeper.constants[0].bytes == 12));
  static_assert(std::is_same_v<decltype(gt::keeping(Model{}, {})), Model>);
  CHECK(gt::keeping(Model{}, {{weights, sizeof weights}}).threads() == 1);
  CHECK(gt::kept_bytes(Model{}) == 0);
}

}  // namespace backend_test
