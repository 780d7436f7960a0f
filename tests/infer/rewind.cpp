// SPDX-License-Identifier: MIT
// A session that goes back has the bits of one that was never further.
#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <vector>

#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "gt/infer/session.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace rewind_test {

using gt::Cpu, gt::Error, gt::Session;
using gt::test::ids_below, gt::test::scrambled;

namespace {

template <class Model>
void goes_back(Model const& model) {
  auto const ids = ids_below(29, 12, 1), others = ids_below(29, 12, 2);
  auto const copy = [](std::span<float const> logits) { return std::vector<float>(logits.begin(), logits.end()); };
  Session<Cpu<>, Model> straight(Cpu<>{1}, model), back(Cpu<>{1}, model);
  auto const expected = copy(straight.feed(ids));
  back.feed(std::span(ids).first(5));
  back.feed(others);  // 17 of 20 tokens
  back.rewind(5);
  CHECK(back.position() == 5);
  CHECK(back.room() == 15);
  CHECK(copy(back.feed(std::span(ids).subspan(5))) == expected);
  back.rewind(4);
  std::vector<float> two(2);
  CHECK_THROWS_WITH_AS(back.feed(std::span(ids).subspan(4, 2), two), doctest::Contains("which a rewind has lost"),
                       Error);
  back.feed(std::span(ids).subspan(4, 1));
  back.feed(std::span(ids).subspan(5, 2), two);
  CHECK((two[0] < 0 && two[1] < 0));
  back.feed(std::span(ids).subspan(7));
  back.rewind(12);  // nowhere
  back.rewind(0);
  CHECK(copy(back.feed(ids)) == expected);
  CHECK_THROWS_WITH_AS(back.rewind(13),
                       "gt: Session::rewind: the position must lie in 0 ... 12, the tokens fed (got 13)", Error);
  CHECK_THROWS_WITH_AS(back.rewind(-1),
                       "gt: Session::rewind: the position must lie in 0 ... 12, the tokens fed (got -1)", Error);
}

}  // namespace

TEST_CASE("Session: rewind forgets what came later, for models of any kind") {
  auto const model = scrambled(gt::BlockConfig{.d_model = 16, .heads = 2}, 2, 29, {.context = 20});
  goes_back(model);
  goes_back(gt::AnyModel(model));
}

}  // namespace rewind_test
