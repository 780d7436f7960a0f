// SPDX-License-Identifier: MIT
// The text a model learns from: files read whole, the held-out end, and its token ids.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/format.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/tokens.hpp"
#include "gt/text/utf8.hpp"

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
  static Corpus read(std::vector<std::string> const& paths) {
    check(!paths.empty(), "Corpus::read", "at least one file is needed (got none)");
    Corpus corpus;
    auto data = std::make_shared<Data>();
    for (std::string const& path : paths) {
      std::string const contents = read_text_file(path, any_bytes);
      auto const mark = check_text(contents, "Corpus::read", gt::text("'", path, "'"));
      if (!data->text.empty() && data->text.back() != '\n') data->text += '\n';
      data->starts.push_back(data->text.size());
      data->text.append(contents, mark);
      data->names.push_back(path);
      data->marks.push_back(mark);
    }
    corpus.data_ = std::move(data);
    return corpus;
  }
  /// One document from memory; what `read` refuses and leaves out is here too.
  static Corpus from_text(std::string contents) {
    auto const mark = check_text(contents, "Corpus::from_text", "the text");
    contents.erase(0, mark);
    Corpus corpus;
    corpus.data_ = std::make_shared<Data>(Data{std::move(contents), {0}, {"text"}, {mark}});
    return corpus;
  }

  std::string_view text() const { return data_->text; }                                      ///< all documents
  std::int64_t bytes() const { return static_cast<std::int64_t>(text().size()); }            ///< of text()
  std::int64_t documents() const { return static_cast<std::int64_t>(data_->names.size()); }  ///< how many
  /// The i-th document, with the newline that was added if another follows.
  std::string_view document(std::int64_t i) const {
    auto const at = checked(i);
    std::size_t const begin = data_->starts[at];
    std::size_t const end = at + 1 < data_->starts.size() ? data_->starts[at + 1] : text().size();
    return text().substr(begin, end - begin);
  }
  /// The path that the i-th document was read from.
  std::string const& name(std::int64_t i) const { return data_->names[checked(i)]; }

  /// What who trains on it should know, a sentence each, for most texts none: bytes that are not UTF-8, with their
  /// share and the first place; documents that are there twice, so that what is held out may be trained on.
  std::vector<std::string> warnings() const {
    std::vector<std::string> sentences;
    std::int64_t malformed = 0;
    std::size_t first = 0;
    for (std::size_t at = 0; at < text().size();) {
      Utf8Unit const unit = decode_utf8(text(), at);
      if (!unit.valid && malformed++ == 0) first = at;
      at += unit.size;
    }
    if (malformed > 0) {
      auto const& starts = data_->starts;
      auto const in =
          static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), first) - starts.begin()) - 1;
      double const percent = 100 * static_cast<double>(malformed) / static_cast<double>(bytes());
      sentences.push_back(gt::text(malformed, " of ", bytes(), " bytes (",
                                   percent < 0.1 ? "less than 0.1" : decimals(percent, percent < 10 ? 1 : 0),
                                   " %) are not UTF-8, the first at offset ", first - starts[in] + data_->marks[in],
                                   " of '", data_->names[in],
                                   "'; words break there: convert the text, as with iconv -f ISO-8859-1 -t UTF-8"));
    }
    std::unordered_map<std::string_view, std::int64_t> seen;
    for (std::int64_t i = 0; i < documents(); ++i) {
      auto contents = document(i);
      if (contents.ends_with('\n')) contents.remove_suffix(1);  // which may have been added
      auto const [earlier, fresh] = seen.emplace(contents, i);
      if (!fresh)
        sentences.push_back(gt::text("'", name(i), "' is the same text as '", name(earlier->second),
                                     "': what is held out may have been trained on; name each text once"));
    }
    for (auto& sentence : sentences) sentence = detail::on_one_line(std::move(sentence));
    return sentences;
  }

  /// Holds out the last `held_out` of the bytes. The cut moves to the nearest end of a paragraph ("\n\n") within 4,096
  /// bytes, else of a line, else of a character; never by more than half of what is held out or of what is not.
  /// Newlines stay with what they end. A share of 0 holds out nothing.
  CorpusSplit split(double held_out = default_held_out) const {
    check(held_out >= 0 && held_out < 1, "Corpus::split", "the held-out share must be in [0, 1) (got ", held_out, ")");
    auto const size = text().size();
    auto const wish = size - static_cast<std::size_t>(static_cast<double>(size) * held_out + 0.5);
    if (held_out == 0) return {text(), {}};
    std::size_t const reach = std::min(size - wish, wish) / 2;
    auto cut = nearest_break(wish, std::min<std::size_t>(reach, 4096), 2);
    if (!cut) cut = nearest_break(wish, reach, 1);
    if (!cut) cut = utf8_start(wish);
    return {text().substr(0, *cut), text().substr(*cut)};
  }

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
  static std::size_t check_text(std::string_view contents, std::string_view where, std::string_view name) {
    using namespace std::string_view_literals;
    for (auto const& [mark, encoding] : {std::pair{"\xFF\xFE\0\0"sv, "UTF-32"}, std::pair{"\0\0\xFE\xFF"sv, "UTF-32"},
                                         std::pair{"\xFF\xFE"sv, "UTF-16"}, std::pair{"\xFE\xFF"sv, "UTF-16"}})
      check(!contents.starts_with(mark), where, name, " must be UTF-8 (it begins with the mark of ", encoding,
            "); convert it: iconv -f ", encoding, " -t UTF-8");
    std::size_t const mark = contents.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    check(contents.size() > mark, where, name, " must hold text (got ",
          mark == 0 ? "0 bytes)" : "a mark of UTF-8 alone)");
    auto const nul = contents.find('\0');
    check(nul == contents.npos, where, name, " must be a text file (got a NUL byte at offset ", nul,
          "); convert UTF-16 to UTF-8, unpack archives");
    return mark;
  }
  std::size_t checked(std::int64_t i) const {
    check(i >= 0 && i < documents(), "Corpus::document", "the index must be in [0, ", documents(), ") (got ", i, ")");
    return static_cast<std::size_t>(i);
  }
  /// The place nearest to `wish`, strictly inside the text and within `reach`, that follows a run of at least
  /// `newlines` newlines; the earlier of two equally near.
  std::optional<std::size_t> nearest_break(std::size_t wish, std::size_t reach, std::size_t newlines) const {
    std::string_view const all = text();
    auto const breaks = [&](std::size_t at) {
      return at >= newlines && at < all.size() && all[at] != '\n' &&
             all.substr(at - newlines, newlines).find_first_not_of('\n') == all.npos;
    };
    for (std::size_t away = 0; away <= reach; ++away) {
      if (away < wish && breaks(wish - away)) return wish - away;
      if (breaks(wish + away)) return wish + away;
    }
    return std::nullopt;
  }
  /// The start of the character around byte `at`, or `at` itself between characters.
  std::size_t utf8_start(std::size_t at) const {
    for (std::size_t back = 1; back <= 3 && back <= at; ++back)
      if (decode_utf8(text(), at - back).size > back) return at - back;
    return at;
  }

  std::shared_ptr<Data const> data_;
};

}  // namespace gt::inline GT_ABI
