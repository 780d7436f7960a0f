// SPDX-License-Identifier: MIT
// Retrieval: what is asked stands in the context, nothing else tells it, and the score counts as one counts by hand.
#include "gt/eval/retrieval.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/eval/retrieval_passage.hpp"
#include "gt/eval/retrieval_recall.hpp"
#include "gt/infer/session.hpp"
#include "gt/text/tokenizer.hpp"
#include "io/support.hpp"
#include "support/model.hpp"

namespace retrieval_test {

using gt::AssociativeRecall, gt::no_target, gt::PassageRetrieval, gt::Passages, gt::PassageWords, gt::TaskPart;
using gt::test::error_of, gt::test::has;

namespace {

using Ids = std::vector<std::int32_t>;
struct Samples {
  Ids ids, targets;
  friend bool operator==(Samples const&, Samples const&) = default;
};
template <class Task>
Samples samples(Task const& task, TaskPart part, std::int64_t first, std::int64_t batch) {
  auto const n = static_cast<std::size_t>(batch * task.context());
  Samples s{Ids(n, -7), Ids(n, -7)};
  task.fill(part, first, batch, s.ids, s.targets);
  return s;
}
// The samples one by one: batches must not matter.
template <class Task>
Samples one_by_one(Task const& task, TaskPart part, std::int64_t first, std::int64_t batch) {
  Samples all;
  for (std::int64_t b = 0; b < batch; ++b) {
    auto const one = samples(task, part, first + b, 1);
    all.ids.insert(all.ids.end(), one.ids.begin(), one.ids.end());
    all.targets.insert(all.targets.end(), one.targets.begin(), one.targets.end());
  }
  return all;
}
template <class Task>
void check_repeats(Task const& task, Task const& same, Task const& other) {
  for (TaskPart const part : {TaskPart::train, TaskPart::held_out}) {
    auto const s = samples(task, part, 5, 20);
    CHECK(s == samples(same, part, 5, 20));
    CHECK(s == one_by_one(task, part, 5, 20));
    CHECK(s.ids != samples(other, part, 5, 20).ids);
    CHECK(s.ids != samples(task, part, 6, 20).ids);
    for (auto const id : s.ids) CHECK((id >= 0 && id < task.vocab()));
  }
  CHECK(samples(task, TaskPart::train, 0, 20).ids != samples(task, TaskPart::held_out, 0, 20).ids);
}
// `count` of n draws that each hit with probability p: within five standard deviations.
void check_share(std::int64_t count, std::int64_t n, double p) {
  double const draws = static_cast<double>(n);
  CHECK(std::abs(static_cast<double>(count) - draws * p) < 5 * std::sqrt(draws * p * (1 - p)));
}

// What a table of pairs, read off the context, says of every query; `no_target` before the first query.
Ids looked_up(std::span<std::int32_t const> ids, std::int32_t keys) {
  std::map<std::int32_t, std::int32_t> behind;
  Ids answers;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    bool const pair = t + 1 < ids.size() && ids[t] < keys && ids[t + 1] >= keys;
    if (pair) behind[ids[t]] = ids[t + 1];
    answers.push_back(pair || ids[t] >= keys ? no_target : behind.at(ids[t]));
  }
  return answers;
}

// Follows each token by its successor, whatever stands before.
struct Recite {
  static constexpr gt::BlockConfig shape{.d_model = 8, .heads = 1};
  gt::Transformer<> model;
  Recite() : model(identity(), shape, gt::Seed{}, {.context = 6}) {
    float* const head = model.head_buffer().data() + model.head_tensor_offset(decltype(model)::head_w);
    std::fill_n(head, 64, 0.0F);
    for (int i = 0; i < 8; ++i) head[(i + 1) % 8 * 8 + i] = 1;
  }
  static gt::FrozenTable identity() {
    gt::Buffer<float> rows(64);
    for (int i = 0; i < 8; ++i) rows[i * 8 + i] = 1;
    return gt::FrozenTable("identity", 8, 8, std::move(rows), "identity");
  }
};
// Sequences written down, the first again behind the last.
struct Written {
  std::vector<Ids> ids, targets;
  std::int64_t tokens = 8;
  std::int64_t vocab() const { return tokens; }
  std::int64_t context() const { return static_cast<std::int64_t>(ids[0].size()); }
  double chance() const { return 0; }
  void fill(TaskPart, std::int64_t first, std::int64_t batch, std::span<std::int32_t> to_ids,
            std::span<std::int32_t> to_targets) const {
    auto const length = static_cast<std::size_t>(context());
    for (std::size_t b = 0; b < static_cast<std::size_t>(batch); ++b) {
      std::size_t const from = (static_cast<std::size_t>(first) + b) % ids.size();
      std::copy_n(ids[from].begin(), length, to_ids.begin() + static_cast<std::ptrdiff_t>(b * length));
      std::copy_n(targets[from].begin(), length, to_targets.begin() + static_cast<std::ptrdiff_t>(b * length));
    }
  }
};

struct NoFill {
  std::int64_t vocab() const { return 1; }
  std::int64_t context() const { return 1; }
  double chance() const { return 0; }
};
static_assert(gt::RetrievalTask<Written> && !gt::RetrievalTask<NoFill>);

}  // namespace

