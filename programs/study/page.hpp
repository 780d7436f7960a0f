// SPDX-License-Identifier: MIT
// The report of a study: what held, tables and plots of it all, and how to repeat it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <gt/report/html.hpp>
#include <gt/report/report_figures.hpp>
#include <gt/report/report_style.hpp>
#include <gt/report/svg_plot.hpp>
#include <string>
#include <vector>

#include "claims.hpp"
#include "findings.hpp"
#include "results.hpp"

namespace study {

/// The tables of a study, for the terminal and the page alike.
struct Tables {
  Results const& results;
  double unigram;

  /// With the rules of the verdicts, where there is room for them.
  gt::report::HtmlTable claims(bool rules) const {
    gt::report::HtmlTable table{"claims", {"claim", "measured", "verdict"}};
    if (rules) table.head.emplace_back("held if"), table.prose = true;
    for (auto const& f : Claims(results, unigram).all()) {
      table.rows.push_back({f.claim, f.numbers, to_text(f.verdict)});
      if (rules) table.rows.back().push_back(f.rule);
    }
    return table;
  }
  gt::report::HtmlTable cells() const {
    gt::report::HtmlTable table{
        "cells", {"table, way", "bits/byte", "numbers that train", "tokens", "operations", "training time"}};
    auto const add = [&](std::string const& name, std::string const& prefix) {
      auto const rows = results.of(prefix);
      if (rows.empty()) return;
      std::int64_t active = 0;
      for (auto const& stage : rows[0].at("stages")) active = std::max(active, stage.at("active").get<std::int64_t>());
      auto const short_mean = [&](char const* key, char const* unit) {
        return gt::short_number(sample(results, prefix, key).mean(), unit);
      };
      table.rows.push_back({name, sample(results, prefix).text(), gt::short_number(static_cast<double>(active)),
                            short_mean("tokens", ""), short_mean("flops", ""),
                            gt::short_time(sample(results, prefix, "train_seconds").mean())});
    };
    for (auto const& [key, name] : {std::pair{"glyph", "pictures"},
                                    {"binary", "bits of the id"},
                                    {"learned", "learned, then frozen"},
                                    {"random", "random rows"}}) {
      add(gt::text(name, ", grown"), gt::text("matrix/", key, "/grown/"));
      add(gt::text(name, ", at once"), gt::text("matrix/", key, "/at once/"));
    }
    add("pictures, at once, equal operations", "equal/glyph/equal operations/");
    add("pictures, at once, equal time", "equal/glyph/equal time/");
    add("pictures, grown with LoRA phases", "lora/glyph/");
    add("bits of the id recoded, grown", "recode/affine/");
    return table;
  }
  gt::report::HtmlTable stages(std::string const& prefix, char const* caption) const {
    gt::report::HtmlTable table{
        caption,
        {"stage", "trains", "depth", "before", "after", "numbers that train", "optimiser", "activations", "a step"}};
    auto const rows = results.of(prefix);
    if (rows.empty()) return table;
    for (std::size_t i = 0; i < rows[0].at("stages").size(); ++i) {
      auto const of = [&](char const* key) {
        Sample s;
        for (auto const& row : rows) s.values.push_back(row.at("stages")[i].at(key).get<double>());
        return s;
      };
      auto const& first = rows[0].at("stages")[i];
      table.rows.push_back({std::to_string(i + 1), first.at("trains").get<std::string>(),
                            std::to_string(first.at("depth").get<int>()), of("before").text(), of("after").text(),
                            gt::short_number(of("active").mean()), gt::short_number(of("optimizer_bytes").mean(), "B"),
                            gt::short_number(of("activation_bytes").mean(), "B"),
                            gt::decimals(1000 * of("step_seconds").mean(), 1) + " ms"});
    }
    return table;
  }
  gt::report::HtmlTable merging(std::string const& substrate) const {
    auto const rows = results.of("compose/" + substrate + "/");
    gt::report::HtmlTable table{"merging", {"model"}};
    if (rows.empty()) return table;
    auto const languages = rows[0].at("languages").get<std::vector<std::string>>();
    for (auto const& l : languages) table.head.push_back(l);
    auto const add = [&](std::string const& name, auto const& bits_of) {
      std::vector<std::string> cells{name};
      for (std::size_t l = 0; l < languages.size(); ++l) {
        Sample s;
        for (auto const& row : rows) s.values.push_back(bits_of(row)[l].template get<double>());
        cells.push_back(s.text());
      }
      table.rows.push_back(std::move(cells));
    };
    for (std::size_t e = 0; e < languages.size(); ++e)
      add("expert of " + languages[e], [&](gt::Json const& row) { return row.at("experts")[e]; });
    add(gt::text("mean of ", languages[0], " and ", languages[1]), [](gt::Json const& row) { return row.at("pair"); });
    add("mean of all", [](gt::Json const& row) { return row.at("mean"); });
    add("led by the context", [](gt::Json const& row) { return row.at("posterior"); });
    add("mean of all, heads tuned", [](gt::Json const& row) { return row.at("tuned"); });
    return table;
  }
  /// How often models of several depths are right; `key` is what counts as that.
  gt::report::HtmlTable task(std::string const& group, char const* key, std::vector<std::string> const& plans) const {
    gt::report::HtmlTable table{group, {"plan", "blocks", "right"}};
    for (auto const& plan : plans) {
      auto const rows = results.of(group + "/" + plan + "/");
      if (rows.empty()) continue;
      for (std::size_t i = 0; i < rows[0].at("stages").size(); ++i) {
        Sample s;
        for (auto const& row : rows) s.values.push_back(100 * row.at("stages")[i].at(key).get<double>());
        table.rows.push_back({i == 0 ? plan : gt::text(plan, " (", i + 1, ")"),
                              std::to_string(rows[0].at("stages")[i].at("depth").get<int>()), s.text(1) + " %"});
      }
    }
    return table;
  }
  gt::report::HtmlTable recall() const { return task("recall", "right", {"1", "2", "3", "1+1+1", "2+1"}); }
  gt::report::HtmlTable passage() const { return task("passage", "exact", {"1", "2", "1+1"}); }
  gt::report::HtmlTable asking() const {
    gt::report::HtmlTable table{"asking", {"way of asking", "right", "of a form that could be right", "blank"}};
    auto const rows = results.of("artefact/");
    if (rows.empty()) return table;
    auto const add = [&](std::string const& name, char const* way, std::vector<char const*> const& keys) {
      std::vector<std::string> cells{name};
      for (auto const* key : keys) {
        Sample s;
        for (auto const& row : rows) s.values.push_back(100 * row.at(way).at(key).get<double>());
        cells.push_back(s.text(1) + " %");
      }
      cells.resize(4, "–");
      table.rows.push_back(std::move(cells));
    };
    add("protocol, one new token (MMLU)", "one token", {"right", "well_formed", "blank"});
    add("protocol, two new tokens (ARC)", "two tokens", {"right", "well_formed", "blank"});
    add("likelihood of the label", "by label", {"raw"});
    add("likelihood of the text", "by text", {"raw"});
    add("likelihood of the text, a byte", "by text", {"per_byte"});
    return table;
  }
  /// Held-out loss over tokens of the first seed's runs.
  gt::report::LinePlot curves() const {
    gt::report::LinePlot plot{.title = "Held-out bits per byte over tokens",
                              .x_label = "tokens trained on",
                              .y_label = "bits per byte (lower is better)"};
    for (auto const& [key, name] : {std::pair{"matrix/glyph/grown/1", "pictures, grown"},
                                    {"matrix/glyph/at once/1", "pictures, at once"},
                                    {"matrix/binary/grown/1", "bits of the id, grown"},
                                    {"matrix/learned/grown/1", "learned, grown"},
                                    {"lora/glyph/1", "pictures, grown with LoRA phases"}}) {
      auto const* const row = results.find(key);
      if (!row) continue;
      gt::report::PlotSeries series{.name = name};
      // At the end of a stage all of the held-out text is looked at, and numbers of two texts make no line.
      auto const& stages = row->at("stages");
      for (auto const& point : row->at("curve")) {
        bool const whole = std::any_of(stages.begin(), stages.end(),
                                       [&](auto const& stage) { return stage.at("tokens") == point[0]; });
        if (!whole) series.x.push_back(point[0].get<double>()), series.y.push_back(point[1].get<double>());
      }
      plot.series.push_back(std::move(series));
    }
    return plot;
  }
};

/// A table as lines of text.
inline std::string to_lines(gt::report::HtmlTable const& table) {
  std::vector<std::size_t> width;
  auto const measure = [&](std::vector<std::string> const& cells) {
    width.resize(std::max(width.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) width[i] = std::max(width[i], gt::utf8::length(cells[i]));
  };
  measure(table.head);
  for (auto const& row : table.rows) measure(row);
  std::string lines;
  auto const add = [&](std::vector<std::string> const& cells) {
    lines += " ";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      std::string const space(width[i] - gt::utf8::length(cells[i]), ' ');
      lines += " " + (i == 0 ? cells[i] + space : space + cells[i]) + " ";
    }
    while (lines.ends_with(' ')) lines.pop_back();
    lines += "\n";
  };
  add(table.head);
  for (auto const& row : table.rows) add(row);
  return lines;
}

/// The page, complete in itself. `command` repeats the study; `facts` say of what it is.
inline std::string to_page(Tables const& t, std::string const& command,
                           std::vector<std::pair<std::string, std::string>> const& facts) {
  std::string body = "<h1>What growing does</h1>\n";
  auto const code = [&](std::string const& more) {
    return "<pre>" + gt::report::escape_markup(command + more) + "</pre>\n";
  };
  gt::report::HtmlTable of_what{"settings", {"what", "here"}};
  for (auto const& [what, here] : facts) of_what.rows.push_back({what, here});
  auto const table = [&](gt::report::HtmlTable const& values, std::string const& caption) {
    return values.rows.empty() ? std::string{"<p>Not measured yet.</p>\n"} : gt::report::to_html(values, caption);
  };
  body += gt::report::html_section(
      "What held", table(t.claims(true),
                         "Claims of arXiv:2507.07129, 2507.04886 and 2605.09751 at this scale. ± is a 95 % interval "
                         "by Student's t over seeds; other limits are ours."));
  body += gt::report::html_section(
      "Growing against training at once",
      table(t.cells(), "Bits per byte on all held-out text, means over seeds. Frequencies alone: " +
                           gt::decimals(t.unigram, 3) + ".") +
          gt::report::html_figure(gt::report::to_svg(t.curves(), {.width = 832, .height = 400, .standalone = false}),
                                  "Looks at a part of the held-out text, seed 1.") +
          code(" --only matrix,equal"));
  body += gt::report::html_section("Spike and recovery, and what a stage costs",
                                   table(t.stages("matrix/glyph/grown/", "stages"),
                                         "Grown on pictures: before a stage's first step, with its blocks there, and "
                                         "after its last.") +
                                       table(t.stages("matrix/glyph/at once/", "at once"), "All blocks at once.") +
                                       code(" --only matrix"));
  body += gt::report::html_section(
      "LoRA phases",
      table(t.stages("lora/glyph/", "phases"), "A plan of equal tokens with phases in the budget of a stage.") +
          code(" --only lora,merge"));
  body += gt::report::html_section(
      "Merging experts",
      table(t.merging("glyph"),
            "Experts of one language each on one table of pictures; bits per byte on each language.") +
          table(t.merging("learned"), "The control: every expert has learned a table of its own.") +
          code(" --only compose"));
  body += gt::report::html_section(
      "What depth is for",
      table(t.recall(), "Associative recall among six pairs; a guess is right in 16.7 %.") +
          table(t.passage(), "A question about a passage of four people: whole answers; a guess is right in 25 %.") +
          code(" --only recall,passage"));
  body += gt::report::html_section(
      "What asking does",
      table(t.asking(), "Four endings of a held-out sentence; a guess is right in 25 %.") + code(" --only artefact"));
  body += gt::report::html_section("How", table(of_what, "Settings.") + code(""));
  return gt::report::html_page("What growing does", body);
}

}  // namespace study
