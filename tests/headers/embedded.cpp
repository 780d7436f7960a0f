// SPDX-License-Identifier: MIT
// A program with a model in it, for compilers of other machines, libraries and options: it continues its argument with
// the likeliest tokens. Without a my_model.hpp it only compiles.
#include <cstdio>
#include <gt/cpu.hpp>
#include <gt/formats/embedded/embedded.hpp>
#include <gt/infer/generate.hpp>
#include <string_view>

#if __has_include("my_model.hpp")
  #include "my_model.hpp"
#else
namespace my_model {
inline auto model() { return gt::embedded_model({}, gt::BlockConfig{.d_model = 32, .heads = 4}); }
inline auto tokenizer() { return gt::embedded_tokenizer({}); }
}  // namespace my_model
#endif

int main(int argc, char** argv) {
  gt::GenerateOptions options{.max_tokens = 40};
  options.sampler.temperature = 0;
  gt::generate(gt::Cpu<>{}, my_model::model(), my_model::tokenizer(), argc > 1 ? argv[1] : "", options,
               [](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), stdout); });
  std::puts("");
}