TEST_CASE("AssociativeRecall: a table read off the context answers every query, and nothing else is asked") {
  AssociativeRecall const task({.pairs = 5, .queries = 9, .keys = 7, .values = 11, .fewest_pairs = 2});
  REQUIRE(task.context() == 19);
  REQUIRE(task.vocab() == 18);
  CHECK(task.chance() == 0.2);
  std::set<std::size_t> training_pairs;
  for (TaskPart const part : {TaskPart::train, TaskPart::held_out})
    for (std::int64_t n = 0; n < 200; ++n) {
      auto const s = samples(task, part, n, 1);
      CHECK(looked_up(s.ids, 7) == s.targets);
      std::size_t const pairs =
          (s.ids.size() - static_cast<std::size_t>(std::count_if(s.targets.begin(), s.targets.end(),
                                                                 [](auto t) { return t != no_target; }))) /
          2;
      std::set<std::int32_t> const shown(s.ids.begin(), s.ids.begin() + static_cast<std::ptrdiff_t>(2 * pairs));
      CHECK(shown.size() == 2 * pairs);  // keys differ, values differ
      if (part == TaskPart::held_out) CHECK(pairs == 5);
      if (part == TaskPart::train) training_pairs.insert(pairs);
      // No value behind the pairs: no query's answer can be seen, or told by what is left over.
      CHECK(std::all_of(s.ids.begin() + static_cast<std::ptrdiff_t>(2 * pairs), s.ids.end(),
                        [](auto id) { return id < 7; }));
    }
  CHECK(training_pairs == std::set<std::size_t>{2, 3, 4, 5});
  check_repeats(task, AssociativeRecall(task.options()), AssociativeRecall({5, 9, 7, 11, 2, gt::seed(2)}));
}

TEST_CASE("AssociativeRecall: keys, values and the pair that is asked for are equally likely") {
  AssociativeRecall const task({.pairs = 4, .queries = 1, .keys = 5, .values = 6});
  constexpr std::int64_t n = 3000;
  auto const s = samples(task, TaskPart::held_out, 0, n);
  std::map<std::int32_t, std::int64_t> keys, values;
  std::map<std::size_t, std::int64_t> pairs;
  for (std::int64_t i = 0; i < n; ++i) {
    auto const row = std::span(s.ids).subspan(static_cast<std::size_t>(9 * i), 9);
    std::int32_t const answer = s.targets[static_cast<std::size_t>(9 * i + 8)];
    ++keys[row[8]], ++values[answer];
    ++pairs[static_cast<std::size_t>(std::find(row.begin(), row.end(), answer) - row.begin()) / 2];
  }
  CHECK((keys.size() == 5 && values.size() == 6 && pairs.size() == 4));
  for (auto const& [key, count] : keys) check_share(count, n, 1.0 / 5);
  for (auto const& [value, count] : values) check_share(count, n, 1.0 / 6);
  for (auto const& [pair, count] : pairs) check_share(count, n, task.chance());
}

TEST_CASE("AssociativeRecall: what it refuses") {
  auto const said = [](gt::AssociativeRecallOptions const& o) { return error_of([&] { AssociativeRecall{o}; }); };
  CHECK(has(said({.pairs = 0}), "pairs and queries must lie in 1 ... 4096 (got 0 and 16)"));
  CHECK(has(said({.queries = 0}), "(got 8 and 0)"));
  CHECK(has(said({.pairs = 8, .keys = 7}), "a key and a value for each of 8 pairs (got 7 keys and 16 values)"));
  CHECK(has(said({.pairs = 8, .values = 7}), "(got 16 keys and 7 values)"));
  CHECK(has(said({.keys = 1 << 25}), "keys and values must be at most 2^24"));
  CHECK(has(said({.pairs = 8, .fewest_pairs = 9}), "fewest_pairs must be at most the number of pairs, 8 (got 9)"));
  CHECK(has(said({.fewest_pairs = -1}), "(got -1)"));
  AssociativeRecall const task;
  Ids ids(32), short_ids(31);
  CHECK(has(error_of([&] { task.fill(TaskPart::train, 0, 1, ids, short_ids); }), "batch * context = 32 (got 32, 31)"));
  CHECK(has(error_of([&] { task.fill(TaskPart::train, -1, 1, ids, ids); }), "must not be negative"));
}

