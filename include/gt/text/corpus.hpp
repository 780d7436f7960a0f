// SPDX-License-Identifier: MIT
// The text a model learns from: files read whole, the held-out end, and its token ids.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/text/tokens.hpp"

namespace gt::inline GT_ABI {

/// What turns text into ids: gt::Tokenizer, or a tokenizer of your own.
template <class T>
concept TextEncoder = requires(T const tokenizer, std::string_view text, std::vector<std::int32_t>& ids) {
  tokenizer.encode_into(text, ids);
  { tokenizer.size() } -> std::convertible_to<std::int64_t>;
};

/// Both parts of a corpus, in its own memory: valid while the Corpus, or a copy of it, lives.
struct CorpusSplit {
  std::string_view train;       ///< all but the end
  std::string_view validation;  ///< the end, never trained on
};

/// One text, made of documents one after the other. Copies share it.
///
///     auto corpus = gt::Corpus::read({"austen.txt"});
///     auto [train, validation] = corpus.split(0.05);
class Corpus {
 public:
  static constexpr double default_held_out = 0.05;  ///< share of the bytes

  /// Reads each file as one document. Throws gt::Error, naming the file, if one is missing, a directory, empty, begins
  /// with the mark of UTF-16 or UTF-32, or is binary (holds a NUL byte). The mark of UTF-8 (EF BB BF) is left out. A
  /// document that does not end in a newline gets one if another follows.
  static Corpus read(std::vector<std::string> const& paths);
  /// One document from memory; what `read` refuses and leaves out is here too.
  static Corpus from_text(std::string contents);

  std::string_view text() const { return data_->text; }                                      ///< all documents
  std::int64_t bytes() const { return static_cast<std::int64_t>(text().size()); }            ///< of text()
  std::int64_t documents() const { return static_cast<std::int64_t>(data_->names.size()); }  ///< how many
  /// The i-th document, with the newline that was added if another follows.
  std::string_view document(std::int64_t i) const;
  /// The path that the i-th document was read from.
  std::string const& name(std::int64_t i) const { return data_->names[checked(i)]; }

  /// What who trains on it should know, a sentence each, for most texts none: bytes that are not UTF-8, with their
  /// share and the first place; documents that are there twice, so that what is held out may be trained on.
  std::vector<std::string> warnings() const;

  /// Holds out the last `held_out` of the bytes. The cut moves to the nearest end of a paragraph ("\n\n") within 4,096
  /// bytes, else of a line, else of a character; never by more than half of what is held out or of what is not.
  /// Newlines stay with what they end. A share of 0 holds out nothing.
  CorpusSplit split(double held_out = default_held_out) const;

  /// The ids of both parts of `split(held_out)`, encoded apart.
  template <TextEncoder Encoder>
  TokenizedCorpus tokens(Encoder const& tokenizer, double held_out = default_held_out) const {
    auto const ids_of = [&](std::string_view part) {
      std::vector<std::int32_t> ids;
      tokenizer.encode_into(part, ids);
      return Tokens::from_ids(ids, static_cast<std::int64_t>(tokenizer.size()));
    };
    auto const [train, validation] = split(held_out);
    return {ids_of(train), ids_of(validation), static_cast<std::int64_t>(train.size()),
            static_cast<std::int64_t>(validation.size())};
  }

 private:
  struct Data {
    std::string text;
    std::vector<std::size_t> starts;
    std::vector<std::string> names;
    std::vector<std::size_t> marks;  // bytes that were left out at the start of each
  };
  Corpus() = default;

  /// Refuses what is no text in UTF-8; how many bytes its mark takes.
  static std::size_t check_text(std::string_view contents, std::string_view where, std::string_view name);
  std::size_t checked(std::int64_t i) const;
  /// The place nearest to `wish`, strictly inside the text and within `reach`, that follows a run of at least
  /// `newlines` newlines; the earlier of two equally near.
  std::optional<std::size_t> nearest_break(std::size_t wish, std::size_t reach, std::size_t newlines) const;
  /// The start of the character around byte `at`, or `at` itself between characters.
  std::size_t utf8_start(std::size_t at) const;

  std::shared_ptr<Data const> data_;
};

}  // namespace gt::inline GT_ABI

#if !defined(GT_PREBUILT)
  #include "gt/text/corpus_impl.hpp"
#endif
