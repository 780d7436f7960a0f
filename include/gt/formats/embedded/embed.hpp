// SPDX-License-Identifier: MIT
// Writes a model and its tokenizer as one C++ header, from which a program generates without a file.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "gt/base/bf16.hpp"
#include "gt/base/error.hpp"
#include "gt/base/format.hpp"
#include "gt/base/version.hpp"
#include "gt/core/buffer.hpp"
#include "gt/formats/embedded/embedded.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/text/tokenizer.hpp"

namespace gt::inline GT_ABI {

/// What is asked of `write_embedded`.
struct EmbedOptions {
  std::string name = "my_model";           ///< of the namespace that the header makes
  EmbeddedType type = EmbeddedType::fp32;  ///< of the weights
};

/// Whether `name` can name a namespace of a user's: a word of ASCII letters, digits and underscores that C++ does not
/// keep for itself, nor gt.
bool is_namespace_name(std::string_view name);

namespace detail {

/// Bytes as string literals, on lines of at most about 120 characters: of all forms the one that compilers read
/// fastest.
class LiteralWriter {
 public:
  explicit LiteralWriter(io::AtomicFile& file, std::string indent = "  ") : file_{file}, indent_{std::move(indent)} {}

  void write(std::string_view bytes);
  /// Ends the literal.
  void end();

 private:
  void add(unsigned char byte);

  io::AtomicFile& file_;
  std::string indent_, buffer_;
  std::size_t column_ = 0;
  bool any_ = false, open_ = false;
};

/// The block as C++ has it, all fields written out.
std::string block_literal(BlockConfig const& c);

template <class>
inline constexpr bool is_block = false;
template <class T>
inline constexpr bool is_block<Block<T>> = true;

/// A model and a tokenizer as a header has them, in memory.
class Embedded {
 public:
  template <class Model>
  Embedded(Model const& model, Tokenizer const& tokenizer, EmbeddedType type)
      : method_{model.substrate_method()}, fingerprint_{model.substrate_fingerprint()} {
    check(!model.has_adapters(), where, "a model is embedded without adapters; merge them first, or drop them");
    check(tokenizer.size() == model.vocab(), where, "the tokenizer must have as many tokens as the model (got ",
          tokenizer.size(), " and ", model.vocab(), ")");
    model_ = {.depth = model.depth(),
              .vocab = model.vocab(),
              .context = model.context(),
              .head_bias = model.has_head_bias(),
              .seed = model.seed().value,
              .table_width = model.table_width(),
              .substrate_method = method_,
              .type = type};
    std::int64_t size = 0;
    for (auto const count : embedded_parts<Model>(model.config(), model_)) size += embedded_size(type, count);
    bytes_ = Buffer<unsigned char>(size);
    model_.bytes = bytes_.span();
    unsigned char* at = bytes_.data();
    at = put(at, model.table_buffer(), type);
    for (auto const& block : model.blocks()) at = put(at, block.weights(), type);
    put(at, model.head_buffer(), type);
    if (type == EmbeddedType::bf16 && std::any_of(model.table_buffer().begin(), model.table_buffer().end(),
                                                  [](float x) { return static_cast<float>(Bf16(x)) != x; })) {
      fingerprint_ = Fingerprint(method_, model.vocab(), static_cast<int>(model.table_width()))
                         .text("bf16")
                         .text(fingerprint_)
                         .hex();
    }
    model_.substrate_fingerprint = fingerprint_;
    model_.checksum = embedded_checksum<Model>(model.config(), model_);

    for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
      tokens_ += static_cast<char>(tokenizer.vocabulary().kind(id));
      append(tokens_, static_cast<std::int64_t>(tokenizer.token(id).size()));
      tokens_ += tokenizer.token(id);
    }
    for (bpe::Merge const& merge : tokenizer.merges()) append(merges_, merge.left), append(merges_, merge.right);
    tokenizer_fingerprint_ = tokenizer.fingerprint();
    tokenizer_ = {tokens_, merges_, tokenizer.unknown().value_or(-1), tokenizer_fingerprint_};
  }
  Embedded(Embedded const&) = delete;
  Embedded& operator=(Embedded const&) = delete;

  EmbeddedModel const& model() const { return model_; }
  EmbeddedTokenizer const& tokenizer() const { return tokenizer_; }

 private:
  static constexpr std::string_view where = "write_embedded";

  static void append(std::string& bytes, std::int64_t value);
  // Returns where the next part begins.
  static unsigned char* put(unsigned char* at, Buffer<float> const& numbers, EmbeddedType type);

  std::string method_, fingerprint_, tokens_, merges_, tokenizer_fingerprint_;
  Buffer<unsigned char> bytes_;
  EmbeddedModel model_;
  EmbeddedTokenizer tokenizer_;
};

}  // namespace detail

