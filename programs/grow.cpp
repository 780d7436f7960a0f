// SPDX-License-Identifier: MIT
// Grows a Transformer on a text, stage by stage on a frozen substrate, saves and reports it, and lets it talk.
#include <cstdio>
#include <gt/backend/cpu/peak.hpp>
#include <gt/grow/measure_steps.hpp>
#include <gt/gt.hpp>
#include <gt/io/checksum.hpp>
#include <gt/io/file_lock.hpp>
#include <gt/io/json.hpp>
#include <gt/report.hpp>
#include <gt/runs/checkpoint_history.hpp>
#include <gt/runs/keep_best.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "support/grow_arguments.hpp"
#include "support/grow_memory.hpp"
#include "support/grow_tables.hpp"
#include "support/program.hpp"
#include "support/run_folder.hpp"
#include "support/shell_quoted.hpp"

namespace program::growing {
namespace {

using program::GrowArguments, program::number, program::RunFolder, program::RunIdentity;

using Model = gt::Transformer<>;

// Three beginnings taken from the held-out text.
std::vector<std::string> prompts_of(gt::Corpus const& corpus) {
  std::string_view const text = corpus.split().validation;
  std::vector<std::string> prompts;
  for (std::size_t i = 0; i < 3; ++i) {
    std::size_t begin = text.size() * (2 * i + 1) / 6;
    if (auto const line = text.find('\n', begin); line != std::string_view::npos && line + 60 < text.size())
      begin = std::min(text.find_first_not_of('\n', line), text.size());
    begin = gt::utf8::complete_prefix(text.substr(0, begin));  // never within a character
    std::string_view prompt = text.substr(begin, 32);
    prompt = prompt.substr(0, std::min(prompt.find('\n'), prompt.rfind(' ')));
    prompts.emplace_back(prompt.substr(0, gt::utf8::complete_prefix(prompt)));
  }
  return prompts;
}

// One growth run: what it reads, where it writes, what it tells.
class Run : public gt::GrowthObserver {
 public:
  Run(GrowArguments const& a, RunFolder folder, gt::Corpus const& corpus, gt::Tokenizer const& tokenizer, Model model)
      : a_{a},
        folder_{std::move(folder)},
        tokenizer_{tokenizer},
        model_{std::move(model)},
        on_{backend_of(a, profile_)},
        plan_{gt::parse_plan(a.plan, {.init = a.init == "identity"    ? gt::BlockInit::identity
                                              : a.init == "duplicate" ? gt::BlockInit::duplicate
                                              : a.init == "expand"    ? gt::BlockInit::expand
                                                                      : gt::BlockInit::random,
                                      .head = a.head == "reset" ? gt::HeadInit::reset : gt::HeadInit::carry,
                                      .schedule = {.lr = a.lr}})},
        data_{gt::training_text(corpus, tokenizer)},
        // A corpus too small is found before anything is written.
        windows_{gt::WindowLoader(data_.tokens.train, a.context, gt::seed(a.seed)).windows()},
        prefix_cache_{program::prefix_cache_of(a, program::memory_needed(a, tokenizer.size()))},
        prompts_{prompts_of(corpus)},
        checkpoints_{folder_.checkpoints(a.keep)} {
    gt::check(data_.tokens.validation.size() > 1, "grow", "the text must be long enough to hold out two tokens (got ",
              corpus.bytes(), " bytes)");
  }

