// SPDX-License-Identifier: MIT
// Grows a Transformer on a text, stage by stage on a frozen substrate, saves it, and lets it talk.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <gt/gt.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/program.hpp"

namespace {

// The widths that this program is compiled for.
template <class F>
auto with_compiled_width(int width, F const& f) {
  return gt::with_width<64, 96, 128, 192, 256, 384, 512, 768>(width, f);
}

struct Arguments {
  std::vector<std::string> corpus;
  std::string out, plan = "3+3+3", substrate = "glyph", font, init = "random", head = "carry";
  double minutes = 8, lr = 1e-3;
  std::int64_t tokens = 0, vocab = 2048, context = 256, batch = 8;
  int width = 256, heads = 8, threads = 0;
  std::uint64_t seed = 1;
  bool quick = false, overwrite = false;
};

// Options in the order of the help; those that --quick sets are kept, to see which the user gave.
struct CommandLine {
  CLI::App app{"Grows a small Transformer on a text, a few blocks at a time on a frozen embedding of its tokens."};
  Arguments a;
  CLI::Option *minutes, *tokens, *width, *heads, *plan, *vocab, *context, *batch;

  CommandLine() {
    app.add_option("--corpus", a.corpus, "UTF-8 text files; the last 5 % are held out")->required();
    app.add_option("--out", a.out, "folder for model and metrics; by default a new one, runs/grow-N");
    app.add_flag("--overwrite", a.overwrite, "replace the model that is in --out");
    minutes =
        app.add_option("--minutes", a.minutes, "time to train; measured and turned into tokens")->capture_default_str();
    tokens = app.add_option("--tokens", a.tokens, "tokens to train on, all stages together, instead of minutes");
    minutes->excludes(tokens);
    width = app.add_option("--width", a.width, "d_model, the width of the model")->capture_default_str();
    heads = app.add_option("--heads", a.heads, "attention heads")->capture_default_str();
    plan = app.add_option("--plan", a.plan, "new blocks in each stage")->capture_default_str();
    app.add_option("--init", a.init, "new blocks: random, or identity (they start without effect)")
        ->check(CLI::IsMember({"random", "identity"}))
        ->capture_default_str();
    app.add_option("--head", a.head, "output head between stages: carry or reset")
        ->check(CLI::IsMember({"carry", "reset"}))
        ->capture_default_str();
    app.add_option("--substrate", a.substrate, "frozen embedding: glyph, binary or random")
        ->check(CLI::IsMember({"glyph", "binary", "random"}))
        ->capture_default_str();
    vocab = app.add_option("--vocab", a.vocab, "size of the vocabulary")->capture_default_str();
    context = app.add_option("--context", a.context, "tokens of a sequence")->capture_default_str();
    batch = app.add_option("--batch", a.batch, "sequences of a step")->capture_default_str();
    app.add_option("--lr", a.lr, "peak learning rate")->capture_default_str();
    app.add_option("--font", a.font, "GNU Unifont's .hex file, for glyphs");
    app.add_option("--threads", a.threads, "0: all cores")->capture_default_str();
    app.add_option("--seed", a.seed, "same seed, same model")->capture_default_str();
    app.add_flag("--quick", a.quick, "a small model in about a minute");
  }
  void settle() {
    if (a.quick) {
      auto const set = [](CLI::Option const* given, auto& value, auto quick) {
        if (given->count() == 0) value = quick;
      };
      set(width, a.width, 128), set(heads, a.heads, 4), set(plan, a.plan, "2+2+2"), set(vocab, a.vocab, 1024);
      set(context, a.context, 128), set(batch, a.batch, 16);
      if (minutes->count() == 0) set(tokens, a.tokens, 1'500'000);
    }
    bool const given = a.tokens != 0 || tokens->count() > 0;
    gt::check(!given || a.tokens > 0, "grow", "--tokens must be positive (got ", a.tokens, ")");
    gt::check(a.minutes > 0 && a.minutes < 1e6, "grow", "--minutes must be positive (got ", a.minutes, ")");
    gt::check(a.lr > 0 && a.lr < 1, "grow", "--lr must lie between 0 and 1 (got ", a.lr, ")");
    gt::check(a.batch > 0 && a.batch <= 65536, "grow", "--batch must lie in 1 ... 65536 (got ", a.batch, ")");
    gt::check(a.context > 0 && a.context <= 65536, "grow", "--context must lie in 1 ... 65536 (got ", a.context, ")");
    if (a.font.empty()) {
      char const* const font = std::getenv("GT_UNIFONT_HEX");
      a.font = font ? font : "/usr/share/unifont/unifont.hex";
    }
  }
};

// The run's folder: the one asked for, or the first of runs/grow-1, runs/grow-2, ... that has no model.
std::string run_folder(Arguments const& a) {
  auto const has_model = [](std::string const& folder) {
    for (char const* file : {"/model/config.json", "/metrics.jsonl"}) {
      if (std::FILE* const f = std::fopen((folder + file).c_str(), "r")) return std::fclose(f), true;
    }
    return false;
  };
  if (!a.out.empty()) {
    gt::check(a.overwrite || !has_model(a.out), "grow", "--out must not hold a run already (got '", a.out,
              "'); choose another folder, or add --overwrite");
    return a.out;
  }
  int n = 1;
  while (has_model(gt::text("runs/grow-", n))) ++n;
  return gt::text("runs/grow-", n);
}

void print_plan(gt::GrowthPlan const& plan, gt::BlockConfig block, gt::ModelSize model, gt::BatchShape shape,
                std::int64_t table_width, std::int64_t steps) {
  using gt::detail::short_number;
  std::printf("\n  stage  blocks  depth   active parameters   weights  optimiser  activations   steps\n");
  for (std::size_t i = 0; i < plan.size(); ++i) {
    std::int64_t const active = plan.active_parameters(i, block, model);
    auto const bytes = [](std::int64_t n) { return short_number(static_cast<double>(n), "B"); };
    std::printf("  %5zu  %6d  %5d  %18s  %8s  %9s  %11s  %6lld\n", i + 1, plan[i].blocks, plan.depth(i),
                short_number(static_cast<double>(active)).c_str(),
                bytes(plan.weight_bytes(i, block, model, table_width)).c_str(), bytes(12 * active).c_str(),
                bytes(plan.activation_bytes(i, block, shape)).c_str(), static_cast<long long>(steps));
  }
  std::printf("\n");
  std::fflush(stdout);
}

void print_stages(gt::GrowthResult const& result) {
  std::printf("\n  stage  depth   active     tokens  train loss   held-out bits/byte      time\n");
  for (auto const& s : result.stages) {
    std::printf("  %5zu  %5d  %7s  %9s  %10.3f   %.3f -> %.3f  %12s\n", s.stage + 1, s.depth,
                gt::detail::short_number(static_cast<double>(s.active_parameters)).c_str(),
                gt::detail::short_number(static_cast<double>(s.tokens)).c_str(), s.loss, s.before.bits_per_byte(),
                s.after.bits_per_byte(), gt::detail::short_time(s.seconds).c_str());
  }
}

// Three beginnings taken from the held-out text, and what the model makes of them.
template <class Model>
void talk(gt::Cpu<> const& on, Model const& model, gt::Tokenizer const& tokenizer, gt::Corpus const& corpus,
          gt::Seed seed) {
  std::string_view const text = corpus.split().validation;
  for (std::size_t i = 0; i < 3; ++i) {
    std::size_t begin = text.size() * (2 * i + 1) / 6;
    if (auto const line = text.find('\n', begin); line != std::string_view::npos && line + 60 < text.size())
      begin = std::min(text.find_first_not_of('\n', line), text.size());
    std::string_view prompt = text.substr(begin, 32);
    prompt = prompt.substr(0, std::min(prompt.find('\n'), prompt.rfind(' ')));
    prompt = prompt.substr(0, gt::utf8_complete_prefix(prompt));
    std::printf("\n> %.*s", static_cast<int>(prompt.size()), prompt.data());
    gt::generate(on, model, tokenizer, prompt,
                 {.max_tokens = 120, .sampler = {.seed = seed}, .cancel = [] { return program::interrupted != 0; }},
                 [](std::string_view piece) {
                   std::fwrite(piece.data(), 1, piece.size(), stdout);
                   std::fflush(stdout);
                 });
    std::printf("\n");
  }
}

// Saves after each stage, so that whatever ends the run, the last whole stage is there.
template <class Model>
struct SaveStages : gt::GrowthObserver {
  SaveStages(Model const& m, gt::Tokenizer const& t, std::string f) : model{m}, tokenizer{t}, folder{std::move(f)} {}
  void stage_done(gt::StageDone const&) override { gt::save(model, tokenizer, folder); }
  Model const& model;
  gt::Tokenizer const& tokenizer;
  std::string folder;
};

template <class S>
int grow_on(S const& substrate, Arguments const& a, gt::Corpus const& corpus, gt::Tokenizer const& tokenizer) {
  auto const init = a.init == "identity" ? gt::BlockInit::identity : gt::BlockInit::random;
  auto const head = a.head == "reset" ? gt::HeadInit::reset : gt::HeadInit::carry;
  auto const plan = gt::parse_plan(a.plan, {.init = init, .head = head, .schedule = {.lr = a.lr}});
  return with_compiled_width(a.width, [&](auto width) {
    constexpr gt::BlockConfig block{.d_model = width, .heads = gt::BlockConfig::run_time};
    gt::Transformer<block> model(substrate, gt::seed(a.seed), {.context = a.context, .heads = a.heads});
    gt::Cpu<> const on(a.threads);
    gt::BatchShape const shape{a.batch, a.context};
    auto const data = gt::training_text(corpus, tokenizer);
    gt::WindowLoader(data.tokens.train, a.context, gt::seed(a.seed));  // a corpus too small is found before all else
    gt::check(data.tokens.validation.size() > 1, "grow", "the text must be long enough to hold out two tokens (got ",
              corpus.bytes(), " bytes)");
    std::string const folder = run_folder(a), model_folder = folder + "/model";
    gt::detail::make_folder(model_folder);
    gt::FileLock const lock(folder);
    std::printf("text: %s bytes, %.2f bytes a token at %lld tokens; substrate: %s, %d numbers a token\n",
                gt::detail::short_number(static_cast<double>(corpus.bytes())).c_str(),
                static_cast<double>(data.tokens.train_bytes) / static_cast<double>(data.tokens.train.size()),
                static_cast<long long>(tokenizer.size()), substrate.method().c_str(), substrate.width());
    std::fflush(stdout);
    gt::ProgressLine progress(stderr, gt::measure_peak(on));
    progress.introduce(on.name(), on.threads());

    std::int64_t tokens = a.tokens;
    if (tokens == 0) {
      double seconds = 0;  // of one step in every stage
      for (double s : gt::measure_steps(on, model, plan, shape)) seconds += s;
      double const training = 0.9 * 60 * a.minutes;  // the rest goes to looks at the held-out text
      auto const steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(training / seconds));
      tokens = steps * shape.rows() * static_cast<std::int64_t>(plan.size());
      std::printf("%g minutes here are about %lld tokens: --tokens %lld repeats this run exactly\n", a.minutes,
                  static_cast<long long>(tokens), static_cast<long long>(tokens));
    }
    gt::GrowOptions options{.batch = a.batch,
                            .context = a.context,
                            .tokens_per_stage = tokens / static_cast<std::int64_t>(plan.size()),
                            .seed = gt::seed(a.seed),
                            .stop = [] { return program::interrupted != 0; }};
    print_plan(plan, model.config(), {tokenizer.size()}, shape, substrate.width(),
               std::max<std::int64_t>(1, options.tokens_per_stage / shape.rows()));

    gt::MetricsLog<> metrics(folder + "/metrics.jsonl");
    SaveStages saver(model, tokenizer, model_folder);
    auto const result = gt::grow(on, model, plan, data.tokens, data.bytes_of_tokens, options, progress, metrics, saver);
    if (result.end == gt::GrowthEnd::diverged) {
      gt::fail("grow", "the loss must stay finite (it did not in stage ", result.stage + 1, ", step ", result.step,
               "); ", result.stages.empty() ? "nothing was saved" : "the stages before are in " + model_folder,
               "; try a smaller --lr");
    }
    print_stages(result);
    if (result.end == gt::GrowthEnd::stopped) {
      gt::save(model, tokenizer, model_folder);
      std::printf("\nstopped in stage %zu after step %lld; the model as it is: %s\n", result.stage + 1,
                  static_cast<long long>(result.step), model_folder.c_str());
      return 130;
    }
    talk(on, model, tokenizer, corpus, gt::seed(a.seed));
    std::printf("\nmodel: %s\nmetrics: %s/metrics.jsonl\ntalk to it: ./run generate --model %s --prompt \"...\"\n",
                model_folder.c_str(), folder.c_str(), model_folder.c_str());
    return program::interrupted != 0 ? 130 : 0;
  });
}

int run(Arguments const& a) {
  // What can be wrong with the flags is found before the text is read.
  gt::Cpu<> const threads_checked(a.threads);
  gt::parse_plan(a.plan);
  with_compiled_width(a.width, [](auto) {});
  gt::check_block({.d_model = a.width, .heads = a.heads});
  if (!a.out.empty()) run_folder(a);
  auto const corpus = gt::Corpus::read(a.corpus);
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = a.vocab});
  if (a.substrate == "binary") {
    return grow_on(gt::BinaryEmbedding::of_ids(tokenizer.tokens(), {.d_model = a.width}), a, corpus, tokenizer);
  }
  if (a.substrate == "random") {
    return grow_on(gt::RandomEmbedding::draw(tokenizer.tokens(), {.width = a.width, .seed = gt::seed(a.seed)}), a,
                   corpus, tokenizer);
  }
  return grow_on(gt::GlyphEmbedding::draw(tokenizer.tokens(), a.font, {.width = a.width}), a, corpus, tokenizer);
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI11_PARSE(line.app, argc, argv);
  program::catch_interrupts();
  return program::guarded([&] {
    line.settle();
    return run(line.a);
  });
}
