// SPDX-License-Identifier: MIT
// Models as constants of a program: what was embedded is read to the bit where it lies, and what was changed is
// refused.
#include "gt/formats/embedded/embed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "formats/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/formats/embedded/embedded.hpp"

namespace embed_test {

using gt::Bf16, gt::BlockConfig, gt::embedded_model, gt::embedded_tokenizer, gt::EmbeddedType, gt::is_namespace_name,
    gt::Transformer, gt::write_embedded, gt::detail::Embedded;
using gt::test::bit_equal, gt::test::differences, gt::test::error_of, gt::test::has, gt::test::model_on_bits,
    gt::test::model_on_rows, gt::test::TemporaryFolder, gt::test::tokenizer_of_prose;

namespace {

template <class Model>
auto logits_of(Model const& model) {
  return gt::test::logits(gt::Cpu<>(1), model, gt::test::ids_below(model.vocab(), 20, 1), {1, 20});
}
/// Embeds a model and reads it: nothing is lost, and in fp32 nothing is copied.
void round_trip(Transformer<> const& model) {
  Embedded const embedded(model, tokenizer_of_prose(), EmbeddedType::fp32);
  auto const& e = embedded.model();
  auto const read = embedded_model(e, model.config());
  CHECK(differences(model, read) == std::vector<std::string>{});
  CHECK(read.config() == model.config());
  CHECK(read.depth() == model.depth());
  CHECK(read.context() == model.context());
  CHECK(read.seed().value == model.seed().value);
  CHECK(read.has_head_bias() == model.has_head_bias());
  CHECK(read.table_width() == model.table_width());
  CHECK(read.substrate_method() == model.substrate_method());
  CHECK(read.substrate_fingerprint() == model.substrate_fingerprint());
  CHECK(gt::test::trainable_names(read).empty());
  CHECK(bit_equal(logits_of(read), logits_of(model)));
  for (auto const& p : read.parameters()) {
    auto const* const first = reinterpret_cast<unsigned char const*>(p.data);
    CHECK(first >= e.bytes.data());
    CHECK(first + sizeof(float) * static_cast<std::size_t>(p.size()) <= e.bytes.data() + e.bytes.size());
  }
}

}  // namespace

TEST_CASE("embed: a model is read to the bit where it lies") {
  round_trip(model_on_bits());
  round_trip(model_on_rows());
  round_trip(model_on_bits(0));
}

TEST_CASE("embed: what a folder cannot express as well: a bias on the head, RMSNorm, other biases, another MLP") {
  round_trip(model_on_bits(1, 3, {.context = 24, .head_bias = true}));
  round_trip(model_on_bits({.d_model = 32,
                            .heads = 2,
                            .d_ff = 48,
                            .qkv_bias = false,
                            .norm = gt::Norm::rms,
                            .gelu = gt::Gelu::erf,
                            .norm_eps = 1e-6,
                            .rope_base = 123456.789}));
}

TEST_CASE("embed: bf16 is every weight rounded, in half the bytes; a table that it changes has another name") {
  auto const check_rounded = [](auto const& model, bool same_table) {
    Embedded const exact(model, tokenizer_of_prose(), EmbeddedType::fp32);
    Embedded const half(model, tokenizer_of_prose(), EmbeddedType::bf16);
    CHECK(half.model().bytes.size() <= exact.model().bytes.size() / 2 + 64 * 4);
    auto const read = embedded_model(half.model(), model.config());
    auto const was = model.parameters(), is = read.parameters();
    REQUIRE(was.size() == is.size());
    std::int64_t wrong = 0, rounded = 0;
    for (std::size_t i = 0; i < was.size(); ++i) {
      for (std::int64_t j = 0; j < was[i].size(); ++j) {
        wrong += is[i].data[j] != static_cast<float>(Bf16(was[i].data[j]));
        rounded += is[i].data[j] != was[i].data[j];
      }
    }
    CHECK(wrong == 0);
    CHECK(rounded > 0);
    CHECK((read.substrate_fingerprint() == model.substrate_fingerprint()) == same_table);
  };
  check_rounded(model_on_bits(), true);  // zeros and ones
  check_rounded(model_on_rows(), false);

  auto model = model_on_bits();
  model.head_buffer()[5] = std::numeric_limits<float>::max();
  CHECK(has(error_of([&] { Embedded(model, tokenizer_of_prose(), EmbeddedType::bf16); }), "must fit bf16"));
}

TEST_CASE("embed: a tokenizer is read to the same fingerprint, with an unknown token too") {
  auto const same = [](gt::Tokenizer const& tokenizer) {
    auto const substrate = gt::RandomEmbedding::draw(tokenizer.tokens(), {.width = 8});
    Transformer<> const model(substrate, BlockConfig{.d_model = 8, .heads = 1}, gt::seed(1), {.context = 8});
    Embedded const embedded(model, tokenizer, EmbeddedType::fp32);
    auto const read = embedded_tokenizer(embedded.tokenizer());
    CHECK(read.fingerprint() == tokenizer.fingerprint());
    CHECK(read.encode("she was \xff there") == tokenizer.encode("she was \xff there"));
  };
  same(tokenizer_of_prose());
  gt::Vocabulary vocabulary;
  for (char const* token : {"<unk>", "s", "h", "e", " ", "w", "a"})
    vocabulary.add(token, token[1] ? gt::TokenKind::special : gt::TokenKind::character);
  auto const merged = vocabulary.add("she", gt::TokenKind::ngram), he = vocabulary.add("he", gt::TokenKind::ngram);
  for (int i = 0; i < 200; ++i) vocabulary.add(gt::text("<unused_", i, ">"), gt::TokenKind::unused);
  auto const late = vocabulary.add("wa", gt::TokenKind::ngram);  // an id of two bytes
  same(gt::Tokenizer(vocabulary, {{2, 3, he}, {1, he, merged}, {5, 6, late}}, 0));
}

TEST_CASE("embed: any changed byte, and any other description, is one sentence") {
  auto const model = model_on_bits(1);
  Embedded const embedded(model, tokenizer_of_prose(), EmbeddedType::fp32);
  auto const error = [](gt::EmbeddedModel const& e, BlockConfig const& shape = gt::test::small) {
    return error_of([&] { embedded_model(e, shape); });
  };
  auto const good = embedded.model();
  REQUIRE(error(good) == "no error");
  std::string_view const says = "weights and description must be as they were written";
  for (std::size_t at = 0; at < good.bytes.size(); at += good.bytes.size() / 37) {
    good.bytes[at] ^= 16;
    CHECK(has(error(good), says));
    good.bytes[at] ^= 16;
  }
  auto const changed = [&](auto const& change) {
    auto e = good;
    change(e);
    return error(e);
  };
  CHECK(has(changed([](auto& e) { ++e.depth; }), says));
  CHECK(has(changed([](auto& e) { e.depth = -1; }), "the description must be"));
  CHECK(has(changed([](auto& e) { e.vocab = 0; }), "the description must be"));
  CHECK(has(changed([](auto& e) { e.table_width = 5; }), "the description must be"));
  CHECK(has(changed([](auto& e) { e.vocab += 1; }), says));
  CHECK(has(changed([](auto& e) { e.context = 4; }), says));
  CHECK(has(changed([](auto& e) { e.seed = 4; }), says));
  CHECK(has(changed([](auto& e) { e.head_bias = true; }), says));
  CHECK(has(changed([](auto& e) { e.type = EmbeddedType::bf16; }), says));
  CHECK(has(changed([](auto& e) { e.substrate_method = "glyph"; }), says));
  CHECK(has(changed([](auto& e) { e.substrate_fingerprint = "00"; }), says));
  CHECK(has(changed([](auto& e) { e.bytes = e.bytes.first(64); }), says));
  CHECK(has(changed([](auto& e) { ++e.checksum; }), says));
  CHECK(has(error(good, {.d_model = 16, .heads = 4}), says));
  CHECK(has(error(good, {.d_model = 32, .heads = 4, .gelu = gt::Gelu::erf}), says));
  gt::Buffer<unsigned char> moved(static_cast<std::int64_t>(good.bytes.size()) + 4);
  std::copy(good.bytes.begin(), good.bytes.end(), moved.begin() + 4);
  CHECK(has(changed([&](auto& e) { e.bytes = moved.span().subspan(4); }), "the weights must be aligned to 64 bytes"));
}

TEST_CASE("embed: a tokenizer of which any byte was changed or cut off is refused") {
  Embedded const embedded(model_on_bits(0), tokenizer_of_prose(), EmbeddedType::fp32);
  auto const good = embedded.tokenizer();
  auto const refused = [&](std::string_view tokens, std::string_view merges) {
    return error_of([&] { embedded_tokenizer({tokens, merges, good.unknown, good.fingerprint}); }) != "no error";
  };
  REQUIRE_FALSE(refused(good.tokens, good.merges));
  for (std::size_t at = 0; at < good.tokens.size(); at += 7) {
    auto bad = std::string{good.tokens};
    bad[at] = static_cast<char>(bad[at] ^ (at % 2 ? 1 : 0x80));
    CHECK(refused(bad, good.merges));
    CHECK(refused(good.tokens.substr(0, at), good.merges));
  }
  for (std::size_t at = 0; at < good.merges.size(); at += 5) {
    auto bad = std::string{good.merges};
    bad[at] = static_cast<char>(bad[at] ^ (at % 2 ? 1 : 0x80));
    CHECK(refused(good.tokens, bad));
    CHECK(refused(good.tokens, good.merges.substr(0, at)));
  }
  CHECK(has(error_of([&] {
              embedded_tokenizer({good.tokens, good.merges, 7, good.fingerprint});
            }),
            "vocabulary and merges must be as they were written"));
  CHECK(has(error_of([&] {
              embedded_tokenizer({good.tokens, good.merges, 420, good.fingerprint});
            }),
            "the strings must be as they were written"));
}

TEST_CASE("embed: a copy shares the weights and may be trained; a clone has its own") {
  auto const model = model_on_bits();
  Embedded const embedded(model, tokenizer_of_prose(), EmbeddedType::fp32);
  auto const read = embedded_model(embedded.model(), model.config());
  auto own = read.clone();
  own.head_buffer()[0] += 1;
  own.blocks()[0].weights()[0] += 1;
  CHECK(differences(model, read).empty());
  auto copy = read;
  copy.head_buffer()[0] += 1;
  CHECK(differences(model, read) == std::vector<std::string>{"model.norm.weight"});
}

TEST_CASE("embed: names that C++ allows") {
  for (char const* good : {"my_model", "a", "Austen2", "x_1", "stdx"}) CHECK(is_namespace_name(good));
  for (char const* bad : {"", "_a", "1a", "a b", "a-b", "a__b", "class", "std", "gt", "int", "a;", "\xc3\xa9", "a\n"})
    CHECK_FALSE(is_namespace_name(bad));
}

TEST_CASE("write_embedded: what it refuses leaves the file as it was") {
  TemporaryFolder const folder;
  auto const path = folder / "my_model.hpp";
  gt::test::put(path, "mine");
  auto model = model_on_bits();
  auto const error = [&](gt::EmbedOptions const& options, auto const& tokenizer) {
    return error_of([&] { write_embedded(model, tokenizer, path, options); });
  };
  CHECK(
      error({.name = "my model"}, tokenizer_of_prose()) ==
      "gt: write_embedded: the name must be one that C++ allows for a namespace (got 'my model'); letters, digits and "
      "single underscores do");
  auto const other = gt::Tokenizer::build(gt::Corpus::from_text(gt::test::prose(600)), {.vocab_size = 400});
  CHECK(error({}, other) ==
        "gt: write_embedded: the tokenizer must have as many tokens as the model (got 400 and 420)");
  {
    gt::test::FileSizeLimit const full(10'000);
    CHECK(has(error({}, tokenizer_of_prose()), "must be written completely (got: File too large)"));
  }
  model.attach_adapters({.rank = 2});
  CHECK(has(error({}, tokenizer_of_prose()), "a model is embedded without adapters"));
  CHECK(gt::read_text_file(path) == "mine");
  CHECK(folder.entries() == 1);
}

}  // namespace embed_test
