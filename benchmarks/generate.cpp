// SPDX-License-Identifier: MIT
// Reading a prompt and writing one token after the other, with a key-value cache.
#include <memory>

#include "gt/infer/session.hpp"
#include "models.hpp"

namespace {

using namespace gt::bench;
using gt::Cpu, gt::Ref, gt::text;

/// A conversation with a model whose ids are known beforehand.
struct Talk {
  std::shared_ptr<Model> model;
  std::vector<std::int32_t> ids;
  gt::Session<Cpu<>, Model> session;
  bool bf16;
  Talk(ModelShape s, int threads, gt::Products products)
      : model{make_model(s)},
        ids{ids_below(s.V, s.T, 1)},
        session(Cpu<>(threads).with(products), *model),
        bf16{products == gt::Products::bf16} {}

  /// Feeds the next n tokens, from the first again when the context is full.
  std::span<float const> feed(std::int64_t n) {
    if (session.room() < n) session.reset();
    return session.feed(
        std::span(ids).subspan(static_cast<std::size_t>(session.position()), static_cast<std::size_t>(n)));
  }
  /// Logits after all n tokens, fed `at_once` at a time, against the plain loop on all of them; with products
  /// in bf16 within 2^16 times as much.
  double error(std::int64_t n, std::int64_t at_once) {
    gt::Session<Ref, Model> plain(Ref{}, *model);
    session.reset();
    std::span<float const> logits;
    for (std::int64_t i = 0; i < n; i += at_once) logits = feed(at_once);
    return gt::bench::error(logits, plain.feed(std::span(ids).first(static_cast<std::size_t>(n))),
                            model->depth() * model->config().d_model) *
           (bf16 ? 0x1p-16 : 1.0);
  }
  /// For a peer: weights that are stirred, all ids, and the logits after the first eight and after all.
  void write(std::string const& path) {
    stir(*model);
    gt::Session<Cpu<>, Model> fresh(Cpu<>(1), *model);  // a session may have packed the weights
    auto const feed_all = [&](std::span<std::int32_t const> some) {
      auto const x = fresh.feed(some);
      return std::vector<float>(x.begin(), x.end());
    };
    auto const eight = feed_all(std::span(ids).first(8)), all = feed_all(std::span(ids).subspan(8));
    write_model(*model,
                {tensor<std::int32_t>("ids", "I32", ids), tensor<float>("eight", "F32", eight),
                 tensor<float>("all", "F32", all)},
                path);
  }
};

Case case_of(std::shared_ptr<Talk> talk, std::int64_t at_once, std::int64_t verified, Work work, int threads) {
  Case c{[=] { benchmark::DoNotOptimize(talk->feed(at_once)); }, [=] { return talk->error(verified, at_once); }, work,
         threads};
  if (!talk->bf16) c.write = [=](std::string const& path) { talk->write(path); };
  return c;
}

/// One token at a time. Its limit: every weight of blocks and head is read once a token, at the bandwidth of streaming
/// a buffer of that size; the keys and values that are read as well are not counted.
void add_generation(ModelShape s, int threads, gt::Products products = gt::Products::fp32) {
  bool const bf16 = products == gt::Products::bf16;
  add(text(bf16 ? "generate_bf16/" : "generate/", cpu_name(threads), "/C", s.C, ",L", s.L, ",H", s.H, ",V", s.V), [=] {
    auto const talk = std::make_shared<Talk>(s, threads, products);
    std::int64_t const bytes =
        (bf16 ? 2 : 4) * (s.L * talk->model->config().parameters() + talk->model->head_buffer().size());
    return case_of(talk, 1, 8, {.bytes = static_cast<double>(bytes), .memory = bytes, .tokens = 1}, threads);
  });
}

/// A whole context at once: 2 a parameter of the blocks and token, 2 C T of attention's causal half, and one row of the
/// head. Verified on its last logits.
void add_prompt(ModelShape s, int threads) {
  add(
      text("prompt/", cpu_name(threads), "/C", s.C, ",L", s.L, ",H", s.H, ",V", s.V, ",T", s.T),
      [=] {
        auto const talk = std::make_shared<Talk>(s, threads, gt::Products::fp32);
        double const T = static_cast<double>(s.T), C = s.C, V = static_cast<double>(s.V);
        double const block = static_cast<double>(talk->model->config().parameters());
        return case_of(talk, s.T, s.T, {.flops = T * s.L * (2 * block + 2 * T * C) + 2 * V * C, .tokens = T}, threads);
      },
      benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  constexpr ModelShape shapes[] = {{256, 12, 8, 256, 1, 2048, 0}, {512, 9, 8, 256, 1, 4096, 0}};  // 10M and 30M
  for (auto const& s : shapes) {
    for (int const threads : thread_counts()) {
      add_generation(s, threads);
      if constexpr (gt::has_bf16_products<gt::native_isa>) add_generation(s, threads, gt::Products::bf16);
    }
  }
  for (auto const& s : shapes) {
    for (int const threads : thread_counts()) add_prompt(s, threads);
  }
  return run_all(argc, argv, "0.7");
}