/// Writes the header `path`, completely or not at all: `namespace NAME` with `block`, the type `Model`, and the
/// functions `model()` and `tokenizer()`, which read and check what they give at their first call and then give the
/// same again. bf16 rounds every number to the nearest, 2^-9 of it at most; a table that this changes gets a
/// fingerprint of its own. Errors: a name that C++ does not allow; adapters; a tokenizer of another size; a file that
/// cannot be written.
template <class Model>
void write_embedded(Model const& model, Tokenizer const& tokenizer, std::string const& path,
                    EmbedOptions const& options = {}) {
  static_assert(detail::is_block<typename Model::block_type> && std::is_same_v<typename Model::scalar, float>,
                "only models of gt::Block in fp32 can be named in a header");
  constexpr std::string_view where = "write_embedded";
  check(is_namespace_name(options.name), where, "the name must be one that C++ allows for a namespace (got '",
        options.name, "'); letters, digits and single underscores do");
  detail::Embedded const embedded(model, tokenizer, options.type);
  EmbeddedModel const& e = embedded.model();
  EmbeddedTokenizer const& t = embedded.tokenizer();
  bool const rounds = options.type == EmbeddedType::bf16;

  io::AtomicFile file(path);
  auto const literal = [&](std::string_view contents) {
    detail::LiteralWriter writer(file);
    writer.write(contents);
    writer.end();
    file.write(";\n");
  };
  file.write(text(
      "// A language model as a C++ header: ", model.depth(), " blocks of width ", model.config().d_model, ", ",
      model.vocab(), " tokens, ", model.parameter_count(), " parameters in ",
      rounds ? "bf16, rounded from fp32" : "fp32", ".\n// Written by gt ", version,
      " (./run embed); not to be edited: a checksum finds it. Include it in one source file:\n"
      "// each that does holds the weights until the program is linked.\n#pragma once\n\n"
      "#if __has_include(<gt/formats/embedded/embedded.hpp>)\n  #include <gt/formats/embedded/embedded.hpp>\n#else\n"
      "  #include <gt/gt.hpp>  // the library as a single header\n#endif\n\nnamespace ",
      options.name, " {\n\n/// The shape of its blocks.\ninline constexpr gt::BlockConfig block",
      detail::block_literal(model.config()),
      ";\n/// Its type.\nusing Model = gt::Transformer<>;\n\nnamespace detail {\n\n"
      "#if defined(__clang__)\n  #pragma clang diagnostic push\n"
      "  #pragma clang diagnostic ignored \"-Woverlength-strings\"\n#endif\n"));
  // Not const: a copy of the model shares these numbers, and whoever trains it must not write to constant memory.
  file.write("alignas(gt::alignment) inline unsigned char weights[] =\n");
  literal({reinterpret_cast<char const*>(e.bytes.data()), e.bytes.size()});
  file.write("inline constexpr char tokens[] =\n");
  literal(t.tokens);
  file.write("inline constexpr char merges[] =\n");
  literal(t.merges);
  auto const field = [&](char const* name, std::string_view contents) {
    file.write(text("      .", name, " =\n"));
    detail::LiteralWriter writer(file, "          ");
    writer.write(contents);
    writer.end();
    file.write(",\n");
  };
  file.write(text(
      "#if defined(__clang__)\n  #pragma clang diagnostic pop\n#endif\n\n}  // namespace detail\n\n"
      "/// The model, all frozen; the first call checks its weights. A copy shares them: `clone` it to train.\n"
      "inline Model const& model() {\n  static Model const read = gt::embedded_model<Model>({\n      .depth = ",
      e.depth, ",\n      .vocab = ", e.vocab, ",\n      .context = ", e.context, ",\n      .head_bias = ",
      e.head_bias ? "true" : "false", ",\n      .seed = ", e.seed, "u,\n      .table_width = ", e.table_width, ",\n"));
  field("substrate_method", e.substrate_method);
  field("substrate_fingerprint", e.substrate_fingerprint);
  file.write(text("      .type = gt::EmbeddedType::", rounds ? "bf16" : "fp32",
                  ",\n      .bytes = {detail::weights, sizeof detail::weights - 1},\n      .checksum = ", e.checksum,
                  "u,\n  }, block);\n  return read;\n}\n\n/// Its tokenizer; the first call reads and checks it.\n"
                  "inline gt::Tokenizer const& tokenizer() {\n"
                  "  static gt::Tokenizer const read = gt::embedded_tokenizer({\n"
                  "      .tokens = {detail::tokens, sizeof detail::tokens - 1},\n"
                  "      .merges = {detail::merges, sizeof detail::merges - 1},\n      .unknown = ",
                  t.unknown, ",\n"));
  field("fingerprint", t.fingerprint);
  file.write(text("  });\n  return read;\n}\n\n}  // namespace ", options.name, "\n"));
  file.commit();
}

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/embedded/embed_impl.hpp"
#endif
