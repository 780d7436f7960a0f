// SPDX-License-Identifier: MIT
// merge from outside: each model and all together in one table, a text, a folder; bad input as a sentence.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "gt/io/text_file.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"
#include "text/support.hpp"

namespace merge_test {

using gt::test::check_complaint, gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::Lines,
    gt::test::lines_of, gt::test::Place, gt::test::Program, gt::test::put, gt::test::run, gt::test::Run,
    gt::test::TemporaryFolder, gt::test::with;

namespace {

/// Another model on the same corpus, and so on the same tokenizer and substrate; and one on another.
struct Others {
  Place place;
  std::string other, stranger;
  static Others const& once() {
    static Others const made;
    return made;
  }

 private:
  Others() : other{place / "other/model"}, stranger{place / "stranger/model"} {
    auto const grow = [&](char const* name, gt::test::Options const& more) {
      auto options = with(Run::once().place.options("unused"), more);
      options["--out"] = place / name;
      REQUIRE(run("grow", options).status == 0);
    };
    grow("other", {{"--seed", "7"}, {"--plan", "1+1"}});
    grow("stranger", {{"--vocab", "300"}});
  }
};
Ended merge(Lines const& more) {
  Lines all{Run::once().model, Others::once().other, "--threads", "1"};
  all.insert(all.end(), more.begin(), more.end());
  return Program("merge", all).wait();
}
/// The numbers of a row of the table.
std::vector<double> cells(std::string const& line, std::string const& name) {
  REQUIRE(line.starts_with("  " + name));
  std::vector<double> all;
  std::string rest = line.substr(name.size() + 2);
  for (std::size_t at = 0; (at = rest.find_first_not_of(' ', at)) != std::string::npos;) {
    std::size_t const end = std::min(rest.find(' ', at), rest.size());
    all.push_back(std::stod(rest.substr(at, end - at)));
    at = end;
  }
  return all;
}

}  // namespace

TEST_CASE("merge: a table of each model, their mean and all together; no token costs more than the mean") {
  TemporaryFolder const folder;
  put(folder / "a.txt", gt::test::prose(300, 5));
  put(folder / "b.txt", gt::test::prose(100, 6));
  Lines const texts{"--text", folder / "a.txt", "--text", folder / "b.txt"};
  auto const done = merge(texts);
  CHECK(done.status == 0);
  auto const lines = lines_of(done.out);
  REQUIRE(lines.size() == 6);
  CHECK(lines[0].starts_with("bits per byte"));
  CHECK(lines[0].ends_with("a.txt      b.txt   together"));
  auto const first = cells(lines[1], Run::once().model), second = cells(lines[2], Others::once().other),
             mean = cells(lines[3], "mean of experts"), together = cells(lines[4], "ensemble");
  REQUIRE(first.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(mean[i] == doctest::Approx((first[i] + second[i]) / 2).epsilon(1e-4));
    CHECK(together[i] < mean[i]);
    CHECK(first[i] != second[i]);
  }
  CHECK(lines[5].starts_with("tokens that cost more than the experts' weighted mean: 0 of "));
  auto const eval = Program("eval", {"--model", Run::once().model, folder / "a.txt"}).wait();
  CHECK(cells(lines_of(eval.out)[2].substr(0, 11), "")[0] == doctest::Approx(first[0]));

  auto only_second = texts;
  only_second.insert(only_second.end(), {"--weights", "0,1"});
  CHECK(cells(lines_of(merge(only_second).out)[4], "ensemble") == second);
  auto led = texts;
  led.insert(led.end(), {"--posterior", "--decay", "0.9"});
  auto const by_context = lines_of(merge(led).out);
  REQUIRE(by_context.size() == 5);  // the theorem is of fixed weights
  CHECK(cells(by_context[4], "ensemble") != together);
}

TEST_CASE("merge: continues a text, and saves what it merged") {
  TemporaryFolder const folder;
  Lines const saying{"--prompt", "The", "--max-tokens", "20", "--temperature", "0"};
  auto const said = merge(saying);
  CHECK(said.status == 0);
  CHECK(said.out.starts_with("The"));
  CHECK(said.out.size() > 10);
  auto saving = saying;
  saving.insert(saving.end(), {"--weights", "0,1", "--save", folder / "both"});
  auto const second = merge(saving);
  CHECK(second.status == 0);
  Lines again{folder / "both"};
  again.insert(again.end(), saying.begin(), saying.end());
  CHECK(Program("merge", again).wait().out == second.out);
  again.insert(again.end(), {"--weights", "1,1"});
  CHECK(Program("merge", again).wait().out == said.out);
  CHECK(run("generate",
            {{"--model", Others::once().other}, {"--prompt", "The"}, {"--max-tokens", "20"}, {"--temperature", "0"}})
            .out == second.out);
}

TEST_CASE("merge: what it cannot do is one sentence") {
  TemporaryFolder const folder;
  auto const& model = Run::once().model;
  auto const alone = [](Lines const& all) { return Program("merge", all).wait(); };
  check_complaint(alone({}), "models is required");
  check_sentence(alone({model, "--prompt", "x"}), "there must be at least two experts (got 1)");
  check_sentence(merge({}), "there must be something to do");
  check_sentence(merge({"--prompt", "x", "--weights", "1"}), "one weight for each of the 2 experts (got 1)");
  check_sentence(merge({"--prompt", "x", "--weights", "1,-1"}), "every weight must be 0 or more");
  check_sentence(merge({"--prompt", "x", "--posterior", "--decay", "2"}), "the decay must lie in [0, 1]");
  check_sentence(merge({"--prompt", "x", "--decay", "0.5"}), "--decay belongs to --posterior");
  check_sentence(merge({"--prompt", "x", "--temperature", "-1"}), "the temperature must be 0 or more");
  check_sentence(merge({"--text", folder / "none.txt"}), "none.txt' must be a readable file");
  check_sentence(alone({model, folder / "none", "--prompt", "x"}), "none/config.json' must be a readable file");
  check_sentence(alone({model, Others::once().stranger, "--prompt", "x"}), "must have the vocabulary size of");
}

}  // namespace merge_test
