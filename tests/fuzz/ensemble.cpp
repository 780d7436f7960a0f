// SPDX-License-Identifier: MIT
// Any text as an ensemble.json beside experts and an adapter that are there: it is refused, or all experts lie where
// they may, and written again it is the same. `<0>` and `<1>` stand for the SHA-256 of the experts' weights.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fuzz.hpp"
#include "gt/formats/ensemble_folder.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "json_mutator.hpp"
#include "models.hpp"

using namespace gt;

namespace {

using Both = Ensemble<Transformer<>>;

// The folders all/merged, which is fuzzed; all/a and all/merged/b, which are experts; and outside, which is one too.
struct Place {
  std::string merged = fuzz::folder() / "all/merged";
  std::vector<std::pair<std::string, std::string>> words;
  Both::expert_type const first = fuzz::model_of(1, 1), second = fuzz::model_of(0, 2);

  Place() {
    Vocabulary vocabulary;
    for (char const* const token : {"a", "b", "c", "d"}) vocabulary.add(token, TokenKind::character);
    vocabulary.add("</s>", TokenKind::special);
    Tokenizer const tokenizer(std::move(vocabulary), {});
    io::make_folder(merged);
    save(first, tokenizer, fuzz::folder() / "all/a");
    save(second, tokenizer, merged + "/b");
    words = {{"<0>", detail::weights_hash(formats::TensorFiles::open(fuzz::folder() / "all/a"))},
             {"<1>", detail::weights_hash(formats::TensorFiles::open(merged + "/b"))},
             {"<s>", first.substrate_fingerprint()},
             {"<t>", tokenizer.fingerprint()}};
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static Place const place;
  std::string text(fuzz::text_of(data, size));
  for (auto const& [word, meaning] : place.words)
    for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; at += meaning.size())
      text.replace(at, word.size(), meaning);
  fuzz::folder().put("all/merged/ensemble.json", text);

  // What trained after merging, of this very text.
  FusionAdapter<float> const adapter(2, 8, fuzz::vocab, {.rank = 2});
  std::vector<io::TensorView> tensors;
  auto const parameters = adapter.parameters();
  for (auto const& p : parameters) tensors.push_back(detail::view_of(p));
  auto const heads0 = detail::head_tensors(place.first, 0), heads1 = detail::head_tensors(place.second, 1);
  if (size % 2 == 1) {
    for (auto const& p : heads0) tensors.push_back(detail::view_of(p));
    for (auto const& p : heads1) tensors.push_back(detail::view_of(p));
  }
  io::write_safetensors(place.merged + "/ensemble.safetensors", std::span<io::TensorView const>(tensors),
                        {{"format", "pt"}, {"gt.ensemble", sha256_hex(text)}});

  std::optional<Both> ensemble;
  fuzz::HeapBudget const budget{.constant = 4 << 20,
                                .factor = 1 << 12};  // an entry of 100 bytes may name a whole model
  if (!fuzz::accepts(text.size(), budget, [&] { ensemble = load_ensemble(place.merged); })) return 0;
  fuzz::require(ensemble->size() >= 2, "an ensemble has two experts");
  double sum = 0;
  for (double const w : ensemble->weights()) fuzz::require(w >= 0, "no weight is negative"), sum += w;
  fuzz::require(sum > 1 - 1e-9 && sum < 1 + 1e-9, "weights must sum to 1");
  std::string const copy = fuzz::folder() / "all/copy";
  save_ensemble(*ensemble, copy);
  auto const again = load_ensemble(copy);
  fuzz::require(again.size() == ensemble->size() && again.mixing() == ensemble->mixing(), "it must read the same");
  return 0;
}