  // `pictures`: the substrate again, if it is one of glyphs.
  int operator()(gt::FrozenTable const& substrate, gt::GlyphEmbedding const* pictures, RunIdentity const& id) {
    gt::io::FileLock const lock = take_folder();
    if (!lock.notice().empty()) notice(lock.notice());
    checkpoints_ = folder_.checkpoints(a_.keep);
    folder_.remove_unfinished();
    std::printf("text: %s bytes, %.2f bytes a token at %lld tokens; substrate: %s, %d numbers a token\n",
                number(data_.tokens.train_bytes + data_.tokens.validation_bytes).c_str(), bytes_a_token(),
                static_cast<long long>(tokenizer_.size()), substrate.method().c_str(), substrate.width());
    std::fflush(stdout);
    double const peak = gt::measure_peak(on_);
    gt::ProgressLine progress(stderr, peak);
    progress.introduce(on_.name(), on_.threads());
    gt::BatchShape const shape{a_.batch, a_.context};

    std::optional<gt::GrowthState> resumed;
    if (!a_.resume.empty()) {
      resumed = checkpoints_.load(model_, [this](std::string const& sentence) { notice(sentence); });
      last_kept_ = {resumed->stage, resumed->step};
      if (resumed->stage == plan_.size()) {
        std::printf("this run is finished\n");
      } else {
        std::printf("going on in stage %zu of %zu after step %lld\n", resumed->stage + 1, plan_.size(),
                    static_cast<long long>(resumed->step));
      }
    } else {
      if (a_.tokens == 0) a_.tokens = tokens_for_minutes(shape);
    }
    gt::GrowOptions options{
        .batch = a_.batch,
        .context = a_.context,
        .tokens_per_stage = static_cast<std::int64_t>(static_cast<double>(a_.tokens) / plan_.tokens()),
        .seed = gt::seed(a_.seed),
        .held_out_tokens = a_.held_out == "auto"  ? 0
                           : a_.held_out == "all" ? gt::all_held_out
                                                  : program::count_of(a_.held_out),
        .checkpoint_seconds = a_.checkpoint_seconds,
        .prefix_cache = prefix_cache_,
        .stop = [] { return program::interrupted != 0; },
        .resume = resumed ? &*resumed : nullptr};
    looks_ =
        gt::growth::held_out_looks(plan_, model_.config(), size(), shape, options, data_.tokens.validation.size() - 1);
    if (resumed) {
      gt::io::write_file_atomically(folder_.description(), description_of(a_, id));
      if (resumed->stage == 0 && resumed->step == 0) folder_.clear();  // it was killed while it began
    } else {
      program::begin(folder_, model_, description_of(a_, id));
    }
    program::print_plan(plan_, model_.config(), size(), shape, substrate.width(), options.tokens_per_stage);
    std::printf("held-out text: %s\n", looks_text().c_str());
    std::fflush(stdout);

    describe(substrate, pictures, shape, options.tokens_per_stage, peak);
    gt::ReportObserver reporter(report_, options.resume);
    gt::MetricsLog metrics(folder_.metrics(), options.resume);
    if (resumed) {
      if (RunFolder::exists(folder_.metrics())) report_.points = gt::MetricsLog::read(folder_.metrics());
      report_.samples = folder_.read_samples(std::min(resumed->stage, plan_.size() - 1));
      std::size_t const done = resumed->stage;  // a stop between a stage and its samples left none
      bool const between = resumed->step == 0 && done > 0 && done < plan_.size();
      if (between && (report_.samples.empty() || report_.samples.back().stage + 1 != done)) sample_stage(done - 1);
    }
    constexpr std::int64_t few = 4096;
    if (a_.keep_best && data_.tokens.validation_bytes < few)
      notice(gt::text("warning: --keep-best chooses by ", data_.tokens.validation_bytes,
                      " held-out bytes; with fewer than ", few, " which model is best is mostly chance"));
    if (a_.keep_best)
      best_.emplace(on_, model_, tokenizer_, data_.tokens.validation, data_.bytes_of_tokens, options, folder_.best(),
                    resumed.has_value());
    profile_.clear();  // of what came before
    auto const result =
        gt::grow(on_, model_, plan_, data_.tokens, data_.bytes_of_tokens, options, progress, metrics, reporter, *this);
    if (a_.profile) std::printf("\n%s", gt::report::profile_table(profile_, peak).c_str());
    return finish(result);
  }

  void notice(std::string const& sentence) override { std::fprintf(stderr, "\n%s\n", sentence.c_str()); }
  void step_done(gt::StepDone const& done) override {
    if (best_) best_->step_done(done);
  }
  void stage_done(gt::StageDone const& done) override {
    print_prefix_cache(done.prefix_cache);
    gt::save(model_, tokenizer_, folder_.model());
    if (done.stage + 1 < plan_.size()) sample_stage(done.stage);  // behind the last one it talks to the user
  }
  void checkpoint(gt::GrowthState const& state) override {
    checkpoints_.save(model_, state);
    last_kept_ = {state.stage, state.step};
    gt::write_report(report_, folder_.path());
  }