TEST_CASE("Passages: the answer is the word that the passage says of the person, and of no other") {
  for (int const relations : {1, 3})
    for (int const fillers : {0, 6}) {
      Passages const passages({.people = 4, .relations = relations, .fillers = fillers});
      std::map<std::size_t, std::int64_t> places;
      for (std::int64_t n = 0; n < 1000; ++n) {
        auto const p = passages(TaskPart::held_out, n);
        REQUIRE(std::count(p.context.begin(), p.context.end(), '.') == 4 * relations + fillers);
        REQUIRE(p.questions.size() == 1);
        auto const& [question, answer] = p.questions[0];
        bool const lives = has(question, "live?"), keeps = has(question, "keep?");
        std::string const verb = lives ? " lives in " : keeps ? " keeps a " : " plays the ";
        auto const from = question.find("does ") + 5;
        auto const person = question.substr(from, question.rfind(' ') - from);
        CHECK(has(p.context, person + verb + answer + "."));
        // Candidates: the words behind that verb. They differ, and there are as many as people.
        std::vector<std::string> candidates;
        for (auto at = p.context.find(verb); at != std::string::npos; at = p.context.find(verb, at + 1)) {
          auto const begin = at + verb.size();
          candidates.push_back(p.context.substr(begin, p.context.find('.', begin) - begin));
        }
        REQUIRE(candidates.size() == 4);
        CHECK(std::set<std::string>(candidates.begin(), candidates.end()).size() == 4);
        ++places[static_cast<std::size_t>(std::find(candidates.begin(), candidates.end(), answer) -
                                          candidates.begin())];
        CHECK(p.text() == p.context + "\n" + question + " " + answer + "\n");
      }
      REQUIRE(places.size() == 4);
      for (auto const& [place, count] : places) check_share(count, 1000, passages.chance());
    }
}

TEST_CASE("Passages: training asks tersely as often as told, and held-out passages never do") {
  Passages const passages({.questions = 8, .terse = 0.25});
  int terse = 0;
  for (int i = 0; i < 200; ++i) {
    for (auto const& q : passages(TaskPart::train, i).questions) {
      bool const name_alone = q.question.find(' ') == q.question.npos;
      CHECK(name_alone != q.question.ends_with('?'));
      terse += name_alone;
    }
    CHECK(passages(TaskPart::held_out, i).questions.back().question.ends_with('?'));
  }
  CHECK(terse > 340);  // of 1600: four standard deviations from 400 are 69
  CHECK(terse < 470);
}
TEST_CASE("PassageRetrieval: targets are the answers and their ends, with any encoder") {
  auto const tokenizer =
      gt::Tokenizer::build(gt::Corpus::from_text(Passages({.seed = gt::seed(3)}).text(200)), {.vocab_size = 400});
  gt::PassageOptions const options{.people = 3, .relations = 2, .fillers = 2, .fewest_people = 1, .questions = 4};
  auto const look = [&](auto const& encoder) {
    PassageRetrieval const task(encoder, options);
    std::size_t longest = 0;
    for (TaskPart const part : {TaskPart::held_out, TaskPart::train})
      for (std::int64_t n = 0; n < 300; ++n) {
        auto const p = task.passages()(part, n);
        Ids whole, prompt, expected, asked;
        encoder.encode_into(p.text(), whole);
        encoder.encode_into(p.prompt(), prompt);
        for (auto const& q : p.questions) encoder.encode_into(q.answer + "\n", expected);
        longest = std::max(longest, whole.size() - 1);
        auto const s = samples(task, part, n, 1);
        REQUIRE(whole.size() <= s.ids.size() + 1);
        for (std::size_t i = 0; i < s.ids.size(); ++i) {
          if (i < whole.size()) CHECK(s.ids[i] == whole[i]);
          if (s.targets[i] == no_target) continue;
          REQUIRE(i + 1 < whole.size());
          CHECK(s.targets[i] == whole[i + 1]);
          asked.push_back(s.targets[i]);
        }
        CHECK(asked == expected);
        CHECK(p.questions.size() == (part == TaskPart::train ? 4 : 1));
        CHECK(s.targets[prompt.size() - 1] == whole[prompt.size()]);  // the last question is open where prompt() ends
        if (part == TaskPart::held_out)
          CHECK(std::all_of(s.targets.begin(), s.targets.begin() + static_cast<std::ptrdiff_t>(prompt.size()) - 1,
                            [](auto t) { return t == no_target; }));
      }
    CHECK(static_cast<std::int64_t>(longest) <= task.context());
    CHECK(static_cast<std::int64_t>(4 * longest) > 3 * task.context());  // the bound is not idle
    check_repeats(task, PassageRetrieval(encoder, options),
                  PassageRetrieval(encoder, {3, 2, 2, 1, 4, 0.0, gt::seed(9)}));
  };
  look(tokenizer);
  look(PassageWords());
  CHECK(PassageWords().size() == 99);
  CHECK(has(error_of([] {
              Ids ids;
              PassageWords().encode_into("Anna lives in Atlantis.", ids);
            }),
            "made of the words of passages (got 'Atlantis')"));
  auto const said = [](gt::PassageOptions const& o) { return error_of([&] { Passages{o}; }); };
  CHECK(has(said({.people = 17}), "people must lie in 1 ... 16 (got 17)"));
  CHECK(has(said({.relations = 0}), "relations must lie in 1 ... 3 (got 0)"));
  CHECK(has(said({.fillers = 7}), "fillers must lie in 0 ... 6 (got 7)"));
  CHECK(has(said({.fewest_people = 5}), "fewest_people must lie in 0 ... 4 (got 5)"));
  CHECK(has(said({.questions = 0}), "questions must lie in 1 ... 64 (got 0)"));
  CHECK(has(error_of([] { Passages()(TaskPart::train, -1); }), "must not be negative (got -1)"));
}

