// SPDX-License-Identifier: MIT
// A model that runs where there is no exception, no OpenMP and nothing but the library's own headers. With an argument
// it makes a mistake, which must end the program with the sentence that elsewhere is thrown.
#include <cstdint>
#include <cstdio>

#include "gt/backend/ref/ref.hpp"
#include "gt/infer/sampler.hpp"
#include "gt/infer/session.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/frozen_table.hpp"

#if defined(__cpp_exceptions) || defined(_OPENMP)
  #error "to be compiled with -fno-exceptions and without OpenMP"
#endif

constexpr gt::BlockConfig block{.d_model = 8, .heads = 2};

int main(int argc, char**) {
  gt::Buffer<float> rows(8 * 8);
  for (std::int64_t i = 0; i < 8; ++i) rows[9 * i] = 1;
  gt::Transformer<> model(gt::FrozenTable("identity", 8, 8, rows, "identity"), block, gt::seed(1), {.context = 4});
  model.append(1);
  gt::Session session(gt::Ref{}, model);
  std::int32_t const ids[] = {3, 1, 4};
  gt::Sampler sampler(gt::SamplerOptions{.temperature = 0});
  std::int32_t const next = sampler(session.feed(ids));
  std::printf("%d\n", next);
  if (argc > 1) session.feed(ids);  // more than the context holds
  return next >= 0 && next < 8 && session.position() == 3 ? 0 : 1;
}
