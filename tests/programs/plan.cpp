// SPDX-License-Identifier: MIT
// plan from outside: presets and plans of one's own, a real step of a stage, bad input as a sentence.
#include <doctest/doctest.h>

#include <string>

#include "programs/place.hpp"
#include "programs/support.hpp"

namespace plan_test {

using gt::test::check_complaint, gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::Lines;
using gt::test::lines_of, gt::test::Program;

namespace {
Ended plan(Lines const& arguments) { return Program("plan", arguments).wait(); }
/// A plan whose speed is measured in no time.
Ended small(Lines more) {
  more.insert(more.end(), {"--width", "32", "--heads", "2", "--vocab", "300", "--context", "16", "--batch", "2"});
  return plan(more);
}
}  // namespace

TEST_CASE("plan: the presets by name, with the counts that the paper prints") {
  auto const listed = plan({"--list"});
  CHECK(listed.status == 0);
  for (char const* line : {"growing-16-bit        182M", "growing-unicode       248M", "v3-16-bit             270M",
                           "abs-bvv-6            2.28G"})
    CHECK(has(listed.out, line));
  CHECK(lines_of(listed.out).size() == 13);
}

TEST_CASE("plan: a table of the stages, and the time of so many tokens") {
  auto const said = small({"--plan", "2+1,lora4+lora8+all", "--tokens", "100000"});
  CHECK(said.status == 0);
  CHECK(has(said.out, "\n      1           2      2 "));
  CHECK(has(said.out, "\n      2     1,lora4      3 "));
  CHECK(has(said.out, "\n      3       lora8      3 "));
  CHECK(has(said.out, "\n      4         all      3 "));
  CHECK(has(said.out, "\n100k tokens: "));
  CHECK(has(small({"--plan", "v3/9"}).out, "lora10"));  // 2 * 3 * 32 / (3 * 6)
}

TEST_CASE("plan: --step makes a stage of random weights and trains it for two steps") {
  for (char const* stage : {"1", "2", "3", "4"}) {
    CAPTURE(stage);
    auto const said = small({"--plan", "1,table+2+lora4+all", "--table-width", "8", "--step", "--stage", stage});
    CHECK(said.status == 0);
    CHECK(has(said.out, std::string("stage ") + stage + " of 4 on random weights: needs about "));
    CHECK(has(said.out, "\nstep 2: loss 5."));
    CHECK(has(said.out, " in use at most"));
  }
}

TEST_CASE("plan: where there is no memory to measure, it says all but times; where there is less, one sentence") {
  auto const huge = plan({"--width", "1048576", "--heads", "8", "--plan", "1", "--batch", "1", "--context", "4"});
  CHECK(huge.status == 0);
  CHECK(has(huge.out, "There is no memory to measure\ntimes with one block."));
#if !defined(__SANITIZE_ADDRESS__) && !GT_TEST_ASAN  // which takes more address space than there is
  int told = 0;
  for (int kilobytes = 40'000; kilobytes <= 90'000; kilobytes += 10'000) {  // some only suffice to begin
    CAPTURE(kilobytes);
    auto const done = Program("/bin/sh", {"-c", gt::text("ulimit -v ", kilobytes, "; exec \"$@\""), "sh", GT_PROGRAM,
                                          "plan", "--threads", "1"})
                          .wait();
    CHECK((done.status == 0 || done.status == 1 || done.status == 127));  // 127: too little to start a program
    told += has(done.err, "not enough memory") || has(done.out, "There is no memory");
  }
  CHECK(told > 0);
#endif
}

TEST_CASE("plan: bad input is one sentence") {
  check_sentence(plan({"growing-18-bit"}), "there are growing-16-bit, growing-unicode");
  check_sentence(small({"--plan", "3+x"}), "a plan must be stages joined by '+'");
  check_sentence(small({"--plan", "v9/3"}), "a named plan must be v1, v2");
  check_sentence(small({"--plan", "v1/x"}), "the depth of a named plan must lie in 1 ... 4096 (got 'v1/x')");
  check_sentence(small({"--plan", "v1/99999"}), "(got 'v1/99999')");
  check_sentence(small({"--plan", "v1/0"}), "a depth of 1 ... 4096 (got 0)");
  check_sentence(small({"--plan", "3+lora33"}),
                 "stage 2: the rank must lie in 1 ... 32, the width of the model (got 33)");
  check_sentence(small({"--plan", "lora4+3"}), "stage 1: there must be blocks to adapt, of the stages before");
  check_sentence(small({"--tokens", "-5"}), "--tokens must not be negative (got -5)");
  check_sentence(plan({"--vocab", "2147483647"}), "--vocab must be below 1000000000 (got 2147483647)");
  check_sentence(small({"--step", "--stage", "7"}), "--stage must lie in 1 ... 3 (got 7)");
  check_sentence(plan({"--width", "30", "--heads", "4"}), "heads must divide the width");
  check_sentence(plan({"--table-width", "7"}), "--table-width must divide the width");
  check_sentence(plan({"--batch", "0"}), "--batch must lie in");
  check_sentence(plan({"--vocab", "-1"}), "--vocab must be positive");
  check_complaint(plan({"--nonsense"}), "nonsense");
  check_sentence(plan({"growing-16-bit", "--step", "--batch", "65536", "--context", "65536"}), "there must be memory");
}

}  // namespace plan_test
