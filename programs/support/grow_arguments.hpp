// SPDX-License-Identifier: MIT
// What `grow` is asked for: on the command line, and in the run.json that a run leaves for going on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <gt/io/json_path.hpp>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "memory.hpp"
#include "shell_quoted.hpp"

namespace program {

/// What --substrate may be.
inline constexpr std::initializer_list<char const*> substrates = {
    "glyph", "binary", "affine", "binary-unit", "random", "random-bits", "random-bits-unit", "learned"};

struct GrowArguments {
  std::vector<std::string> corpus, font;
  std::string out, plan = "3+3+3", substrate = "glyph", gelu = "tanh", init = "random", head = "carry", resume;
  double minutes = 8, lr = 1e-3, checkpoint_seconds = 120;
  std::int64_t tokens = 0, vocab = 2048, context = 256, batch = 8;
  int width = 256, heads = 8, raster = 32, threads = 0;
  int keep = 0;  ///< checkpoints; 0: not said, which is 1 in a new run
  std::uint64_t seed = 1;
  std::string prefix_cache = "auto", prefix_cache_type = "fp32", prefix_cache_file, tokenizer;
  std::string held_out = "auto";  ///< tokens that a look reads: auto, all or a number
  std::string rates;              ///< how --lr was changed on the way, in words
  bool quick = false, overwrite = false, bf16 = false, profile = false, keep_best = false;
};

inline void check_keep(GrowArguments const& a) {
  gt::check(a.keep >= 1 && a.keep <= 1000, "grow", "--keep must lie in 1 ... 1000 (got ", a.keep, ")");
}
/// Refuses what no run can have, whether it was asked for or stands in a run.json.
inline void check_arguments(GrowArguments const& a) {
  auto const one_of = [](char const* name, std::string const& value, std::initializer_list<char const*> all) {
    bool known = false;
    for (char const* each : all) known = known || value == each;
    gt::check(known, "grow", name, " is not known (got '", value, "')");
  };
  gt::check(a.minutes > 0, "grow", "--minutes must be positive (got ", a.minutes, ")");
  gt::check(a.minutes < 1e6, "grow", "--minutes must be below 1000000, two years (got ", a.minutes, ")");
  gt::check(a.lr > 0 && a.lr < 1, "grow", "--lr must lie between 0 and 1 (got ", a.lr, ")");
  gt::check(a.batch > 0 && a.batch <= 65536, "grow", "--batch must lie in 1 ... 65536 (got ", a.batch, ")");
  gt::check(a.context > 0 && a.context <= 65536, "grow", "--context must lie in 1 ... 65536 (got ", a.context, ")");
  check_keep(a);
  gt::check(gt::fonts::is_raster_side(a.raster), "grow", "--raster must be 16, 32 or 64 (got ", a.raster, ")");
  gt::check(a.held_out == "auto" || a.held_out == "all" || count_of(a.held_out) > 0, "grow",
            "--held-out-tokens must be a number such as 20000 or 20k, all or auto (got '", a.held_out, "')");
  one_of("--gelu", a.gelu, {"tanh", "erf"});
  one_of("--init", a.init, {"random", "identity", "duplicate", "expand"});
  one_of("--head", a.head, {"carry", "reset"});
  one_of("--substrate", a.substrate, substrates);
  one_of("--prefix-cache-type", a.prefix_cache_type, {"fp32", "bf16"});
  gt::check(!a.corpus.empty(), "grow", "--corpus must name a text");
  gt::GrowthPlan const plan = gt::parse_plan(a.plan);
  bool const trains_table = std::any_of(plan.begin(), plan.end(), [](gt::Stage const& s) { return s.train_table; });
  gt::check(trains_table == (a.substrate == "learned"), "grow",
            "--substrate learned and a plan with a table, as --plan 3,table+3+3, belong together (got --substrate ",
            a.substrate, " --plan ", a.plan, ")");
  gt::BlockConfig const block{.d_model = a.width, .heads = a.heads};
  gt::nn::check_block(block);
  gt::growth::check_plan(plan, block);
}

/// What of the arguments decides what a run computes and keeps: written at its start, read when it goes on.
inline gt::Json to_json(GrowArguments const& a) {
  return {{"corpus", gt::json_of_paths(a.corpus)},
          {"tokenizer_file", gt::json_of_path(a.tokenizer)},
          {"held_out_tokens", a.held_out},
          {"plan", a.plan},
          {"substrate", a.substrate},
          {"font", gt::json_of_paths(a.font)},
          {"raster", a.raster},
          {"init", a.init},
          {"head", a.head},
          {"tokens", a.tokens},
          {"vocab", a.vocab},
          {"width", a.width},
          {"heads", a.heads},
          {"context", a.context},
          {"batch", a.batch},
          {"lr", a.lr},
          {"seed", a.seed},
          {"rates", a.rates},
          {"prefix_cache_type", a.prefix_cache_type},
          {"gelu", a.gelu},
          {"bf16", a.bf16},
          {"keep", a.keep},
          {"keep_best", a.keep_best}};
}
inline GrowArguments grow_arguments_of(gt::Json const& json, std::string const& where) {
  GrowArguments a;
  auto const read = [&]<class T>(char const* key, T& value) { value = gt::json_get<T>(json, key, where); };
  auto const part = [&](char const* key) { return gt::json_get<gt::Json>(json, key, where); };
  a.corpus = gt::paths_of_json(part("corpus"), where), a.font = gt::paths_of_json(part("font"), where);
  read("plan", a.plan), read("substrate", a.substrate);
  read("raster", a.raster), read("init", a.init), read("head", a.head), read("tokens", a.tokens);
  read("vocab", a.vocab), read("width", a.width), read("heads", a.heads), read("context", a.context);
  read("batch", a.batch), read("lr", a.lr), read("seed", a.seed), read("rates", a.rates);
  if (json.contains("prefix_cache_type")) read("prefix_cache_type", a.prefix_cache_type);  // younger than the rest
  if (json.contains("gelu")) read("gelu", a.gelu);
  if (json.contains("tokenizer_file")) a.tokenizer = gt::path_of_json(part("tokenizer_file"), where);
  a.held_out = "all";  // as it was before there was a choice
  if (json.contains("held_out_tokens")) read("held_out_tokens", a.held_out);
  if (json.contains("bf16")) read("bf16", a.bf16);
  a.keep = 1;
  if (json.contains("keep")) read("keep", a.keep), read("keep_best", a.keep_best);
  check_arguments(a);
  gt::check(a.tokens > 0, where, "tokens must be positive (got ", a.tokens, ")");
  return a;
}

/// Options in the order of the help; those that --quick sets are kept, to see which the user gave.
struct GrowCommandLine {
  CLI::App app{"Grows a small Transformer on a text, a few blocks at a time on a frozen embedding of its tokens.",
               "gt grow"};
  GrowArguments a;
  CLI::Option *minutes, *tokens, *width, *heads, *plan, *vocab, *context, *batch, *lr, *resume, *keep;

