// SPDX-License-Identifier: MIT
// Windows: each exactly once an epoch, the same for the same seed, every validation target exactly once.
#include "gt/text/windows.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include "io/support.hpp"

namespace windows_test {

using namespace gt;
using test::error_of, test::has;

namespace {

Tokens counting(std::int32_t size) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(size));
  std::iota(ids.begin(), ids.end(), 0);
  return Tokens::from_ids(ids, std::max(size, 1));
}

}  // namespace

TEST_CASE("Permutation: one to one at every size") {
  for (std::uint64_t size = 1; size < 300; ++size) {
    std::set<std::uint64_t> images;
    Permutation const permutation(size, seed(3), 0);
    for (std::uint64_t i = 0; i < size; ++i) images.insert(permutation(i));
    CHECK(images.size() == size);
    CHECK(*images.rbegin() == size - 1);
  }
}

TEST_CASE("Permutation: small ones are spread evenly over all orders") {
  std::vector<int> counts(27);
  for (std::uint32_t epoch = 0; epoch < 6000; ++epoch) {
    Permutation const p(3, seed(1), epoch);
    ++counts[static_cast<std::size_t>(p(0) * 9 + p(1) * 3 + p(2))];
  }
  for (std::size_t const order : {5u, 7u, 11u, 15u, 19u, 21u})  // 012 021 102 120 201 210 in base 3
    CHECK(counts[order] == doctest::Approx(1000).epsilon(0.15));
}

TEST_CASE("WindowLoader: an epoch shows each window of the grid once, targets shifted by one") {
  for (std::int32_t const size : {5, 9, 64, 100, 101}) {
    WindowLoader const loader(counting(size), 4, seed(1));
    CHECK(loader.windows() == (size - 1) / 4);
    for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
      std::vector<std::int32_t> inputs(static_cast<std::size_t>(loader.windows() * 4)), targets(inputs.size());
      loader.fill(epoch * loader.windows(), loader.windows(), inputs, targets);
      for (std::size_t i = 0; i < inputs.size(); ++i) CHECK(targets[i] == inputs[i] + 1);
      CHECK(inputs[0] == 4 * loader.sample_window(epoch * loader.windows()));
      std::sort(inputs.begin(), inputs.end());
      for (std::size_t i = 0; i < inputs.size(); ++i) CHECK(inputs[i] == static_cast<std::int32_t>(i));
    }
  }
}

TEST_CASE("WindowLoader: a pure function of seed and sample number") {
  WindowLoader const a(counting(1001), 10, seed(1)), b(counting(1001), 10, seed(1)), c(counting(1001), 10, seed(2));
  std::vector<std::int32_t> all(700), part(70), targets(700), part_targets(70);
  a.fill(55, 70, all, targets);  // crosses an epoch
  b.fill(90, 7, part, part_targets);
  CHECK(std::equal(part.begin(), part.end(), all.begin() + 350));
  int moved = 0, other = 0;
  for (std::int64_t n = 0; n < 100; ++n) {
    moved += a.sample_window(n) != a.sample_window(n + 100);
    other += a.sample_window(n) != c.sample_window(n);
  }
  CHECK(moved > 80);
  CHECK(other > 80);
}

TEST_CASE("WindowLoader: what does not fit is refused with the numbers") {
  CHECK(
      error_of([] { WindowLoader(counting(256), 256, seed(1)); }) ==
      "gt: WindowLoader: the training part must hold one window of context + 1 = 257 tokens (got 256); take more text "
      "or a shorter context");
  CHECK(has(error_of([] { WindowLoader({}, 1, seed(1)); }), "(got 0)"));
  CHECK(has(error_of([] { WindowLoader(counting(9), 0, seed(1)); }), "context must be at least 1"));
  WindowLoader const loader(counting(9), 4, seed(1));
  std::vector<std::int32_t> four(4), five(5);
  CHECK(has(error_of([&] { loader.fill(0, 1, four, five); }), "batch * context = 4 ids"));
  CHECK(has(error_of([&] { loader.fill(-1, 1, four, four); }), "must not be negative"));
  CHECK(has(error_of([&] { loader.sample_window(-1); }), "must not be negative"));
}

TEST_CASE("EvaluationWindows: every token but the first is a target exactly once") {
  for (std::int32_t size = 2; size < 30; ++size) {
    EvaluationWindows const windows(counting(size), 4);
    std::vector<std::int32_t> inputs(4), targets(4), seen;
    for (std::int64_t w = 0; w < windows.windows(); ++w) {
      auto const length = windows.fill(w, inputs, targets);
      CHECK((length == 4 || w == windows.windows() - 1));
      for (std::int64_t i = 0; i < length; ++i) {
        seen.push_back(targets[static_cast<std::size_t>(i)]);
        CHECK(inputs[static_cast<std::size_t>(i)] + 1 == seen.back());
      }
    }
    CHECK(static_cast<std::int64_t>(seen.size()) == windows.targets());
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == static_cast<std::int32_t>(i) + 1);
  }
  CHECK(has(error_of([] { EvaluationWindows(counting(1), 4); }), "2 tokens or more (got 1)"));
}

}  // namespace windows_test
