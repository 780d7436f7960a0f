// SPDX-License-Identifier: MIT
// Draws what a model sees: characters and tokens as pictures on a sheet, and says which font drew how many.
#include <charconv>
#include <cstdio>
#include <gt/gt.hpp>
#include <gt/report/glyph_sheet.hpp>
#include <set>
#include <string>
#include <vector>

#include "commands.hpp"
#include "support/command_line.hpp"
#include "support/program.hpp"

namespace program::drawing {
namespace {

using Tokens = std::vector<std::string>;

Tokens characters_of(std::string_view text) {
  Tokens characters;
  for (gt::utf8::Units::Iterator at = gt::utf8::Units{text}.begin(); at != gt::utf8::Units{text}.end(); ++at)
    characters.emplace_back(text.substr(at.offset(), (*at).size));
  return characters;
}

// The characters of "U+0400-U+04FF", or of "400-4FF", or one alone.
Tokens characters_in(std::string const& range) {
  auto const fail_if = [&](bool bad) {
    gt::check(!bad, "glyphs", "--range must read U+0400-U+04FF, in order and at most U+10FFFF (got '", range, "')");
  };
  auto const number = [&](std::string_view digits) {
    if (digits.starts_with("U+") || digits.starts_with("u+")) digits.remove_prefix(2);
    std::uint32_t value = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    fail_if(digits.empty() || error != std::errc() || end != digits.data() + digits.size() || value > 0x10FFFF);
    return static_cast<char32_t>(value);
  };
  auto const dash = range.find('-');
  char32_t const first = number(std::string_view(range).substr(0, dash));
  char32_t const last = dash == std::string::npos ? first : number(std::string_view(range).substr(dash + 1));
  fail_if(last < first);
  Tokens characters;
  for (char32_t c = first; c <= last; ++c)
    if (gt::utf8::is_scalar_value(c)) characters.push_back(gt::utf8::encode(c));
  return characters;
}

// Without a wish: letters of three scripts, some that look alike, some that few fonts have, and n-grams.
Tokens assortment() {
  Tokens all = characters_of(
      "ABCDEFGHIJKLMNOPabcdefghijklmnopqrstuvwxyz0123456789.,;:!?&@ÄÖÜßéñłőŒžАБВГДЕЖЗабвгдежзАВЕОаео"
      "αβγδεζηθ語文字学龍鬱警察漢国안녕하세요ひらがなカタカナ∀∃∈∞≤≠√∫☀☂★♞♫😀𝔊");
  for (char const* token : {"th",  "the",  " the", "ing",  "tion", " and", "would ", "shall", "нет", "ого",
                            "что", "中国", "我们", "です", "\n\n", "==",   "://",    "0000",  "élé", "\xE4\xBD"})
    all.emplace_back(token);
  return all;
}

void report(gt::fonts::FontChain const& fonts, std::vector<std::string> const& files, Tokens const& tokens) {
  std::vector<int> drawn(files.size());
  std::set<char32_t> seen;
  std::string missing;
  int boxes = 0, bytes = 0;
  for (auto const& token : tokens) {
    for (gt::utf8::Unit const unit : gt::utf8::Units{token}) {
      if (!unit.valid) ++bytes;
      if (!unit.valid || !seen.insert(unit.value).second) continue;
      int const font = fonts.font_of(unit.value);
      if (font >= 0) ++drawn[static_cast<std::size_t>(font)];
      if (font < 0 && ++boxes <= 8) missing += " " + gt::report::sheet_label(gt::utf8::encode(unit.value));
    }
  }
  std::printf("%zu pictures of %zu different characters\n", tokens.size(), seen.size());
  for (std::size_t i = 0; i < files.size(); ++i) std::printf("  %6d drawn by %s\n", drawn[i], files[i].c_str());
  std::printf("  %6d in no font, drawn as boxes%s%s%s\n", boxes, boxes > 0 ? ":" : "", missing.c_str(),
              boxes > 8 ? " ..." : "");
  if (bytes > 0) std::printf("  %6d bytes that are no character, drawn as boxes of two digits\n", bytes);
}

struct CommandLine {
  CLI::App app{
      "Draws characters and tokens as a model sees them, on one sheet (PNG). Without --text, --range or --tokens: "
      "an assortment.",
      "gt glyphs"};
  std::vector<std::string> files;
  std::string text, range, tokenizer, out = "glyphs.png";
  gt::report::GlyphSheetOptions sheet;
  std::int64_t most = 2048;

  CommandLine() {
    app.add_option("--font", files,
                   "font files, the first choice first: .ttf, .otf, .ttc:FACE, .hex; GNU Unifont by default");
    auto* const one = app.add_option("--text", text, "draw the characters of this text");
    auto* const two = app.add_option("--range", range, "draw these characters, such as U+0400-U+04FF")->excludes(one);
    app.add_option("--tokens", tokenizer, "draw the tokens of this tokenizer.json")->excludes(one)->excludes(two);
    app.add_option("--raster", sheet.raster, "side of a picture in pixels: 16, 32 or 64")->capture_default_str();
    app.add_option("--columns", sheet.columns, "pictures a line; 0: as many as make a square")->capture_default_str();
    app.add_option("--zoom", sheet.zoom, "pixels of the sheet for one of a picture")->capture_default_str();
    app.add_flag("!--no-labels", sheet.labels, "write nothing under the pictures");
    app.add_option("--most", most, "draw no more pictures than these")->capture_default_str();
    app.add_option("--out", out, "the sheet")->capture_default_str();
  }
  Needs needs() const { return files.empty() ? Needs{"font"} : Needs{}; }
};

int draw(CommandLine& a) {
  gt::check(a.most >= 1, "glyphs", "--most must be at least 1 (got ", a.most, ")");
  program::check_replaceable(a.out, "\x89PNG\r\n\x1A\n", "glyphs", "a PNG file");
  if (a.files.empty()) a.files = {unifont()};
  auto const fonts = gt::fonts::FontChain::read(a.files);
  Tokens tokens = !a.text.empty()        ? characters_of(a.text)
                  : !a.range.empty()     ? characters_in(a.range)
                  : !a.tokenizer.empty() ? gt::Tokenizer::load(a.tokenizer).tokens()
                                         : assortment();
  if (std::ssize(tokens) > a.most) {
    std::printf("the first %lld of %zu (--most)\n", static_cast<long long>(a.most), tokens.size());
    tokens.resize(static_cast<std::size_t>(a.most));
  }
  gt::report::write_glyph_sheet(a.out, tokens, fonts, a.sheet);
  report(fonts, a.files, tokens);
  std::printf("%s\n", a.out.c_str());
  return 0;
}

}  // namespace
}  // namespace program::drawing

int program::glyphs(int argc, char** argv) {
  drawing::CommandLine line;
  CLI11_PARSE(line.app, argc, argv);
  return guarded([&] { return drawing::draw(line); });
}
program::Needs program::glyphs_needs(int argc, char** argv) { return needs_of<drawing::CommandLine>(argc, argv); }
