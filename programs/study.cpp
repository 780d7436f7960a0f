// SPDX-License-Identifier: MIT
// Measures the claims of the papers at laptop scale, with seeds and intervals, and writes a report. It goes on where it
// was stopped.
#include <algorithm>
#include <cstdio>
#include <gt/gt.hpp>
#include <gt/io/checksum.hpp>
#include <gt/io/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "study/artefact_jobs.hpp"
#include "study/compose_jobs.hpp"
#include "study/growth_jobs.hpp"
#include "study/page.hpp"
#include "study/recall_jobs.hpp"
#include "study/results.hpp"
#include "study/setup.hpp"
#include "support/command_line.hpp"
#include "support/program.hpp"
#include "support/shell_quoted.hpp"

namespace program::studying {
namespace {

using study::Job;

struct Arguments {
  CLI::App app{"Measures the claims of the papers on Growing Transformers at laptop scale.", "gt study"};
  std::string corpus, out = "study";
  std::vector<std::string> fonts, languages, only;
  double hours = 1;
  int threads = 0;
  bool quick = false, overwrite = false;
  std::string named;  ///< the options with which the user named texts and fonts, as a shell takes them

  Arguments() {
    app.add_option("--corpus", corpus, "UTF-8 text; the last 5 % are held out");
    app.add_option("--font", fonts, "fonts for glyphs, the first choice first: .ttf, .otf, .ttc:N, Unifont's .hex");
    app.add_option("--language", languages, "NAME=FILE, of each language that gets an expert");
    app.add_option("--out", out, "folder of the results; a study goes on with those that are there")
        ->capture_default_str();
    app.add_flag("--overwrite", overwrite, "forget what was measured before");
    app.add_option("--only", only, "groups: matrix, equal, lora, recode, merge, recall, passage, artefact, compose")
        ->delimiter(',');
    auto const budget = app.add_option("--hours", hours, "time to spend on two cores, about")->capture_default_str();
    app.add_flag("--quick", quick, "small models in about five minutes: whether all of it runs, not what is true")
        ->excludes(budget);
    app.add_option("--threads", threads, "0: all cores")->capture_default_str();
  }
  bool wants(std::string const& job) const {
    return only.empty() ||
           std::any_of(only.begin(), only.end(), [&](auto const& group) { return job.starts_with(group + "/"); });
  }
  bool wants_experts() const {
    return only.empty() ||
           std::any_of(only.begin(), only.end(), [](auto const& g) { return (g + "/").starts_with("compose/"); });
  }
  Needs needs() const {
    Needs all;
    if (corpus.empty()) all.push_back("austen");
    if (fonts.empty()) all.push_back("font");
    if (languages.empty() && wants_experts()) all.push_back("languages");
    return all;
  }

