// SPDX-License-Identifier: MIT
// Measures a model: how well it predicts texts, chooses among answers, answers from a text, and translates.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <gt/eval/jsonl.hpp>
#include <gt/eval/multiple_choice.hpp>
#include <gt/eval/translate.hpp>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <gt/io/json_path.hpp>
#include <gt/paper/protocol.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "support/command_line.hpp"
#include "support/program.hpp"

namespace program::evaluating {
namespace {

using Prepared = gt::Prepared<gt::Cpu<>, gt::AnyModel>;

/// What the command line asks for.
struct Arguments {
  std::string folder;
  std::vector<std::string> texts, choices, answers, translate;
  gt::ScoreOptions score;
  gt::ProtocolOptions protocol;
  gt::TranslateOptions translation;
  std::string by = "text", form = "mmlu", bleu_tokenizer = "auto";
  std::size_t samples = 0, answer_characters = 8;
  bool by_protocol = false, by_subject = false, as_json = false;
  int threads = 0;
};

// A line on stderr that is rewritten: shown on a terminal, and only when it takes longer than a second.
class Progress {
 public:
  Progress(std::string file, char const* unit) : file_{std::move(file)}, unit_{unit} {}
  /// Shows how far it is; false once the user wants it to end.
  bool operator()(std::int64_t done, std::int64_t of) {
    double const seconds = gt::seconds_since(start_);
    if (gt::is_terminal(stderr) && seconds >= 1 && seconds >= shown_ + 0.1) {
      shown_ = seconds;
      double const left = seconds / static_cast<double>(done) * static_cast<double>(of - done);
      std::fprintf(stderr, "\r\033[K%s  %.0f %%  %s %s/s  %s left", harmless(file_).c_str(),
                   100 * static_cast<double>(done) / static_cast<double>(of),
                   gt::short_number(static_cast<double>(done) / seconds).c_str(), unit_, gt::short_time(left).c_str());
      std::fflush(stderr);
    }
    return program::interrupted == 0;
  }
  Progress(Progress const&) = delete;
  Progress& operator=(Progress const&) = delete;
  ~Progress() {
    if (shown_ > 0) std::fprintf(stderr, "\r\033[K");
  }

 private:
  double start_ = gt::seconds_now();
  std::string file_;
  char const* unit_;
  double shown_ = 0;
};

double share(std::int64_t part, std::int64_t of) {
  return of > 0 ? static_cast<double>(part) / static_cast<double>(of) : 0;
}
void print_json(gt::Json const& row) { std::printf("%s\n", gt::dump_json(row, "eval").c_str()); }

// --- Texts -----------------------------------------------------------------------------------------------------------

struct TextRow {
  std::string file;
  double nats = 0;
  std::int64_t tokens = 0, bytes = 0, characters = 0, stride = 0;
  double bits_per_byte() const { return bits() / static_cast<double>(bytes); }
  double bits_per_character() const { return bits() / static_cast<double>(characters); }
  double perplexity() const { return std::exp(nats / static_cast<double>(tokens)); }

