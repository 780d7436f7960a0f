// SPDX-License-Identifier: MIT
// Lesson 3: a token is a picture of its own spelling; pictures are reduced to a frozen row of numbers each, before any
// training. What looks alike lies close, and what looks the same is told apart.
// Run it: ./03_glyphs [unifont.hex]   (without GNU Unifont: with the five letters below)
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gt/fonts/unifont.hpp>
#include <gt/substrate/glyph_embedding.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "support/lesson.hpp"

constexpr char const* five_letters =            // a line a glyph: the code point, and 16 lines of 8 pixels from the top
    "0041:000000001010282844447C8282820000\n"   // A
    "0410:000000001010282844447C8282820000\n"   // its Cyrillic twin
    "0061:000000000000000038043C44443A0000\n"   // a
    "0063:00000000000000003C424040423C0000\n"   // c
    "0074:000000000020207C2020202024180000\n";  // t

gt::fonts::HexFont font_for(int argc, char** argv) {
  char const* const asked = argc > 1 ? argv[1] : std::getenv("GT_UNIFONT_HEX");
  std::string const path = asked ? asked : "/usr/share/unifont/unifont.hex";
  return asked || std::filesystem::exists(path) ? gt::fonts::HexFont::read(path)
                                                : gt::fonts::HexFont::parse(five_letters);
}

// Pictures side by side; a character of the terminal shows two pixels, one above the other.
void show(gt::fonts::HexFont const& font, std::vector<std::string> const& tokens, int side) {
  for (int y = 0; y < side; y += 2) {
    std::string line;
    for (auto const& token : tokens) {
      gt::fonts::BitMatrix const picture = gt::fonts::draw_token(font, token, side);  // [S, S] bits
      for (int x = 0; x < side; ++x)
        line += picture(y, x) ? picture(y + 1, x) ? "█" : "▀" : picture(y + 1, x) ? "▄" : " ";
    }
    if (line.find_first_not_of(' ') != line.npos) std::cout << line << '\n';
  }
}

double cosine(gt::FrozenTable const& rows, std::int64_t i, std::int64_t j) {
  double sum = 0;
  for (int k = 0; k < rows.width(); ++k) sum += double{rows.row(i)[k]} * double{rows.row(j)[k]};  // rows have length 1
  return sum;
}

int main(int argc, char** argv) {
  auto const font = font_for(argc, argv);
  std::vector<std::string> const tokens{"A", "А", "a", "c", "t", "cat", "act", "tact"};  // the second is U+0410
  show(font, {"a", "cat", "tact"}, 32);

  auto const glyphs = gt::GlyphEmbedding::draw(tokens, font, {.width = 4});
  auto const as_drawn = gt::GlyphEmbedding::draw(tokens, font, {.width = 4, .distinct = false});
  std::printf("\n%lld pictures of 32 x 32 pixels, as 4 numbers each, which keep %.0f %% of their variance\n",
              static_cast<long long>(glyphs.vocab()), 100 * glyphs.explained_variance());
  for (std::int64_t i = 0; i < glyphs.vocab(); ++i) {
    for (int k = 0; k < glyphs.width(); ++k) std::printf("%7.2f", double{glyphs.row(i)[k]});
    std::printf("   cosine with A %5.2f, with cat %5.2f   %s\n", cosine(glyphs, 0, i), cosine(glyphs, 5, i),
                tokens[static_cast<std::size_t>(i)].c_str());
  }
  lesson::claim(glyphs.collisions() == 1 && glyphs.collision_groups()[0] == std::vector<std::int64_t>{0, 1},
                "two tokens share a picture: A and its Cyrillic twin");
  lesson::claim(cosine(as_drawn, 0, 1) > 0.9999, "as drawn, no model could tell them apart");
  lesson::claim(cosine(glyphs, 0, 1) > 0.85 && cosine(glyphs, 0, 1) < 0.99, "set apart, they stay neighbours");
  lesson::claim(cosine(glyphs, 5, 6) > cosine(glyphs, 5, 0), "cat lies closer to act than to A");

  auto const again = gt::GlyphEmbedding::draw(tokens, font, {.width = 4});
  std::cout << "fingerprint " << glyphs.fingerprint() << '\n';
  lesson::claim(again.fingerprint() == glyphs.fingerprint() && as_drawn.fingerprint() != glyphs.fingerprint(),
                "the fingerprint names the tokens, the pictures and the method");
  return lesson::verdict();
}