  GrowCommandLine() {
    auto const option = [&](char const* name, auto& value, char const* what) {
      return app.add_option(name, value, what)->capture_default_str();
    };
    app.add_option(
        "--corpus", a.corpus,
        "UTF-8 text files; the last 5 % are held out. With --resume, where they have moved to; so --tokenizer, "
        "--font");
    app.add_option("--out", a.out, "folder for the run; by default a new one, runs/grow-N");
    app.add_flag("--overwrite", a.overwrite, "replace the run that is in --out");
    resume = app.add_option("--resume", a.resume, "folder of a run that was stopped: goes on from its last checkpoint");
    minutes = option("--minutes", a.minutes, "time to train; measured and turned into tokens");
    tokens = takes_counts(app.add_option(
        "--tokens", a.tokens, "tokens to train on, all stages together, instead of minutes: 1500000 or 1.5M"));
    minutes->excludes(tokens);
    width = option("--width", a.width, "d_model, the width of the model");
    heads = option("--heads", a.heads, "attention heads");
    plan = option(
        "--plan", a.plan,
        "new blocks in each stage; all: all blocks train; lora16: adapters train and are merged; 1,lora16: both; "
        "3,table: the table of --substrate learned as well");
    option("--init", a.init,
           "new blocks: random; identity: they start without effect; duplicate: copies of the top ones; expand: copies "
           "without effect, between the others")
        ->check(CLI::IsMember({"random", "identity", "duplicate", "expand"}));
    option("--head", a.head, "output head between stages: carry or reset")->check(CLI::IsMember({"carry", "reset"}));
    option("--substrate", a.substrate,
           "embedding: glyph; binary: the bits of the id; affine: these recoded; random: rows; "
           "random-bits: 64 a token; ...-unit: principal components of a code, of length 1; "
           "all frozen; or learned")
        ->check(CLI::IsMember(std::vector<std::string>(substrates.begin(), substrates.end())));
    option("--gelu", a.gelu, "activation of the MLP: GELU in its tanh form, or exact (erf)")
        ->check(CLI::IsMember({"tanh", "erf"}));
    vocab = option("--vocab", a.vocab, "size of the vocabulary");
    app.add_option(
           "--tokenizer", a.tokenizer,
           "a tokenizer.json to use instead of building one: models that share it, and a substrate, can be merged")
        ->excludes(vocab);
    context = option("--context", a.context, "tokens of a sequence");
    batch = option("--batch", a.batch, "sequences of a step");
    lr = option("--lr", a.lr, "peak learning rate");
    app.add_option("--font", a.font, "fonts for glyphs, the first choice first: .ttf, .otf, .ttc:N, Unifont's .hex");
    option("--raster", a.raster, "side of a token's picture in pixels: 16, 32 or 64");
    option(
        "--prefix-cache", a.prefix_cache,
        "keeps what frozen blocks make of text that comes again: auto (in a quarter of the memory left), 2GB or off");
    option("--prefix-cache-type", a.prefix_cache_type, "fp32: only the time changes; bf16: rounded, half the memory")
        ->check(CLI::IsMember({"fp32", "bf16"}));
    app.add_option("--prefix-cache-file", a.prefix_cache_file,
                   "keeps it in this file, where --resume finds it; removed when the run is finished");
    option(
        "--held-out-tokens", a.held_out,
        "held-out tokens that a look before or after a stage reads, evenly spread, always the same: 20k, all, or auto: "
        "looks then take a twentieth of the work");
    app.add_flag("--bf16", a.bf16, "multiply in bf16, where the CPU can: faster, with 8 bits of precision");
    app.add_flag("--profile", a.profile, "show where the time went, op by op");
    keep = app.add_option("--keep", a.keep,
                          "how many of the last checkpoints to keep; --resume takes the newest that is whole (1)");
    option("--checkpoint-seconds", a.checkpoint_seconds, "time between two checkpoints inside a stage");
    app.add_flag("--keep-best", a.keep_best, "keep the model of the best look at held-out text as well, in best/");
    option("--threads", a.threads, "0: all cores");
    takes_seed(option("--seed", a.seed, "same seed, same model"));
    app.add_flag("--quick", a.quick, "a small model in about a minute");
    for (CLI::Option* other : app.get_options()) {  // a run goes on as it began; only these may change
      auto const name = other->get_name();
      std::initializer_list<char const*> const may_change{
          "--resume",  "--corpus",    "--tokenizer",          "--font",
          "--threads", "--lr",        "--prefix-cache",       "--prefix-cache-file",
          "--keep",    "--keep-best", "--checkpoint-seconds", "--profile",
          "--help"};
      if (std::find(may_change.begin(), may_change.end(), name) == may_change.end()) resume->excludes(other);
    }
  }
  Needs needs() const {
    Needs all;
    if (a.corpus.empty() && a.resume.empty()) all.push_back("austen");
    if (a.font.empty() && a.resume.empty() && a.substrate == "glyph") all.push_back("font");
    return all;
  }