  /// Fills in what was fetched, and refuses what no study can have.
  void settle() {
    if (!corpus.empty()) named += " --corpus " + shell_quoted(corpus);
    if (!fonts.empty()) named += " --font";
    for (auto const& font : fonts) named += " " + shell_quoted(font);
    for (auto const& language : languages) named += " --language " + shell_quoted(language);
    if (corpus.empty()) corpus = fetched("GT_AUSTEN").value_or("");
    if (fonts.empty()) fonts = {unifont()};
    if (languages.empty() && wants_experts()) languages = fetched_languages();
    gt::check(!corpus.empty(), "study", "--corpus must name a text");
    for (auto const& group : only) {
      bool known = group == "compose" && !languages.empty();
      for (char const* each : {"matrix", "equal", "lora", "recode", "merge", "recall", "passage", "artefact"})
        known = known || group == each;
      gt::check(known, "study",
                "--only must name groups that there are: matrix, equal, lora, recode, merge, recall, "
                "passage, artefact, compose (with --language) (got '",
                group, "')");
    }
    gt::check(hours > 0 && hours <= 1000, "study", "--hours must lie in 0 ... 1000 (got ", hours, ")");
  }
};

// More hours are more tokens, and from the second one more seeds.
study::Scale scale_of(Arguments const& a) {
  study::Scale s;
  if (a.quick) {
    s = {.width = 48,
         .heads = 2,
         .each = 1,
         .vocab = 512,
         .context = 64,
         .batch = 8,
         .tokens_per_stage = 12'000,
         .seeds = 2};
  } else {
    s.seeds = a.hours >= 2 ? 5 : 3;
    s.tokens_per_stage = static_cast<std::int64_t>(static_cast<double>(s.tokens_per_stage) * a.hours * 3 / s.seeds);
  }
  return s;
}

void write_report(Arguments const& a, study::Scale const& scale, study::Tables const& tables) {
  std::string command = self + " study" + a.named;
  if (a.quick) command += " --quick";
  if (a.hours != 1) command += gt::text(" --hours ", gt::shortest(a.hours));
  std::vector<std::pair<std::string, std::string>> const facts{
      {"text", gt::utf8::replace_malformed(a.corpus)},
      {"model", gt::text("width ", scale.width, ", ", scale.heads, " heads, ", scale.depth(), " blocks, ", scale.each,
                         " a stage")},
      {"vocabulary, context, batch", gt::text(scale.vocab, ", ", scale.context, ", ", scale.batch)},
      {"tokens a stage", std::to_string(scale.tokens_per_stage)},
      {"seeds", std::to_string(scale.seeds)},
      {"optimiser", "AdamW 1e-3, cosine to a tenth in each stage, decay 0.1, clipping at 1"},
      {"gt", gt::text(gt::version, ", compiled by ", gt::compiler)}};
  gt::io::write_file_atomically(a.out + "/report.html", study::to_page(tables, command, facts));
}

int run(Arguments const& a) {
  study::Scale const scale = scale_of(a);
  gt::Cpu<> const on(a.threads);
  program::introduce(on);
  study::Text const text(program::read_corpus({a.corpus}), scale.vocab);
  gt::WindowLoader(text.data.tokens.train, scale.context, gt::seed(1));  // a text too short is found here
  study::Substrates substrates(text.tokenizer, a.fonts, scale.width);
  std::vector<std::pair<std::string, std::string>> files;
  for (auto const& file : a.languages) {
    auto const equals = file.find('=');
    gt::check(equals != file.npos && equals > 0, "study", "--language must be NAME=FILE (got '", file, "')");
    gt::check(gt::utf8::is_valid(file.substr(0, equals)), "study", "the NAME of --language must be UTF-8 (got '", file,
              "')");
    files.emplace_back(file.substr(0, equals), file.substr(equals + 1));
  }
  std::optional<study::Languages> languages;
  std::optional<study::Substrates> of_languages;
  std::optional<study::ComposeStudy> compose;  // jobs refer to it
  if (!files.empty()) {
    languages = study::Languages::read(files, a.quick ? 60'000 : 600'000, a.quick ? 1536 : 4096);
    of_languages.emplace(languages->tokenizer, a.fonts, scale.width);
    compose.emplace(study::ComposeStudy{on, scale, *languages, *of_languages});
  }
  gt::Json settings = scale.json();
  gt::io::Xxh3 sum;
  sum.update(text.corpus.text());
  settings["text"] = sum.hex();
  settings["hours"] = a.hours, settings["quick"] = a.quick;
  gt::io::make_folder(a.out);
  study::Results results(a.out, settings, a.overwrite);
  if (!results.notice().empty()) std::fprintf(stderr, "%s\n", results.notice().c_str());

  study::GrowthStudy const growth{on, scale, text, substrates, results};
  std::vector<Job> jobs = growth.jobs();
  jobs.push_back(study::merge_job(growth, 30));
  for (auto& job : study::task_jobs(a.quick, scale.seeds)) jobs.push_back(std::move(job));
  for (int s = 1; s <= scale.seeds; ++s) {
    jobs.push_back({gt::text("artefact/", s), [&growth, &a, s] {
                      return study::ask(growth, static_cast<std::uint64_t>(s), a.quick ? 40 : 200, a.quick ? 2 : 10);
                    }});
  }
  if (compose) {
    for (auto& job : compose->jobs()) jobs.push_back(std::move(job));
  }
  std::erase_if(jobs, [&](Job const& job) { return !a.wants(job.name); });

  study::Tables const tables{results, text.unigram_bits()};
  double const start = gt::seconds_now();
  std::size_t todo = 0, done = 0;
  for (auto const& job : jobs) todo += results.has(job.name) ? 0 : 1;
  std::fprintf(stderr, "%zu measurements, of which %zu are there already\n", jobs.size(), jobs.size() - todo);
  try {
    for (auto const& job : jobs) {
      if (results.has(job.name)) continue;
      results.add(job.name, job.run());
      ++done;
      double const seconds = gt::seconds_since(start);
      double const left = seconds / static_cast<double>(done) * static_cast<double>(todo - done);
      std::fprintf(stderr, "%3zu/%zu  %-36s %s so far, about %s left\n", done, todo, job.name.c_str(),
                   gt::short_time(seconds).c_str(), gt::short_time(left).c_str());
      write_report(a, scale, tables);
    }
  } catch (study::Interrupted const&) {
    write_report(a, scale, tables);
    std::fprintf(stderr, "stopped; the same command goes on from here\n");
    return program::interrupted_status();
  }
  write_report(a, scale, tables);
  std::printf("\n%s\n%s\nreport: %s/report.html\nresults: %s/results.jsonl\n", study::to_lines(tables.cells()).c_str(),
              study::to_lines(tables.claims(false)).c_str(), a.out.c_str(), a.out.c_str());
  return 0;
}

}  // namespace
}  // namespace program::studying

int program::study(int argc, char** argv) {
  studying::Arguments a;
  CLI11_PARSE(a.app, argc, argv);
  catch_interrupts();
  return guarded([&] {
    a.settle();
    return studying::run(a);
  });
}
program::Needs program::study_needs(int argc, char** argv) { return needs_of<studying::Arguments>(argc, argv); }