 private:
  double bits() const { return nats / 0.6931471805599453; }
};

void print(TextRow const& r, bool as_json) {
  if (as_json) {
    print_json({{"file", gt::json_of_path(r.file)},
                {"bits_per_byte", r.bits_per_byte()},
                {"bits_per_character", r.bits_per_character()},
                {"perplexity", r.perplexity()},
                {"nats", r.nats},
                {"tokens", r.tokens},
                {"bytes", r.bytes},
                {"characters", r.characters},
                {"stride", r.stride}});
  } else {
    std::printf("  %9.4f  %9.4f  %10.3f  %10lld  %11lld  %s\n", r.bits_per_byte(), r.bits_per_character(),
                r.perplexity(), static_cast<long long>(r.tokens), static_cast<long long>(r.bytes),
                program::harmless(r.file).c_str());
  }
  std::fflush(stdout);
}

void measure_texts(gt::Cpu<> const& on, program::OpenModel const& model, Arguments const& arguments,
                   std::vector<gt::Corpus> const& texts) {
  TextRow all{.file = "all together"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto const& file = arguments.texts[i];
    auto const& text = texts[i];
    Progress progress(file, "tok");
    auto options = arguments.score;
    options.proceed = [&](std::int64_t done, std::int64_t of) { return progress(done, of); };
    auto const score = gt::score(on, model.model, model.tokenizer, text.text(), options);
    if (program::interrupted != 0) return;
    if (all.stride == 0 && !arguments.as_json) {
      std::printf("windows of %lld tokens, %lld apart\n", static_cast<long long>(model.model.context()),
                  static_cast<long long>(score.stride));
      std::printf("  bits/byte  bits/char  perplexity      tokens        bytes  text\n");
    }
    TextRow const row{.file = file,
                      .nats = -score.log_likelihood(),
                      .tokens = static_cast<std::int64_t>(score.ids.size()),
                      .bytes = score.bytes,
                      .characters = score.characters,
                      .stride = score.stride};
    print(row, arguments.as_json);
    all.stride = row.stride;
    all.nats += row.nats, all.tokens += row.tokens, all.bytes += row.bytes, all.characters += row.characters;
  }
  if (arguments.texts.size() > 1) print(all, arguments.as_json);
}

// --- Questions -------------------------------------------------------------------------------------------------------

gt::Json json(gt::Proportion const& p) {
  return {{"accuracy", p.value()}, {"low", p.low()}, {"high", p.high()}, {"right", p.hits}};
}
gt::Json json(gt::ChoiceAccuracy const& a) {
  return {{"questions", a.raw.count},
          {"raw", json(a.raw)},
          {"per_token", json(a.per_token)},
          {"per_byte", json(a.per_byte)},
          {"chance", a.chance()}};
}
void print(gt::ChoiceAccuracy const& a, std::string const& what) {
  std::printf("  %6.2f  %6.2f  %6.2f  %6.2f ... %6.2f  %6.2f  %9lld  %s\n", 100 * a.raw.value(),
              100 * a.per_token.value(), 100 * a.per_byte.value(), 100 * a.per_byte.low(), 100 * a.per_byte.high(),
              100 * a.chance(), static_cast<long long>(a.raw.count), harmless(what).c_str());
}

void warn_of_cut_prompts(std::int64_t cut, std::string const& file) {
  if (cut > 0)
    std::fprintf(stderr, "warning: %lld prompts of '%s' do not fit the model's context: their ends were asked\n",
                 static_cast<long long>(cut), file.c_str());
}

void rank_choices(Prepared const& model, gt::Tokenizer const& tokenizer, Arguments const& arguments,
                  std::string const& file, std::vector<gt::MultipleChoice> const& questions, bool first) {
  Progress progress(file, "questions");
  gt::MultipleChoiceOptions options{.by = arguments.by == "text" ? gt::RankedBy::text : gt::RankedBy::label};
  options.proceed = [&](std::int64_t done, std::int64_t of) { return progress(done, of); };
  auto const result = gt::multiple_choice(model, tokenizer, questions, options);
  if (program::interrupted != 0) return;
  if (arguments.as_json) {
    gt::Json row{{"file", gt::json_of_path(file)}, {"task", "choices"}, {"by", arguments.by}};
    row.update(json(result.all));
    row["cut_prompts"] = result.cut_prompts;
    for (auto const& [subject, accuracy] : result.subjects) row["subjects"][subject] = json(accuracy);
    print_json(row);
  } else {
    if (first) {
      std::printf("options ranked by the likelihood of their %ss: percent right\n", arguments.by.c_str());
      std::printf("     raw  /token   /byte  95 %% of /byte      chance  questions  file\n");
    }
    print(result.all, file);
    if (arguments.by_subject) {
      for (auto const& [subject, accuracy] : result.subjects) print(accuracy, "  " + subject);
    }
  }
  warn_of_cut_prompts(result.cut_prompts, file);
}

// --- The paper's protocol
// ---------------------------------------------------------------------------------------------

void print(gt::ProtocolResult const& r, char const* task, std::string const& file, Arguments const& arguments,
           bool first) {
  auto const& options = arguments.protocol;
  if (arguments.as_json) {
    print_json({{"file", gt::json_of_path(file)},
                {"task", task},
                {"protocol", true},
                {"mean", r.score.mean()},
                {"deviation", r.score.deviation()},
                {"ci95", r.score.ci95()},
                {"runs", r.score.runs},
                {"samples", r.samples},
                {"outputs", r.well_formed.count},
                {"well_formed", r.well_formed.hits},
                {"blank", r.blank.hits},
                {"cut_prompts", r.cut_prompts},
                {"temperature", options.sampler.temperature},
                {"top_k", options.sampler.top_k},
                {"top_p", options.sampler.top_p},
                {"seed", options.sampler.seed.value}});
  } else {
    if (first) {
      std::printf("the paper's protocol, %s: %d runs at temperature %.2f\n", task, options.runs,
                  options.sampler.temperature);
      std::printf("    mean    ± 95 %%   sigma  well-formed  blank    samples  file\n");
    }
    std::printf("  %6.2f  %8.2f  %6.2f  %9.2f %%  %5.1f %%  %7lld  %s\n", r.score.mean(), r.score.ci95(),
                r.score.deviation(), 100 * share(r.well_formed.hits, r.well_formed.count),
                100 * share(r.blank.hits, r.blank.count), static_cast<long long>(r.samples), harmless(file).c_str());
  }
  warn_of_cut_prompts(r.cut_prompts, file);
}

/// Runs `protocol(samples, options)` on a file's records, or on as many of them as were asked for.
template <class Record, class Protocol>
void by_protocol(char const* task, std::string const& file, std::vector<Record> records, Arguments const& arguments,
                 bool first, Protocol const& protocol) {
  auto options = arguments.protocol;
  if (arguments.samples > 0) records = gt::draw_samples(std::move(records), arguments.samples, options.sampler.seed);
  Progress progress(file, "samples");
  options.proceed = [&](std::int64_t done, std::int64_t of) { return progress(done, of); };
  auto const result = protocol(records, options);
  if (program::interrupted == 0) print(result, task, file, arguments, first);
}

// --- Translations
// -----------------------------------------------------------------------------------------------------

gt::BleuTokenizer tokenizer_for(std::vector<gt::Translation> const& sentences, std::string const& wanted) {
  if (wanted != "auto") return gt::bleu_tokenizer(wanted);
  bool const chinese = std::all_of(sentences.begin(), sentences.end(), [](auto const& s) { return s.to == "Chinese"; });
  return chinese ? gt::BleuTokenizer::zh : gt::BleuTokenizer::v13a;
}

void translate(Prepared const& model, gt::Tokenizer const& tokenizer, Arguments const& arguments,
               std::string const& file, std::vector<gt::Translation> sentences, bool first) {
  if (arguments.samples > 0)
    sentences = gt::draw_samples(std::move(sentences), arguments.samples, arguments.protocol.sampler.seed);
  auto options = arguments.translation;
  options.tokenizer = tokenizer_for(sentences, arguments.bleu_tokenizer);
  Progress progress(file, "sentences");
  options.proceed = [&](std::int64_t done, std::int64_t of) { return progress(done, of); };
  auto const result = gt::translate(model, tokenizer, sentences, options);
  if (program::interrupted != 0) return;
  auto const count = result.hypotheses.size();
  if (arguments.as_json) {
    print_json({{"file", gt::json_of_path(file)},
                {"task", "translate"},
                {"bleu", result.bleu.score},
                {"bleu_tokenizer", gt::name(options.tokenizer)},
                {"brevity_penalty", result.bleu.brevity_penalty},
                {"chrf", result.chrf},
                {"chrf_plus_plus", result.chrf_plus_plus},
                {"sentences", count},
                {"cut_prompts", result.cut_prompts},
                {"translations", result.hypotheses}});
  } else {
    if (first) {
      std::printf("translations by the likeliest tokens: scores of the corpus, as sacreBLEU has them\n");
      std::printf("    BLEU  words by   chrF  chrF++  sentences  file\n");
    }
    std::printf("  %6.2f  %8s  %5.2f  %6.2f  %9zu  %s\n", result.bleu.score, gt::name(options.tokenizer), result.chrf,
                result.chrf_plus_plus, count, harmless(file).c_str());
  }
  warn_of_cut_prompts(result.cut_prompts, file);
}

// --- All of it
// --------------------------------------------------------------------------------------------------------

/// Reads all files before anything is measured, so that what is wrong with the last one costs no time.
template <class Record>
std::vector<std::vector<Record>> read_all(std::vector<std::string> const& files) {
  std::vector<std::vector<Record>> all;
  for (auto const& file : files) all.push_back(gt::read_jsonl<Record>(file));
  return all;
}

/// Throws where something that was read cannot be asked of this model.
void check_fits(program::OpenModel const& model, Arguments const& arguments,
                std::vector<std::vector<gt::MultipleChoice>> const& choices) {
  std::int64_t const context = model.model.context();
  gt::check(arguments.score.stride >= 0 && arguments.score.stride <= context, "eval", "the stride must lie in 1 ... ",
            context, ", the model's context (got ", arguments.score.stride, "); 0 is half of it");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    for (auto const& question : choices[i]) {
      for (auto const& label : question.labels)
        gt::check(!arguments.by_protocol || gt::utf8::length(label) == 1, "eval", "'", arguments.choices[i],
                  "' must have labels of one character for --protocol (got '", label, "')");
    }
  }
}

int evaluate(Arguments const& arguments) {
  gt::check(
      arguments.texts.size() + arguments.choices.size() + arguments.answers.size() + arguments.translate.size() > 0,
      "eval", "there must be something to measure: texts, --choices, --answers or --translate (got none)");
  gt::check_sampler(arguments.protocol.sampler);
  gt::check(arguments.protocol.runs > 0, "eval", "there must be at least one run (got ", arguments.protocol.runs, ")");
  gt::check(arguments.score.batch > 0, "eval", "the batch must be positive (got ", arguments.score.batch, ")");
  gt::check(arguments.score.batch <= 65536, "eval", "--batch must lie in 1 ... 65536 (got ", arguments.score.batch,
            ")");
  std::optional<program::EndedAtOnce> at_once(std::in_place);
  std::vector<gt::Corpus> texts;
  for (auto const& file : arguments.texts) texts.push_back(program::read_corpus({file}));
  auto const choices = read_all<gt::MultipleChoice>(arguments.choices);
  auto answers = read_all<gt::Extractive>(arguments.answers);
  auto const translations = read_all<gt::Translation>(arguments.translate);
  at_once.reset();
  for (std::size_t i = 0; i < answers.size() && arguments.answer_characters > 0; ++i) {
    answers[i] = gt::short_answers(std::move(answers[i]), arguments.answer_characters);
    gt::check(!answers[i].empty(), "eval", "'", arguments.answers[i], "' must have an answer of at most ",
              arguments.answer_characters, " characters (got none); see --answer-characters");
  }
  gt::Cpu<> const on(arguments.threads);
  auto const model = program::open_model(on, arguments.folder);
  auto const& tokenizer = model.tokenizer;
  Prepared const prepared(on, model.model);  // whose weights are packed once for all files of questions
  program::introduce(on);

  check_fits(model, arguments, choices);
  auto const form = arguments.form == "mmlu" ? gt::ChoiceProtocol::mmlu : gt::ChoiceProtocol::arc;
  measure_texts(on, model, arguments, texts);
  for (std::size_t i = 0; i < choices.size() && program::interrupted == 0; ++i) {
    auto const& file = arguments.choices[i];
    if (!arguments.by_protocol) {
      auto const& all = choices[i];
      rank_choices(
          prepared, tokenizer, arguments, file,
          arguments.samples > 0 ? gt::draw_samples(all, arguments.samples, arguments.protocol.sampler.seed) : all,
          i == 0);
      continue;
    }
    by_protocol("choices", file, choices[i], arguments, i == 0, [&](auto const& samples, auto const& options) {
      return gt::protocol_choices(prepared, tokenizer, std::span(samples), form, options);
    });
  }
  for (std::size_t i = 0; i < answers.size() && program::interrupted == 0; ++i) {
    by_protocol("answers", arguments.answers[i], answers[i], arguments, i == 0,
                [&](auto const& samples, auto const& options) {
                  return gt::protocol_extractive(prepared, tokenizer, std::span(samples), options);
                });
  }
  for (std::size_t i = 0; i < translations.size() && program::interrupted == 0; ++i) {
    auto const& file = arguments.translate[i];
    if (!arguments.by_protocol) {
      translate(prepared, tokenizer, arguments, file, translations[i], i == 0);
      continue;
    }
    by_protocol("BLEU of sentences", file, translations[i], arguments, i == 0,
                [&](auto const& samples, auto const& options) {
                  return gt::protocol_translation(prepared, tokenizer, std::span(samples), options);
                });
  }
  return program::interrupted != 0 ? program::interrupted_status() : 0;
}

}  // namespace
}  // namespace program::evaluating

