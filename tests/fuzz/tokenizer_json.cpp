// SPDX-License-Identifier: MIT
// Any text as a tokenizer.json: one that is taken encodes and decodes all that it can spell, and reads the same again.
#include "gt/text/tokenizer_json.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fuzz.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  std::optional<Tokenizer> tokenizer;
  fuzz::HeapBudget const budget{.factor = 256};
  if (!fuzz::accepts(size, budget, [&] { tokenizer = TokenizerJson::parse(input, "fuzz"); })) return 0;
  fuzz::accepts(size, budget, [&] {
    auto const again = TokenizerJson::parse(TokenizerJson::write(*tokenizer), "again");
    fuzz::require(again.fingerprint() == tokenizer->fingerprint() && again.tokens() == tokenizer->tokens() &&
                      again.unknown() == tokenizer->unknown() && again.merges() == tokenizer->merges(),
                  "what is written must read the same");
  });

  std::string all;
  for (auto const& token : tokenizer->tokens()) all += token;
  auto const unknown = tokenizer->unknown();
  for (std::string_view const text : {std::string_view(all), input.substr(0, 512), std::string_view("a\xFF<s> b")}) {
    fuzz::accepts(size + text.size(), budget, [&] {
      auto const ids = tokenizer->encode(text);
      bool const spelled = !unknown || std::find(ids.begin(), ids.end(), *unknown) == ids.end();
      fuzz::require(!spelled || tokenizer->decode(ids) == text, "what is spelled must come back");
      tokenizer->decode(tokenizer->encode_with_specials(text), Specials::skip);
      for (auto const id : ids) fuzz::require(tokenizer->token_bytes(id) >= 0, "a token has a length");
    });
  }
  return 0;
}
