// SPDX-License-Identifier: MIT
// A model and its tokenizer as constants of a program: read from memory, without a file and without JSON.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/bf16.hpp"
#include "gt/base/bit_cast.hpp"
#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/io/checksum.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/table_embedding.hpp"
#include "gt/text/tokenizer.hpp"

// `./run embed MODEL --out my_model.hpp` (gt::write_embedded, formats/embedded/embed.hpp) writes a header of such
// constants, and
//
//     #include <gt/cpu.hpp>
//     #include <gt/infer/generate.hpp>
//     #include "my_model.hpp"
//
//     gt::generate(gt::Cpu<>{}, my_model::model(), my_model::tokenizer(), "It is", {}, print);
//
// is all that a program needs.

namespace gt::inline GT_ABI {

static_assert(std::endian::native == std::endian::little, "weights are embedded with the lowest byte first");

/// The element type that weights are embedded as.
enum class EmbeddedType : std::uint8_t {
  fp32,  ///< the numbers as they are: the model reads them where they lie
  bf16,  ///< rounded to 8 bits of precision, half the size: the model makes fp32 of them in memory of its own
};

/// The weights of a model, and what is to be known of it beside the shape of its blocks. The bytes are the table [V,
/// n], the buffer of each block, bottom to top, and that of the final norm and head, each followed by zeros up to a
/// multiple of 64 bytes.
struct EmbeddedModel {
  int depth = 0;                                                 ///< L
  std::int64_t vocab = 0, context = 0;                           ///< V; tokens a sequence may have
  bool head_bias = false;                                        ///< as TransformerOptions has it
  std::uint64_t seed = 1;                                        ///< that the model was made with
  std::int64_t table_width = 0;                                  ///< n of the substrate
  std::string_view substrate_method{}, substrate_fingerprint{};  ///< how the table was made, and its name
  EmbeddedType type = EmbeddedType::fp32;                        ///< of the numbers in `bytes`
  std::span<unsigned char> bytes{};                              ///< aligned to `gt::alignment`
  std::uint64_t checksum = 0;                                    ///< `embedded_checksum` of all of this
};

/// A tokenizer as two strings. Numbers in them have 7 bits a byte, the lowest first, and the highest bit set in all
/// bytes but the last. `tokens`: for each id its kind (a byte, see TokenKind), its length, its bytes; `merges`: the ids
/// left and right of each.
struct EmbeddedTokenizer {
  std::string_view tokens{}, merges{};  ///< as above
  std::int32_t unknown = -1;            ///< the id for what nothing else can spell; -1: none
  std::string_view fingerprint{};       ///< Tokenizer::fingerprint
};

namespace detail {

/// Bytes of a part of `count` numbers, with the zeros behind it.
constexpr std::int64_t embedded_size(EmbeddedType type, std::int64_t count) {
  constexpr auto line = static_cast<std::int64_t>(alignment);
  return (count * (type == EmbeddedType::bf16 ? 2 : 4) + line - 1) / line * line;
}

/// Numbers of the table, of each block, and of norm and head.
template <class Model>
std::vector<std::int64_t> embedded_parts(BlockConfig const& block, EmbeddedModel const& e) {
  std::int64_t each = 0, all = 0;
  for (auto const& spec : Model::block_type::tensors(block)) each += spec.size();
  for (auto const& [name, shape] : Model::tensor_shapes(block, e.vocab, e.table_width, 0, e.head_bias)) {
    std::int64_t size = 1;
    for (auto const extent : shape) size *= extent;
    all += size;
  }
  std::vector<std::int64_t> parts(static_cast<std::size_t>(e.depth) + 2, each);
  parts.front() = e.vocab * e.table_width, parts.back() = all - parts.front();
  return parts;
}

/// Reads the numbers of an EmbeddedTokenizer.
class EmbeddedReader {
 public:
  explicit EmbeddedReader(std::string_view bytes) : rest_{bytes} {}
  bool done() const { return rest_.empty(); }
  std::string_view bytes(std::size_t count) {
    need(count <= rest_.size());
    auto const taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::int32_t number() {
    std::uint32_t value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      auto const byte = static_cast<unsigned char>(bytes(1)[0]);
      value |= std::uint32_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return static_cast<std::int32_t>(value);
    }
    need(false);
    return 0;
  }
  void need(bool holds) const { check(holds, "embedded_tokenizer", "the strings must be as they were written"); }