 private:
  double bytes_a_token() const {
    return static_cast<double>(data_.tokens.train_bytes) / static_cast<double>(data_.tokens.train.size());
  }
  std::int64_t tokens_for_minutes(gt::BatchShape shape) const {
    gt::StepSeconds all;  // of one step for each stage's share of one
    auto const measured = gt::measure_steps(on_, model_, plan_, shape);
    for (std::size_t i = 0; i < plan_.size(); ++i)
      all.step += plan_[i].tokens * measured[i].step, all.prefix += plan_[i].tokens * measured[i].prefix;
    double const training = 0.9 * 60 * a_.minutes;  // the rest goes to looks at the held-out text
    // After the first epoch of a stage, what the prefix cache has room for is read: steps (step - kept prefix) +
    // epoch kept prefix seconds. (In the first one most windows are carried on from the stage before; not counted.)
    double const epoch = static_cast<double>(windows_) / static_cast<double>(shape.batch),
                 kept = kept_share() * all.prefix;
    double most = training / all.step;
    if (most > epoch) most = (training - epoch * kept) / (all.step - kept);
    auto const steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(most));
    auto const tokens = static_cast<std::int64_t>(static_cast<double>(steps * shape.rows()) * plan_.tokens());
    std::printf("%g minutes here are about %lld tokens: --tokens %lld repeats this run exactly\n", a_.minutes,
                static_cast<long long>(tokens), static_cast<long long>(tokens));
    return tokens;
  }

  std::string looks_text() const {
    if (looks_.tokens == looks_.there)
      return gt::text("all ", number(looks_.there), " tokens before and after a stage");
    return gt::text(number(looks_.tokens), " of ", number(looks_.there),
                    " tokens before and after a stage, evenly spread and always the same (--held-out-tokens)");
  }

  gt::ModelSize size() const { return {.vocab = tokenizer_.size(), .table_width = model_.table_width()}; }
  // Of the windows, how many the prefix cache has room for.
  double kept_share() const {
    std::int64_t const each = prefix_cache_.type == gt::CachedAs::bf16 ? 2 : 4;
    auto const all = static_cast<double>(windows_ * a_.context * (each * a_.width + 4));
    return std::min(1.0, static_cast<double>(prefix_cache_.bytes) / all);
  }
  void print_prefix_cache(gt::PrefixCacheUse const& use) const {
    if (use.asked() == 0) return;
    auto const percent = [&](std::int64_t n) {
      return gt::decimals(100 * static_cast<double>(n) / static_cast<double>(use.asked()), 0) + " %";
    };
    std::string const of = use.windows < windows_ ? " of " + number(windows_) : "";
    std::printf("prefix cache: %s%s windows, %s; of %s asked for %s found, %s carried on, %s computed\n",
                number(use.windows).c_str(), of.c_str(), number(use.bytes, "B").c_str(), number(use.asked()).c_str(),
                percent(use.found).c_str(), percent(use.continued).c_str(), percent(use.computed).c_str());
    std::fflush(stdout);
  }

