// SPDX-License-Identifier: MIT
// What gt/text/corpus.hpp declares.
#pragma once

#include <algorithm>
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
#include "gt/base/macros.hpp"
#include "gt/io/text_bound.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/corpus.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI {

GT_FN Corpus Corpus::read(std::vector<std::string> const& paths) {
  check(!paths.empty(), "Corpus::read", "at least one file is needed (got none)");
  Corpus corpus;
  auto data = std::make_shared<Data>();
  std::int64_t const most = detail::text_bytes_that_fit();  // of all together
  for (std::string const& path : paths) {
    auto const left = std::max<std::int64_t>(0, most - static_cast<std::int64_t>(data->text.size()));
    std::string const contents = read_text_file(path, left);
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

GT_FN Corpus Corpus::from_text(std::string contents) {
  auto const mark = check_text(contents, "Corpus::from_text", "the text");
  contents.erase(0, mark);
  Corpus corpus;
  corpus.data_ = std::make_shared<Data>(Data{std::move(contents), {0}, {"text"}, {mark}});
  return corpus;
}

GT_FN std::string_view Corpus::document(std::int64_t i) const {
  auto const at = checked(i);
  std::size_t const begin = data_->starts[at];
  std::size_t const end = at + 1 < data_->starts.size() ? data_->starts[at + 1] : text().size();
  return text().substr(begin, end - begin);
}

GT_FN std::vector<std::string> Corpus::warnings() const {
  std::vector<std::string> sentences;
  std::int64_t malformed = 0;
  std::size_t first = 0;
  for (std::size_t at = 0; at < text().size();) {
    utf8::Unit const unit = utf8::decode(text(), at);
    if (!unit.valid && malformed++ == 0) first = at;
    at += unit.size;
  }
  if (malformed > 0) {
    auto const& starts = data_->starts;
    auto const in =
        static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), first) - starts.begin()) - 1;
    auto const tenths =
        static_cast<std::int64_t>(1000 * (static_cast<double>(malformed) / static_cast<double>(bytes())));
    auto const percent = tenths < 1     ? "less than 0.1"
                         : tenths < 100 ? gt::text(tenths / 10, ".", tenths % 10)
                                        : gt::text(tenths / 10);
    sentences.push_back(gt::text(malformed, " of ", bytes(), " bytes (", percent,
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

GT_FN CorpusSplit Corpus::split(double held_out) const {
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

GT_FN std::size_t Corpus::check_text(std::string_view contents, std::string_view where, std::string_view name) {
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
        "); unpack archives, and convert other encodings to UTF-8");
  return mark;
}

GT_FN std::size_t Corpus::checked(std::int64_t i) const {
  check(i >= 0 && i < documents(), "Corpus::document", "the index must be in [0, ", documents(), ") (got ", i, ")");
  return static_cast<std::size_t>(i);
}

GT_FN std::optional<std::size_t> Corpus::nearest_break(std::size_t wish, std::size_t reach,
                                                       std::size_t newlines) const {
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

GT_FN std::size_t Corpus::utf8_start(std::size_t at) const {
  for (std::size_t back = 1; back <= 3 && back <= at; ++back)
    if (utf8::decode(text(), at - back).size > back) return at - back;
  return at;
}

}  // namespace gt
