// SPDX-License-Identifier: MIT
// Reads the novels out of the R package `janeaustenr` without R:  austen Rdata.rdb > austen.txt
// The file is a row of zlib streams, each behind a 4-byte length. Inside, every line of a novel is a serialised string:
// flags 0x00040009, big-endian length, ASCII bytes. Out comes one paragraph a line, white space collapsed, without
// headings and the like (under 25 characters, 3 spaces or 70 % letters) and without what was said before word for word.
#include <zlib.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_set>

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f'); }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// Inflates the stream that starts at `at`, and moves `at` behind it. Empty when it is damaged.
std::string inflate_at(std::string const& file, std::size_t& at) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.data() + at));
  stream.avail_in = static_cast<uInt>(file.size() - at);
  std::string out, chunk(1 << 20, '\0');
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  at += stream.total_in;
  inflateEnd(&stream);
  return status == Z_STREAM_END ? out : std::string{};
}

/// The paragraphs of all novels, in the order of the file.
class Paragraphs {
 public:
  void add_line(std::string_view line) {
    bool blank = true;
    for (char const c : line) {
      if (is_space(c)) {
        pending_space_ = true;
        continue;
      }
      if (pending_space_ && !paragraph_.empty()) paragraph_ += ' ';
      pending_space_ = blank = false;
      paragraph_ += c;
    }
    pending_space_ = true;  // the end of the line
    if (blank) flush();
  }
  void flush() {
    std::size_t letters = 0, spaces = 0;
    for (char const c : paragraph_) letters += is_letter(c), spaces += c == ' ';
    bool const prose = paragraph_.size() >= 25 && spaces >= 3 && 10 * letters >= 7 * (paragraph_.size() - spaces);
    if (prose && seen_.insert(paragraph_).second) std::cout << paragraph_ << '\n';
    paragraph_.clear();
  }

 private:
  std::unordered_set<std::string> seen_;
  std::string paragraph_;
  bool pending_space_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  std::ifstream in(argc == 2 ? argv[1] : "", std::ios::binary);
  std::string const file{std::istreambuf_iterator<char>(in), {}};
  if (file.empty()) return std::fputs("usage: austen Rdata.rdb > austen.txt\n", stderr), 2;

  constexpr std::string_view string_flags{"\0\4\0\x09", 4};
  Paragraphs paragraphs;
  for (std::size_t at = 0; at + 4 < file.size();) {
    at += 4;
    std::string const record = inflate_at(file, at);
    if (record.empty()) return std::fputs("austen: the file is damaged\n", stderr), 1;
    for (std::size_t i = record.find(string_flags); i != record.npos && i + 8 <= record.size();
         i = record.find(string_flags, i)) {
      std::uint64_t length = 0;
      for (std::size_t k = i + 4; k < i + 8; ++k) length = length << 8 | static_cast<unsigned char>(record[k]);
      i += 8;
      if (length < 5000) paragraphs.add_line(std::string_view(record).substr(i, length));
      i += length;  // a missing string has length 2^32 - 1: nothing follows it
    }
  }
  paragraphs.flush();
}