  void describe(gt::FrozenTable const& substrate, gt::GlyphEmbedding const* pictures, gt::BatchShape shape,
                std::int64_t tokens_per_stage, double peak) {
    report_.title = gt::utf8::replace_malformed(
        gt::text("Growing ", plan_.depth(), " blocks on ", a_.corpus.front().substr(a_.corpus.front().rfind('/') + 1)));
    report_.command = command_of(a_);
    report_.peak_flops = peak;
    char ratio[16];
    std::snprintf(ratio, sizeof ratio, "%.2f", bytes_a_token());
    report_.facts = {
        {"text", gt::text(number(data_.tokens.train_bytes, "B"), " to train on, the last ",
                          number(data_.tokens.validation_bytes, "B"), " held out")},
        {"looks at held-out text", looks_text()},
        {"tokenizer", gt::text(tokenizer_.size(), " tokens, ", ratio, " bytes a token")},
        {"substrate", gt::text(substrate.method(), ", ", substrate.width(), " numbers a token, fingerprint ",
                               substrate.fingerprint().substr(0, 12))},
        {"blocks", gt::text("width ", a_.width, ", ", a_.heads, " heads; new ones ", a_.init, "; head ", a_.head)},
        {"plan", gt::text(a_.plan, ", ", plan_.steps(0, tokens_per_stage, shape), " steps of ", shape.batch, " x ",
                          shape.tokens, " tokens a stage")},
        {"learning rate", gt::text(gt::shortest(a_.lr), ", warm-up, cosine to a tenth; AdamW", a_.rates)},
        {"seed", std::to_string(a_.seed)},
        {"machine", gt::text(on_.name(), ", ", on_.threads(), " threads, at most ", number(peak, "FLOP/s"),
                             a_.bf16 ? " in fp32; products in bf16" : "")},
        {"gt", gt::text(gt::version, ", compiled by ", gt::compiler)}};
    gt::add_plan(report_, plan_, model_.config(), size(), shape, substrate.width(), tokens_per_stage);
    if (pictures) gt::add_glyphs(report_, *pictures, tokenizer_.tokens());
  }

  // Continues a prompt, tells it piece by piece, and keeps it for the report.
  template <class Sink>
  void sample(std::size_t stage, std::string const& prompt, std::int64_t tokens, Sink const& tell) {
    gt::ReportSample said{stage, prompt, ""};
    gt::generate(on_, model_, tokenizer_, prompt,
                 {.max_tokens = tokens,
                  .sampler = {.seed = gt::seed(a_.seed)},
                  .cancel = [] { return program::interrupted != 0; }},
                 [&](std::string_view piece) { said.text += piece, tell(piece); });
    if (program::interrupted != 0) return;
    said.prompt = gt::utf8::replace_malformed(said.prompt), said.text = gt::utf8::replace_malformed(said.text);
    report_.samples.push_back(said);
    folder_.add_sample(said);
  }
  void sample_stage(std::size_t stage) {
    for (std::size_t i = 0; i < 2 && program::interrupted == 0; ++i) sample(stage, prompts_[i], 80, [](auto) {});
  }
  void talk() {
    for (auto const& prompt : prompts_) {
      if (program::interrupted != 0) return;
      std::printf("\n> ");
      program::print_text(prompt);
      sample(plan_.size() - 1, prompt, 120, program::print_text);
      std::printf("\n");
    }
  }

  int finish(gt::GrowthResult const& result) {
    using program::shell_quoted;
    std::string const cache = a_.prefix_cache_file.empty()
                                  ? ""
                                  : " --prefix-cache-file " + shell_quoted(a_.prefix_cache_file),
                      go_on = program::self + " grow --resume " + shell_quoted(folder_.path()) + cache,
                      at = gt::text("stage ", result.stage + 1,
                                    result.step == 0                        ? " before its first step"
                                    : result.end == gt::GrowthEnd::diverged ? ", step "
                                                                            : " after step ",
                                    result.step == 0 ? "" : std::to_string(result.step));
    if (result.end == gt::GrowthEnd::finished) {
      if (!a_.resume.empty()) gt::save(model_, tokenizer_, folder_.model());
      if (!a_.prefix_cache_file.empty()) std::remove(a_.prefix_cache_file.c_str());
      program::print_stages(result);
      talk();
      gt::write_report(report_, folder_.path());
      if (best_ && best_->best().step > 0)
        std::printf("\nbest: %s, of stage %zu after step %lld\n", shell_quoted(folder_.best()).c_str(),
                    best_->best().stage + 1, static_cast<long long>(best_->best().step));
      std::printf("\nmodel: %s\nreport: %s\nmetrics: %s\ntalk to it: %s generate --model %s --prompt \"...\"\n",
                  shell_quoted(folder_.model()).c_str(), shell_quoted(folder_.report()).c_str(),
                  shell_quoted(folder_.metrics()).c_str(), program::self.c_str(),
                  shell_quoted(folder_.model()).c_str());
      return program::interrupted != 0 ? program::interrupted_status() : 0;
    }
    if (result.end == gt::GrowthEnd::diverged) {
      report_.note = gt::text("Ended in ", at, ", whose loss was not finite.");
      gt::write_report(report_, folder_.path());
      bool const earlier = last_kept_ && *last_kept_ != std::pair{result.stage, result.step - 1};
      gt::fail("grow", "the loss must stay finite (it did not in ", at, "); ",
               earlier ? gt::text("the checkpoint of stage ", last_kept_->first + 1, " after step ", last_kept_->second,
                                  " is kept: ", go_on, " --lr ", gt::shortest(a_.lr / 4),
                                  " goes on from it with a smaller rate")
                       : gt::text("there is no checkpoint from which a smaller rate could help: begin again with --lr ",
                                  gt::shortest(a_.lr / 4)));
    }
    if (result.step > 0) gt::save(model_, tokenizer_, folder_.model());  // else its blocks are untrained
    program::print_stages(result);
    report_.note = gt::text("Stopped in ", at, ".");
    gt::write_report(report_, folder_.path());
    std::printf("\nstopped in %s", at.c_str());
    if (result.step > 0) std::printf("; the model as it is: %s", shell_quoted(folder_.model()).c_str());
    std::printf("\ngo on: %s\n", go_on.c_str());
    return program::interrupted_status();
  }

