// SPDX-License-Identifier: MIT
// Any bytes as the author's lists of n-grams: the Python literal of all languages, and the list of one a line.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "gt/paper/bvv241_ngrams.hpp"

using namespace gt;

namespace {

void check_order(std::vector<std::string> const& ngrams) {
  auto const order = detail::in_placement_order(ngrams);
  fuzz::require(order.size() <= ngrams.size() && order.empty() == ngrams.empty(), "each n-gram must be there once");
  for (std::size_t i = 1; i < order.size(); ++i) {
    auto const a = utf8::length(order[i - 1]), b = utf8::length(order[i]);
    fuzz::require(a > b || (a == b && order[i - 1] < order[i]), "the longest must be first");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const path = fuzz::folder().put("ngrams", fuzz::text_of(data, size));
  fuzz::HeapBudget const budget{.factor = 64};
  std::string contents;
  if (!fuzz::accepts(size, budget, [&] { contents = detail::read_ngram_file(path); })) return 0;
  fuzz::accepts(size, budget, [&] {
    for (auto const selection : {detail::NgramSelection{}, {.longest = 2, .top = 1}, {.longest = 5, .top = 1 << 30}}) {
      auto const ngrams = detail::NgramReader(contents, "fuzz").read(selection);
      for (auto const& ngram : ngrams) {
        auto const length = static_cast<int>(utf8::length(ngram));
        fuzz::require(utf8::is_valid(ngram) && length <= selection.longest, "an n-gram must be what was selected");
      }
      check_order(ngrams);
    }
  });
  fuzz::accepts(size, budget, [&] {
    auto const ngrams = detail::read_ngram_lines(contents, "fuzz");
    for (auto const& ngram : ngrams) fuzz::require(utf8::length(ngram) > 1, "an n-gram has two characters");
    check_order(ngrams);
  });
  return 0;
}
