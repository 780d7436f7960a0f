// SPDX-License-Identifier: MIT
// Reports: what an observer collects, the page, and the files.
#include "gt/report/run_report.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/io/text_file.hpp"
#include "gt/report/html.hpp"
#include "gt/report/report_figures.hpp"
#include "gt/report/svg_plot.hpp"
#include "gt/report/write_report.hpp"
#include "report/support.hpp"
#include "report/xml.hpp"

namespace run_report_test {

using gt::report_html, gt::ReportObserver, gt::RunReport, gt::write_report;
using gt::test::error_of, gt::test::has, gt::test::put, gt::test::tiny_run, gt::test::TemporaryFolder, gt::test::Xml;

namespace {

constexpr char const* files[] = {"report.html",       "bits_per_byte_by_tokens.svg", "bits_per_byte_by_time.svg",
                                 "training_loss.svg", "gradient_norm.svg",           "step_profile.svg"};

/// Keeps what it is told.
struct Witness : gt::GrowthObserver {
  void stage_starts(gt::StageStart const& s) override { starts.push_back(s); }
  void step_done(gt::StepDone const& s) override {
    if (s.logged) steps.push_back(s);
  }
  void stage_done(gt::StageDone const& s) override { stages.push_back(s); }
  void checkpoint(gt::GrowthState const& s) override { states.push_back(s); }
  std::vector<gt::StageStart> starts;
  std::vector<gt::StepDone> steps;
  std::vector<gt::StageDone> stages;
  std::vector<gt::GrowthState> states;
};

/// A look that saw so many bits per byte.
gt::Evaluation bits(double per_byte) { return {.nats = per_byte * 0.6931471805599453, .tokens = 1, .bytes = 1}; }
/// A run of two stages, every field set.
RunReport full_report() {
  RunReport report{.title = "Growing on a text", .command = "./run grow --seed 1", .peak_flops = 1e11};
  report.facts = {{"seed", "1"}, {"compiler", "a compiler"}};
  for (int i = 0; i < 2; ++i) {
    gt::ReportStage s{.done = true, .tokens_before = 100'000 * i, .seconds_before = 30.0 * i};
    s.start = {.depth = 2 * i + 2, .blocks = 2, .steps = 100, .active_parameters = 1'100'000};
    s.start.total_parameters = 2'200'000 + 1'000'000 * i, s.start.tokens_per_step = 1000, s.start.step_flops = 5e9;
    s.start.optimizer_bytes = 8'800'000, s.start.activation_bytes = 33'000'000;
    s.result = {.steps = 100, .tokens = 100'000 * (i + 1), .loss = 3.25, .seconds = 30, .train_seconds = 25};
    s.result.before = bits(4.5 - i), s.result.after = bits(2.75 - 0.5 * i);
    s.result.profile = {.prefix = 2.5 * i, .forward = 5, .head = 5, .backward = 10, .update = 1};
    report.stages.push_back(s);
    for (int step = 10; step <= 100; step += 10) {
      auto const stage = static_cast<std::size_t>(i);
      report.points.push_back(
          {.stage = stage, .step = step, .tokens = 100'000 * i + 1000 * step, .loss = 5 - 0.01 * step - i});
      report.points.back().bits_per_byte = 3 - 0.002 * step - 0.4 * i;
      report.points.back().evaluated = step % 20 == 0, report.points.back().run_seconds = 30.0 * i + 0.3 * step;
    }
    report.samples.push_back({static_cast<std::size_t>(i), "It is", " a truth\nuniversally"});
  }
  for (char const* token : {"a", " ", "\n", "the"})
    report.glyphs.push_back({token, 16, std::vector<unsigned char>(32, 0x3C)});
  return report;
}
/// The page, after a look at what holds for all of them: it is well-formed, loads nothing and runs nothing.
Xml page_of(RunReport const& report) {
  std::string const html = report_html(report);
  Xml xml(html);
  REQUIRE(xml.error() == "");
  for (auto const& e : xml.elements()) {
    for (char const* forbidden :
         {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image", "a"})
      CHECK(e.name != forbidden);
    for (auto const& [name, value] : e.attributes) {
      CHECK(!name.starts_with("on"));
      for (char const* forbidden : {"src", "href", "style", "srcset", "action"}) CHECK(name != forbidden);
    }
  }
  for (auto const& style : xml.all("style")) {
    CHECK(!has(style.text, "url("));
    CHECK(!has(style.text, "@import"));
  }
  return xml;
}
std::string text_of(RunReport const& report) { return page_of(report).all("body").at(0).text; }
std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}

}  // namespace

TEST_CASE("ReportObserver: the logged steps on one line of time and tokens, and what each stage cost and did") {
  RunReport report;
  ReportObserver reporter(report);
  Witness witness;
  tiny_run(reporter, witness);
  REQUIRE(report.points.size() == witness.steps.size());
  REQUIRE(report.stages.size() == 2);
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    auto const& p = report.points[i];
    auto const& s = witness.steps[i];
    double const before = s.stage == 0 ? 0 : witness.stages[0].seconds;
    CHECK(p.stage == s.stage);
    CHECK(p.step == s.step);
    CHECK(p.tokens == s.tokens);
    CHECK(p.run_seconds == before + s.seconds);
    CHECK(p.loss == s.loss);
    CHECK((p.evaluated == s.evaluated && p.bits_per_byte == s.bits_per_byte));
    CHECK(p.lr == s.lr);
    if (i > 0) CHECK(p.run_seconds >= report.points[i - 1].run_seconds);
    if (i > 0) CHECK(p.tokens > report.points[i - 1].tokens);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    auto const& s = report.stages[i];
    auto const& start = witness.starts[i];
    auto const& done = witness.stages[i];
    CHECK((s.start.blocks == (i == 0 ? 2 : 1) && s.start.depth == start.depth));
    CHECK((s.start.active_parameters == start.active_parameters && s.start.total_parameters == start.total_parameters));
    CHECK((s.start.optimizer_bytes == start.optimizer_bytes && s.start.activation_bytes == start.activation_bytes));
    CHECK(s.result.steps == 25);
    CHECK(s.result.tokens - s.tokens_before == 25 * 16);
    CHECK(s.tokens_before == static_cast<std::int64_t>(i) * 25 * 16);
    CHECK(s.seconds_before == (i == 0 ? 0 : witness.stages[0].seconds));
    CHECK(s.result.seconds == done.seconds);
    CHECK(s.result.loss == done.loss);
    CHECK((s.result.before.nats == done.before.nats && s.result.after.nats == done.after.nats));
    CHECK(s.result.profile.sum() == done.profile.sum());
    CHECK(s.done);
  }
  page_of(report);
}

TEST_CASE("add_plan: the same figures before the run as the run itself tells") {
  gt::GrowthPlan plan{gt::deepen(2), gt::deepen(1)};
  int depth = 0;
  SUBCASE("of a new model") {}
  SUBCASE("of one that has blocks, which train or get adapters") {
    plan = {gt::adapt({.rank = 2}), gt::finetune()};
    depth = 3;
  }
  RunReport planned, ran;
  gt::add_plan(planned, plan, {.d_model = 16, .heads = 2}, {.vocab = 29, .depth = depth}, {2, 8}, 8, 25 * 2 * 8);
  CHECK(has(text_of(planned), "No step has been made yet."));
  ReportObserver reporter(ran);
  gt::test::tiny_run_of(plan, depth, reporter);
  REQUIRE(planned.stages.size() == 2);
  CHECK(gt::report::to_html(gt::report::plan_table(planned), "") ==
        gt::report::to_html(gt::report::plan_table(ran), ""));
  for (std::size_t i = 0; i < 2; ++i) {
    auto const& start = planned.stages[i].start;
    CHECK((start.steps == ran.stages[i].start.steps && start.steps == ran.stages[i].result.steps));
    CHECK(start.step_flops == ran.stages[i].result.step_flops);
    CHECK(start.activation_bytes == ran.stages[i].start.activation_bytes);
  }
}

TEST_CASE("ReportObserver: a run that goes on keeps the stages already done, and counts on from them") {
  RunReport whole;
  ReportObserver reporter(whole);
  Witness witness;
  tiny_run(reporter, witness);
  REQUIRE(!witness.states.empty());
  gt::GrowthState const* const after_first = &witness.states.front();
  REQUIRE(after_first->stage == 1);

  RunReport resumed;
  ReportObserver second(resumed, after_first);
  second.stage_starts(witness.starts[1]);
  second.step_done(witness.steps.back());
  second.stage_done(witness.stages[1]);
  REQUIRE(resumed.stages.size() == 2);
  REQUIRE(resumed.points.size() == 1);
  CHECK(resumed.points[0].run_seconds == whole.points.back().run_seconds);
  CHECK(resumed.points[0].tokens == whole.points.back().tokens);
  CHECK(resumed.stages[0].result.after.nats == whole.stages[0].result.after.nats);
  CHECK(resumed.stages[0].done);
  CHECK(resumed.stages[1].tokens_before == whole.stages[1].tokens_before);
  CHECK(resumed.stages[1].seconds_before == whole.stages[1].seconds_before);
  CHECK(resumed.stages[1].start.blocks == 1);
  page_of(resumed);
}

TEST_CASE("report_html: the result in the first sentence, all parts, figures and tables numbered in their order") {
  RunReport const report = full_report();
  auto const xml = page_of(report);
  CHECK(
      xml.all("p")[0].text ==
      "Grown in 2 stages to 4 blocks with 3.20M parameters, the model predicts text that it has not seen at 2.250 bits "
      "per byte. It was trained on 200k tokens in 1 min 00 s.");
  std::string headings, captions;
  for (auto const& h : xml.all("h2")) headings += h.text + "|";
  CHECK(headings ==
        "Learning|Stages|Where the time of a step goes|What the model sees|What it writes|To repeat this run|");
  for (auto const& c : xml.all("figcaption")) captions += c.text.substr(0, c.text.find('.')) + "|";
  CHECK(captions == "Figure 1|Figure 2|Figure 3|Figure 4|Table 1|Table 2|Figure 5|Table 3|");
  CHECK(xml.all("h3")[1].text == "After stage 2: 4 blocks, 2.250 bits per byte");
  CHECK(xml.all("blockquote")[0].text == "It is a truth\nuniversally");
  CHECK(xml.all("code")[0].text == "./run grow --seed 1");
  CHECK(xml.all("dt")[1].text + xml.all("dd")[1].text == "compilera compiler");
  std::string cells, tokens;
  for (auto const& row : xml.all("tr")) cells += row.text + "|";
  CHECK(has(cells,
            "|12"
            "22.20M1.10M8.80 MB13.2 MB33.0 MB|"));
  CHECK(has(cells, "|2100100k30 s17 %4.00k3.2503.5002.250|"));
  for (auto const& b : xml.all("bdi")) tokens += b.text + "|";
  CHECK(tokens == "a|␣|↵|the|");
  CHECK(has(report_html(report), std::string{"gt "} + gt::version));
  CHECK(report_html(report) == report_html(full_report()));  // nothing but the report decides
}

TEST_CASE("report_html: loads nothing, refuses scripts, fits a phone, follows dark and print") {
  std::string const html = report_html(full_report());
  CHECK(!has(html, "http:"));
  CHECK(!has(html, "https:"));
  CHECK(has(html, "content=\"default-src 'none'; style-src 'unsafe-inline'\""));
  CHECK(has(html, "name=\"viewport\""));
  CHECK(has(html, "@media (prefers-color-scheme:dark)"));
  CHECK(has(html, "@media print"));
}

TEST_CASE("report_html: the locale changes nothing") {
  std::string const before = report_html(full_report()), number = gt::text(0.5);
  std::string const old = std::setlocale(LC_ALL, nullptr);
  bool comma = false;
  for (char const* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8"}) comma = comma || std::setlocale(LC_ALL, name);
  if (!comma) MESSAGE("skipped: needs a locale with a decimal comma");
  std::string const after = report_html(full_report()), same_number = gt::text(0.5);
  std::setlocale(LC_ALL, old.c_str());
  CHECK(after == before);
  CHECK(number == "0.500000");
  CHECK(same_number == number);
}

TEST_CASE("report_html: no text of a run can leave its place") {
  std::string const evil = "</script></style></title><script>&\"'\x01\xFF\xE2\x82 \n]]>";
  RunReport report = full_report();
  report.title = report.command = report.note = evil;
  report.facts = {{evil, evil}};
  for (auto& s : report.samples) s.prompt = s.text = evil;
  for (auto& g : report.glyphs) g.token = evil;
  auto const xml = page_of(report);
  std::string const shown = "</script></style></title><script>&\"'\uFFFD\uFFFD\uFFFD\uFFFD \n]]>";
  CHECK(xml.all("h1")[0].text == shown);
  CHECK(xml.all("title")[0].text == shown);
  CHECK(xml.all("dd")[0].text == shown);
  CHECK(xml.all("blockquote")[0].text == shown + shown);
  CHECK(xml.all("bdi")[0].text == "</script></style></title><script>&\"'␁\\xFF\\xE2\\x82␣↵]]>");
}

TEST_CASE("report_html: an empty run, a run without looks, one that ended early, one that diverged") {
  CHECK(has(text_of({}), "No step has been made yet."));
  CHECK(page_of({}).all("h2").size() == 1);

  RunReport early = full_report();
  early.stages[1].done = false, early.stages[1].result.steps = 40;
  auto const words = text_of(early);
  CHECK(has(words, "Grown in 1 of 2 stages to 2 blocks with 2.20M parameters"));
  CHECK(has(words, "This page shows the run inside stage 2, after 40 of its 100 steps."));
  CHECK(has(words, "at 2.750 bits per byte"));
  early.note = "Ended in stage 2, whose loss was not finite.";
  CHECK(has(text_of(early), "whose loss was not finite."));
  CHECK(!has(text_of(early), "This page shows"));

  RunReport blind = full_report();
  for (auto& p : blind.points) p.evaluated = false;
  CHECK(count(gt::report::to_svg(gt::report::bits_plot(blind, gt::report::ReportAxis::tokens)), "<circle") == 2);
  for (auto& s : blind.stages) s.result.after = s.result.before = {}, s.result.profile = {};
  CHECK(has(text_of(blind), "4 blocks with 3.20M parameters, the model was trained on 200k tokens"));
  CHECK(has(text_of(blind), "no data"));
  CHECK(!has(text_of(blind), "Where the time"));

  RunReport one = full_report();
  one.stages.resize(1), one.points.resize(10), one.samples.resize(1);
  CHECK(has(text_of(one), "Grown in 1 stage to 2 blocks"));
}

TEST_CASE("bits_plot: looks at a part as a line with a gap between stages, all of the text as rings at their ends") {
  auto const plot = gt::report::bits_plot(full_report(), gt::report::ReportAxis::tokens);
  REQUIRE(plot.series.size() == 2);
  CHECK(plot.series[0].x.size() == 4 + 1 + 4);  // the looks at 100 were at all of it
  CHECK(plot.series[0].y[4] != plot.series[0].y[4]);
  CHECK(plot.series[1].x == std::vector<double>{100'000, 200'000});
  CHECK(plot.series[1].y == std::vector<double>{2.75, 2.25});
  REQUIRE(plot.marks.size() == 2);
  CHECK(plot.marks[1].x == 100'000);
  CHECK(plot.marks[1].label == "4 blocks");
  auto const timed = gt::report::bits_plot(full_report(), gt::report::ReportAxis::time);
  CHECK(timed.series[1].x == std::vector<double>{30, 60});
  CHECK(timed.x_label == "time (seconds)");
  RunReport slow = full_report();
  slow.stages[1].seconds_before = 7200, slow.stages[1].result.seconds = 7200;
  CHECK(gt::report::bits_plot(slow, gt::report::ReportAxis::time).x_label == "time (hours)");
  CHECK(gt::report::bits_plot(slow, gt::report::ReportAxis::time).series[1].x[1] == 4);
}

TEST_CASE("add_glyphs: characters and n-grams, evenly over the vocabulary, no placeholders, never more than asked") {
  struct Pictures {
    std::int64_t vocab() const { return 400; }
    int raster_side() const { return 16; }
    std::span<unsigned char const> raster(std::int64_t id) const { return {rows.data() + 32 * id, 32}; }
    std::vector<unsigned char> rows = std::vector<unsigned char>(400 * 32, 1);
  };
  std::vector<std::string> tokens{"<unused_7>", "<0xE2>"};
  for (int i = 0; i < 100; ++i) tokens.push_back(gt::utf8::encode(static_cast<char32_t>(0x100 + i)));
  for (int i = 0; i < 200; ++i) tokens.push_back("ab" + std::to_string(i));
  RunReport report;
  gt::add_glyphs(report, Pictures{}, tokens, 90);
  REQUIRE(report.glyphs.size() == 90);
  CHECK(report.glyphs[0].token == "\u0100");
  CHECK(report.glyphs[29].token == gt::utf8::encode(0x100 + 96));
  CHECK(report.glyphs[30].token == "ab0");
  CHECK(report.glyphs[89].token == "ab196");
  CHECK(report.glyphs[89].bits.size() == 32);
  RunReport all;
  gt::add_glyphs(all, Pictures{}, {"a", "b", "the"}, 90);
  CHECK(all.glyphs.size() == 3);
  RunReport few;
  gt::add_glyphs(few, Pictures{}, tokens, 0);
  CHECK(few.glyphs.empty());
  all.glyphs[0].bits.resize(5);
  CHECK(has(error_of([&] { report_html(all); }), "gt: raster_path: a picture needs"));
}

TEST_CASE("write_report: the page and its figures, well-formed, in a folder old or new") {
  TemporaryFolder const folder;
  for (std::string const& target : {folder.path(), folder / "new", folder / "slash/"}) {
    write_report(full_report(), target);
    for (char const* file : files) {
      CAPTURE(file);
      CHECK(Xml(gt::read_text_file(target + "/" + file)).error() == "");
    }
    CHECK(gt::read_text_file(target + "/report.html") == report_html(full_report()));
  }
  write_report({}, folder.path());  // replaces all of it
  CHECK(gt::read_text_file(folder / "report.html") == report_html({}));
  CHECK(folder.entries() == 6 + 2);
  CHECK(has(gt::read_text_file(folder / "step_profile.svg"), "<title>Time of a training step</title>"));
}

TEST_CASE("write_report: a folder that cannot be made or written is one sentence") {
  TemporaryFolder const folder;
  put(folder / "file", "kept");
  auto const write_to = [](std::string const& path) { return error_of([&] { write_report(full_report(), path); }); };
  CHECK(write_to(folder / "no/folder") == "gt: write_report: the folder '" + (folder / "no/folder") +
                                              "' must be writable (got: No such file or directory)");
  CHECK(write_to(folder / "file") == "gt: write_report: '" + (folder / "file") + "' must be a folder");
  CHECK(has(write_to(folder / "file/child"), "must be writable (got: Not a directory)"));
  CHECK(has(write_to(""), "gt: write_report: the folder '' must be writable"));
  CHECK(has(write_to("/proc"), "must be in a writable folder"));
  CHECK(gt::read_text_file(folder / "file") == "kept");
}

TEST_CASE("write_report: a full disk is one sentence, and the page before stays") {
  TemporaryFolder const folder;
  write_report({}, folder.path());
  std::string const before = gt::read_text_file(folder / "report.html");
  std::string message;
  {
    gt::test::FileSizeLimit const full(1000);
    message = error_of([&] { write_report(full_report(), folder.path()); });
  }
  CHECK(message == "gt: AtomicFile: '" + (folder / "bits_per_byte_by_tokens.svg") +
                       "' must be written completely (got: File too large); nothing was changed");
  CHECK(gt::read_text_file(folder / "report.html") == before);
  CHECK(folder.entries() == 6);
}

TEST_CASE("report_html: eight times the logged steps are some eight times the work") {
  auto const seconds = [](int steps) {
    auto report = full_report();
    for (int i = 0; i < steps; ++i)
      report.points.push_back({.stage = 1, .step = 101 + i, .tokens = 200'000 + i, .loss = 3, .run_seconds = 60.0 + i});
    double least = 1e9;
    for (int i = 0; i < 3; ++i) {
      auto const began = std::clock();
      CHECK(report_html(report).size() > 1000);
      least = std::min(least, static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC);
    }
    return least;
  };
  CHECK(seconds(80'000) < 24 * seconds(10'000));
}

}  // namespace run_report_test