  // The run's folder, from now on its alone: the one asked for, or the first that holds no run and is not in use.
  gt::io::FileLock take_folder() {
    constexpr int most = 100;  // that others may take at the same time
    for (int tried = 0; tried < most; ++tried) {
      gt::io::make_folder(folder_.path());
      try {
        gt::io::FileLock lock(folder_.path());
        if (!a_.resume.empty() || !folder_.has_run()) return lock;
        if (!a_.out.empty()) {
          RunFolder::for_new_run(a_.out, a_.overwrite);  // again, now that nobody else can begin one
          return lock;
        }
      } catch (gt::io::FolderInUse const&) {
        if (!a_.resume.empty() || !a_.out.empty()) throw;
      }
      folder_ = folder_.next();
    }
    gt::fail("grow", "one of ", most, " folders must be free (got '", folder_.path(),
             "' as the next one); choose a folder with --out");
  }

  static gt::Cpu<> backend_of(GrowArguments const& a, gt::ops::Profile& profile) {
    auto const on = gt::Cpu<>(a.threads).with(a.bf16 ? gt::Products::bf16 : gt::Products::fp32);
    return a.profile ? on.profiled(profile) : on;
  }

  GrowArguments a_;
  RunFolder folder_;
  gt::Tokenizer const& tokenizer_;
  Model model_;
  gt::ops::Profile profile_;
  gt::Cpu<> on_;
  gt::GrowthPlan plan_;
  gt::TrainingText data_;
  std::int64_t windows_;  // of the training text
  gt::PrefixCacheOptions prefix_cache_;
  std::vector<std::string> prompts_;
  gt::CheckpointHistory checkpoints_;
  std::optional<gt::KeepBest<gt::Cpu<>, Model>> best_;  // with --keep-best
  gt::RunReport report_;
  gt::growth::HeldOutLooks looks_;
  std::optional<std::pair<std::size_t, std::int64_t>> last_kept_;  // stage and step of the checkpoint
};

int run(GrowArguments a) {
  std::optional<RunIdentity> was;
  if (!a.resume.empty()) {
    auto const asked = a;
    std::tie(a, was.emplace()) = program::read_description(RunFolder(asked.resume));
    a.resume = asked.resume, a.threads = asked.threads, a.profile = asked.profile;
    a.checkpoint_seconds = asked.checkpoint_seconds;
    a.prefix_cache = asked.prefix_cache, a.prefix_cache_file = asked.prefix_cache_file;
    if (asked.keep > 0) a.keep = asked.keep;
    if (!asked.corpus.empty()) a.corpus = asked.corpus;
    if (!asked.tokenizer.empty()) a.tokenizer = asked.tokenizer;
    if (!asked.font.empty()) a.font = asked.font;
    program::check_there(a);
    a.keep_best = a.keep_best || asked.keep_best;
    if (asked.lr > 0 && asked.lr != a.lr) {
      a.rates += gt::text("; until a stop ", gt::shortest(a.lr));
      a.lr = asked.lr;
    }
  }
  // What this machine cannot do, and what is wrong with a small file, is found before the text is read, and before a
  // folder is made.
  gt::Cpu<>(a.threads).with(a.bf16 ? gt::Products::bf16 : gt::Products::fp32);
  RunFolder const folder = was ? RunFolder(a.resume) : RunFolder::for_new_run(a.out, a.overwrite);
  program::prefix_cache_of(a, 0);
  std::optional<program::EndedAtOnce> at_once(std::in_place);
  if (a.substrate == "glyph") gt::fonts::FontChain::read(a.font);
  auto const given = a.tokenizer.empty() ? std::nullopt : std::optional(gt::Tokenizer::load(a.tokenizer));
  program::check_memory(a, given ? given->size() : a.vocab);

  auto const corpus = program::read_corpus(a.corpus);
  if (!given) {
    std::printf("building a tokenizer of %lld tokens from %s ...\n", static_cast<long long>(a.vocab),
                number(corpus.bytes(), "B").c_str());
    std::fflush(stdout);
  }
  auto const tokenizer = given ? *given : gt::Tokenizer::build(corpus, {.vocab_size = a.vocab});
  at_once.reset();
  auto const grow_on = [&](gt::FrozenTable const& substrate, gt::GlyphEmbedding const* pictures = nullptr) {
    gt::io::Xxh3 sum;
    sum.update(corpus.text());
    RunIdentity const id{sum.hex(), tokenizer.fingerprint(), substrate.fingerprint()};
    if (was) program::check_identity(*was, id, a);
    gt::BlockConfig const shape{
        .d_model = a.width, .heads = a.heads, .gelu = a.gelu == "erf" ? gt::Gelu::erf : gt::Gelu::tanh};
    Model model(substrate, shape, gt::seed(a.seed), {.context = a.context});
    return Run(a, folder, corpus, tokenizer, std::move(model))(substrate, pictures, id);
  };
  using Code = gt::CodeEmbeddingOptions;
  std::vector<std::pair<std::string, Code>> const codes{
      {"affine", {.recode = gt::seed(a.seed), .d_model = a.width}},
      {"binary-unit", {.projection = gt::CodeProjection::pca, .d_model = a.width}},
      {"random-bits",
       {.source = gt::CodeSource::random, .bits = std::gcd(a.width, 64), .seed = gt::seed(a.seed), .d_model = a.width}},
      {"random-bits-unit",
       {.source = gt::CodeSource::random,
        .bits = std::gcd(a.width, 64),
        .seed = gt::seed(a.seed),
        .projection = gt::CodeProjection::pca,
        .d_model = a.width}}};
  for (auto const& [name, options] : codes) {
    if (a.substrate == name) return grow_on(gt::CodeEmbedding::draw(tokenizer.tokens(), options));
  }
  if (a.substrate == "binary") return grow_on(gt::BinaryEmbedding::of_ids(tokenizer.tokens(), {.d_model = a.width}));
  if (a.substrate == "random")
    return grow_on(gt::RandomEmbedding::draw(tokenizer.tokens(), {.width = a.width, .seed = gt::seed(a.seed)}));
  if (a.substrate == "learned")
    return grow_on(gt::LearnedEmbedding::start(tokenizer.tokens(), {.width = a.width, .seed = gt::seed(a.seed)}));
  auto const glyphs = gt::GlyphEmbedding::draw(tokenizer.tokens(), gt::fonts::FontFiles(a.font),
                                               {.width = a.width, .raster = a.raster});
  return grow_on(glyphs, &glyphs);
}

}  // namespace
}  // namespace program::growing

int program::grow(int argc, char** argv) {
  using namespace growing;
  program::GrowCommandLine line;
  CLI11_PARSE(line.app, argc, argv);
  program::catch_interrupts();
  return program::guarded([&] {
    line.settle();
    if (!line.a.resume.empty() && line.lr->count() == 0) line.a.lr = 0;  // as the run began
    return run(line.a);
  });
}
program::Needs program::grow_needs(int argc, char** argv) { return needs_of<GrowCommandLine>(argc, argv); }