int program::eval(int argc, char** argv) {
  using namespace evaluating;
  CLI::App app{"Measures a model on texts, questions and translations.", "gt eval"};
  Arguments a;
  app.add_option("--model", a.folder, "folder of the model")->required();
  app.add_option("files", a.texts, "UTF-8 texts; each is measured by itself, and all together");
  app.add_option("--stride", a.score.stride, "tokens from one window to the next; 0: half of the context")
      ->capture_default_str();
  app.add_option("--batch", a.score.batch, "windows at a time; changes no result")->capture_default_str();
  app.add_option("--choices", a.choices,
                 "questions with options, JSON lines, ranked by likelihood; again for more files")
      ->allow_extra_args(false);
  app.add_option("--by", a.by, "what is ranked: text, each option by itself; label, A, B, ... behind a list of all")
      ->check(CLI::IsMember({"text", "label"}))
      ->capture_default_str();
  app.add_flag("--subjects", a.by_subject, "a row for each subject of the questions too; JSON always has them");
  app.add_option("--translate", a.translate, "sentences with translations, JSON lines, scored by BLEU and chrF")
      ->allow_extra_args(false);
  app.add_option("--bleu-tokenizer", a.bleu_tokenizer, "what BLEU counts: 13a, zh, char, none; auto: zh for Chinese")
      ->check(CLI::IsMember({"auto", "13a", "zh", "char", "none"}))
      ->capture_default_str();
  app.add_option("--max-tokens", a.translation.max_tokens, "most tokens of a translation")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--answers", a.answers, "questions about texts, JSON lines, by the paper's protocol")
      ->allow_extra_args(false);
  app.add_option("--answer-characters", a.answer_characters, "only questions with answers this short; 0: all")
      ->capture_default_str();
  app.add_flag("--protocol", a.by_protocol, "choices and translations too as in the paper: drawn, in several runs");
  app.add_option("--form", a.form,
                 "how the protocol asks: mmlu, options in a line, one token; arc, by line, two tokens")
      ->check(CLI::IsMember({"mmlu", "arc"}))
      ->capture_default_str();
  app.add_option("--samples", a.samples, "this many of each file, drawn by the seed; 0: all")->capture_default_str();
  app.add_option("--runs", a.protocol.runs, "of the protocol, over the same samples")->capture_default_str();
  app.add_option("--temperature", a.protocol.sampler.temperature, "of the protocol; the authors name none")
      ->capture_default_str();
  app.add_option("--top-k", a.protocol.sampler.top_k, "of the protocol; 0: all")->capture_default_str();
  app.add_option("--top-p", a.protocol.sampler.top_p, "of the protocol")->capture_default_str();
  takes_seed(app.add_option("--seed", a.protocol.sampler.seed.value, "of draws and samples")->capture_default_str());
  app.add_flag("--json", a.as_json, "print JSON lines instead of tables");
  app.add_option("--threads", a.threads, "0: all cores")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  program::catch_interrupts();
  return program::guarded([&] { return evaluate(a); });
}
