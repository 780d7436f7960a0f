// SPDX-License-Identifier: MIT
// A user's program with a model in it: it opens no file, because it cannot.
#include <sys/resource.h>

#include <cstdio>
#include <gt/cpu.hpp>
#include <gt/infer/generate.hpp>

#include "my_model.hpp"

int main(int argc, char** argv) try {
  rlimit const none{0, 0};
  if (setrlimit(RLIMIT_NOFILE, &none) != 0 || std::fopen("/dev/null", "r")) return 2;
  gt::generate(gt::Cpu<>{}, my_model::model(), my_model::tokenizer(), argc > 1 ? argv[1] : "", {.max_tokens = 40},
               [](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), stdout); });
  return std::puts("") < 0;
} catch (gt::Error const& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