  /// Fills in what depends on other options, and refuses what no run can have.
  void settle() {
    if (a.quick) {
      auto const set = [](CLI::Option const* given, auto& value, auto quick) {
        if (given->count() == 0) value = quick;
      };
      set(width, a.width, 128), set(heads, a.heads, 4), set(plan, a.plan, "2+2+2"), set(vocab, a.vocab, 1024);
      set(context, a.context, 128), set(batch, a.batch, 16);
      if (minutes->count() == 0) set(tokens, a.tokens, 1'500'000);
    }
    if (a.corpus.empty() && a.resume.empty()) {
      if (auto const austen = fetched("GT_AUSTEN")) a.corpus = {*austen};
    }
    if (a.font.empty() && a.resume.empty()) a.font = {unifont()};
    bool const given = a.tokens != 0 || tokens->count() > 0;
    gt::check(!given || a.tokens > 0, "grow", "--tokens must be positive (got ", a.tokens, ")");
    gt::check(a.prefix_cache == "auto" || a.prefix_cache == "off" || bytes_of(a.prefix_cache) >= 0, "grow",
              "--prefix-cache must be a size such as 2GB, off or auto (got '", a.prefix_cache, "')");
    gt::check(a.prefix_cache_file.empty() || a.prefix_cache != "off", "grow",
              "--prefix-cache-file needs a prefix cache (got --prefix-cache off)");
    if (a.prefix_cache == "off" && a.resume.empty()) a.prefix_cache_type = "fp32";  // nothing is rounded
    if (keep->count() > 0) check_keep(a);
    if (a.resume.empty() && keep->count() == 0) a.keep = 1;
    if (a.resume.empty()) check_arguments(a);
    gt::check(a.lr > 0 && a.lr < 1, "grow", "--lr must lie between 0 and 1 (got ", a.lr, ")");
    gt::check(a.checkpoint_seconds >= 0, "grow", "--checkpoint-seconds must not be negative (got ",
              a.checkpoint_seconds, ")");
  }
};

/// What a run's prefix cache may take where all else takes `others` bytes; its file is one that can be opened. A run
/// whose states are rounded goes on with rounded ones, if need be without keeping any: a budget of one byte.
inline gt::PrefixCacheOptions prefix_cache_of(GrowArguments const& a, std::int64_t others) {
  gt::PrefixCacheOptions options{.bytes = 0, .type = gt::CachedAs::exact, .file = a.prefix_cache_file};
  if (a.prefix_cache == "auto") {
    options.bytes = a.prefix_cache_file.empty() ? std::max<std::int64_t>(1, (available_memory() - others) / 4)
                                                : std::numeric_limits<std::int64_t>::max();
  } else if (a.prefix_cache != "off") {
    options.bytes = bytes_of(a.prefix_cache);
  }
  if (a.prefix_cache_type == "bf16") {
    options.type = gt::CachedAs::bf16;
    options.bytes = std::max<std::int64_t>(1, options.bytes);
  }
  gt::growth::check_file(options);
  return options;
}

/// The command that repeats a run.
inline std::string command_of(GrowArguments const& a) {
  std::string line = self + " grow";
  auto const add = [&](char const* name, auto const&... values) {
    line += gt::text(" ", name), ((line += gt::text(" ", values)), ...);
  };
  line += " --corpus";
  for (auto const& file : a.corpus) line += " " + shell_quoted(file);
  add("--plan", a.plan), add("--tokens", a.tokens), add("--width", a.width), add("--heads", a.heads);
  a.tokenizer.empty() ? add("--vocab", a.vocab) : add("--tokenizer", shell_quoted(a.tokenizer));
  add("--context", a.context), add("--batch", a.batch);
  add("--lr", gt::shortest(a.lr)), add("--init", a.init), add("--head", a.head), add("--substrate", a.substrate);
  if (a.substrate == "glyph") {
    line += " --font";
    for (auto const& font : a.font) line += " " + shell_quoted(font);
    add("--raster", a.raster);
  }
  add("--seed", a.seed);
  if (a.prefix_cache_type == "bf16") add("--prefix-cache-type", "bf16");
  if (a.held_out != "auto") add("--held-out-tokens", a.held_out);
  if (a.gelu != "tanh") add("--gelu", a.gelu);
  if (a.bf16) add("--bf16");
  return line;
}

}  // namespace program
