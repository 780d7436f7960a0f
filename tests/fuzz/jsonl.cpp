// SPDX-License-Identifier: MIT
// Any text as each kind of JSONL that evaluations read: a record that is read holds what its comment promises.
#include "gt/eval/jsonl.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fuzz.hpp"

using namespace gt;

namespace {

bool all_full(std::vector<std::string> const& texts) {
  return std::none_of(texts.begin(), texts.end(), [](auto const& each) { return each.empty(); });
}
bool is_sound(MultipleChoice const& r) {
  return !r.question.empty() && r.choices.size() >= 2 && r.answer < r.choices.size() &&
         r.labels.size() == r.choices.size() && all_full(r.choices) && all_full(r.labels);
}
bool is_sound(Extractive const& r) {
  return !r.context.empty() && !r.question.empty() && !r.answers.empty() && all_full(r.answers);
}
bool is_sound(Translation const& r) { return all_full({r.source, r.target, r.from, r.to}); }

template <class T>
void read(std::string_view input) {
  std::vector<T> records;
  if (!fuzz::accepts(input.size(), {.factor = 256}, [&] { records = parse_jsonl<T>(input, "fuzz"); })) return;
  fuzz::require(!records.empty(), "there must be a record");
  for (T const& record : records) fuzz::require(is_sound(record), "a record must hold what it promises");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  read<MultipleChoice>(input), read<Extractive>(input), read<Translation>(input);
  return 0;
}