TEST_CASE("score_retrieval: counts as one counts by hand, in batches of any size") {
  constexpr std::int32_t none = no_target;
  Recite const recite;
  Written const task{{{1, 2, 3, 4}, {5, 6, 7, 0}, {0, 0, 0, 0}, {3, 1, 5, 2}},
                     {{none, none, 4, 5}, {6, none, none, 3}, {none, none, none, none}, {none, none, none, 3}}};
  for (std::int64_t const batch : {1, 3, 4, 100}) {
    auto const all = gt::score_retrieval(gt::Ref{}, recite.model, task, {.samples = 4, .batch = batch});
    CHECK(all.tokens == 5);        // 4 5 | 6 3 | 3
    CHECK(all.tokens_right == 4);  // behind 0 comes 1, not 3
    CHECK(all.samples == 3);
    CHECK(all.exact == 2);
    CHECK(all.accuracy() == 0.8);
    CHECK(all.exact_match() == doctest::Approx(2.0 / 3));
    CHECK(gt::score_retrieval(gt::Cpu<>{}, recite.model, task, {.samples = 5, .batch = batch}).exact == 3);
  }
  CHECK(gt::RetrievalScore{}.accuracy() == 0);
  CHECK(has(error_of([&] { gt::score_retrieval(gt::Ref{}, recite.model, task, {.samples = 0}); }),
            "samples and batch must be positive (got 0 and 64)"));
  CHECK(has(error_of([&] { gt::score_retrieval(gt::Ref{}, recite.model, AssociativeRecall()); }),
            "the model must have the task's 32 tokens and its context of 32 (got 8 and 6)"));
}

TEST_CASE("score_retrieval: exact are the samples whose completion greedy decoding gives") {
  constexpr gt::BlockConfig cfg{.d_model = 16, .heads = 2};
  PassageRetrieval const task(PassageWords(), {.people = 2, .fillers = 0});
  auto const model = gt::test::scrambled(cfg, 2, task.vocab(), {.context = task.context()});
  // Of a model that knows nothing: each sample asks for what it says, the second one but for its last token.
  std::int64_t const T = task.context();
  gt::Cpu<> const on(1);
  Written told;
  told.tokens = task.vocab();
  std::int64_t expected = 0;
  for (std::int64_t n = 0; n < 6; ++n) {
    auto s = samples(task, TaskPart::held_out, n, 1);
    std::size_t answer = 0;
    while (s.targets[answer] == no_target) ++answer;
    gt::Session session(on, model);
    auto logits = session.feed(std::span(s.ids).first(answer + 1));
    for (std::size_t t = answer; s.targets[t] != no_target; ++t) {
      auto const next = static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      bool const last = static_cast<std::int64_t>(t) + 1 == T || s.targets[t + 1] == no_target;
      s.targets[t] = n % 2 == 1 && last ? (next + 1) % static_cast<std::int32_t>(task.vocab()) : next;
      if (static_cast<std::int64_t>(t) + 1 == T) break;
      s.ids[t + 1] = next;
      logits = session.feed(std::span(&s.ids[t + 1], 1));
    }
    expected += n % 2 == 0;
    told.ids.push_back(s.ids), told.targets.push_back(s.targets);
  }
  auto const score = gt::score_retrieval(on, model, told, {.samples = 6, .batch = 4});
  CHECK(score.samples == 6);
  CHECK(score.exact == expected);
  CHECK(score.tokens_right == score.tokens - 3);
}

}  // namespace retrieval_test
