// SPDX-License-Identifier: MIT
// What a header of `./run embed` makes of gt, for compilers of other machines, libraries and options: with no weights.
#include <cstdio>
#include <gt/cpu.hpp>
#include <gt/formats/embedded/embedded.hpp>
#include <gt/infer/generate.hpp>
#include <string_view>

int main() {
  auto const model = gt::embedded_model({}, gt::BlockConfig{.d_model = 32, .heads = 4});
  auto const tokenizer = gt::embedded_tokenizer({});
  gt::generate(gt::Cpu<>{}, model, tokenizer, "It is", {},
               [](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), stdout); });
}