 private:
  std::string_view rest_;
};

}  // namespace detail

/// XXH3 over the names and shapes of all tensors of `Model`, the description, and the bytes: it finds what was changed
/// by hand, and a library whose models have other tensors.
template <class Model>
std::uint64_t embedded_checksum(BlockConfig const& block, EmbeddedModel const& e) {
  io::Xxh3 sum;
  for (auto const& [name, shape] : Model::tensor_shapes(block, e.vocab, e.table_width, e.depth, e.head_bias)) {
    sum.update(text(name, "["));
    for (auto const extent : shape) sum.update(text(extent, ","));
  }
  sum.update(text(block.heads, " ", static_cast<int>(block.norm), " ", static_cast<int>(block.gelu), " ",
                  detail::bit_cast<std::uint64_t>(block.norm_eps), " ",
                  detail::bit_cast<std::uint64_t>(block.rope_base)));
  sum.update(text(" ", e.context, " ", e.seed, " ", e.substrate_method, " ", e.substrate_fingerprint, " ",
                  static_cast<int>(e.type), "\n"));
  return sum.update(std::as_bytes(e.bytes)).value();
}

/// The model that was embedded, all frozen, as the type Model. Where it is of fp32 its weights are the embedded ones,
/// neither copied nor, until they are used, brought into memory but for the checksum; so every model read from one `e`
/// shares them: `clone` gives one to train. Errors: another shape than the one that was embedded; bytes that were
/// changed, or that another version of the library wrote.
template <class Model = Transformer<>>
Model embedded_model(EmbeddedModel const& e, BlockConfig const& block) {
  constexpr std::string_view where = "embedded_model";
  check(block.d_model > 0 && e.depth >= 0 && e.vocab > 0 && e.table_width > 0 && block.d_model % e.table_width == 0,
        where, "the description must be as it was written");
  auto const parts = detail::embedded_parts<Model>(block, e);
  std::int64_t bytes = 0;
  for (auto const count : parts) bytes += detail::embedded_size(e.type, count);
  check(bytes == static_cast<std::int64_t>(e.bytes.size()) && embedded_checksum<Model>(block, e) == e.checksum, where,
        "weights and description must be as they were written, for a library of the same tensors (got ", e.bytes.size(),
        " bytes where ", bytes, " belong, or another checksum); write the header again with ./run embed");
  check(reinterpret_cast<std::uintptr_t>(e.bytes.data()) % alignment == 0, where, "the weights must be aligned to ",
        alignment, " bytes");

  unsigned char* at = e.bytes.data();
  auto const take = [&](std::int64_t count) {
    unsigned char* const here = std::exchange(at, at + detail::embedded_size(e.type, count));
    if (e.type == EmbeddedType::fp32) {  // constants of the program: nobody owns them
      return Buffer<float>::wrap(std::shared_ptr<float>(std::shared_ptr<void>{}, reinterpret_cast<float*>(here)),
                                 count);
    }
    Buffer<float> numbers(count);
    for (std::int64_t i = 0; i < count; ++i)
      numbers[i] = Bf16::from_bits(static_cast<std::uint16_t>(here[2 * i] | here[2 * i + 1] << 8));
    return numbers;
  };
  Model model(TableEmbedding::loaded(std::string{e.substrate_method}, std::string{e.substrate_fingerprint}, e.vocab,
                                     static_cast<int>(e.table_width), take(parts.front())),
              block, Seed{e.seed}, {.context = e.context, .head_bias = e.head_bias, .draw_head = false});
  for (int l = 0; l < e.depth; ++l) {
    typename Model::block_type added(block);
    added.weights() = take(parts[static_cast<std::size_t>(l) + 1]);
    model.blocks().push_back(std::move(added));
  }
  model.head_buffer() = take(parts.back());
  return model;
}

/// The tokenizer that was embedded.   Errors: strings that were changed.
inline Tokenizer embedded_tokenizer(EmbeddedTokenizer const& e) {
  detail::EmbeddedReader tokens(e.tokens), merges(e.merges);
  Vocabulary vocabulary;
  while (!tokens.done()) {
    auto const kind = static_cast<unsigned char>(tokens.bytes(1)[0]);
    tokens.need(kind <= static_cast<unsigned char>(TokenKind::unused));
    auto const size = static_cast<std::size_t>(tokens.number());
    vocabulary.add(std::string{tokens.bytes(size)}, static_cast<TokenKind>(kind));
  }
  std::vector<bpe::Merge> list;
  while (!merges.done()) {
    std::int32_t const left = merges.number(), right = merges.number();
    merges.need(vocabulary.contains(left) && vocabulary.contains(right));
    auto const result = vocabulary.id(vocabulary.token(left) + vocabulary.token(right));
    merges.need(result.has_value());
    list.push_back({left, right, *result});
  }
  merges.need(e.unknown < vocabulary.size());
  Tokenizer tokenizer(std::move(vocabulary), std::move(list),
                      e.unknown < 0 ? std::nullopt : std::optional<std::int32_t>{e.unknown});
  check(tokenizer.fingerprint() == e.fingerprint, "embedded_tokenizer",
        "vocabulary and merges must be as they were written; write the header again with ./run embed");
  return tokenizer;
}

}  // namespace gt
