// SPDX-License-Identifier: MIT
// What gt/report/write_report.hpp declares.
#pragma once

#include <sys/stat.h>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/version.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/report/html.hpp"
#include "gt/report/report_figures.hpp"
#include "gt/report/report_style.hpp"
#include "gt/report/run_report.hpp"
#include "gt/report/svg_raster.hpp"
#include "gt/report/write_report.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN std::string ReportPage::html() {
  std::string body = "<h1>" + report::escape_markup(report_.title) + "</h1>\n" + summary();
  for (auto const section : {&ReportPage::learning, &ReportPage::stages, &ReportPage::profile, &ReportPage::glyphs,
                             &ReportPage::samples, &ReportPage::repeat})
    body += (this->*section)();  // one after the other, for they number their figures
  return report::html_page(report_.title, body, footer());
}

GT_FN std::string ReportPage::figure(std::string_view markup, std::string_view caption) {
  return report::html_figure(markup, text("Figure ", ++figures_, ". ", caption));
}

GT_FN std::string ReportPage::table(report::HtmlTable const& values, std::string_view caption) {
  return report::to_html(values, text("Table ", ++tables_, ". ", caption));
}

GT_FN std::string ReportPage::summary() const {
  ReportStage const *last = nullptr, *finished = nullptr;
  for (auto const& s : report_.stages) {
    if (report::detail::has_begun(s)) last = &s;
    if (s.done) finished = &s;
  }
  std::string html = "<p class=\"lead\">";
  if (last == nullptr) {
    html += "No step has been made yet.";
  } else {
    std::size_t const stages = report_.stages.size();
    std::size_t const done = finished == nullptr ? 0 : static_cast<std::size_t>(finished - report_.stages.data()) + 1;
    ReportStage const& model = finished == nullptr ? *last : *finished;
    html += text("Grown in ", done, done < stages ? text(" of ", stages) : std::string{},
                 stages == 1 ? " stage" : " stages", " to ", strong(report::detail::blocks_text(model.start.depth)),
                 " with ", strong(report::detail::count_text(model.start.total_parameters) + " parameters"));
    if (double const bits = model.result.after.bits_per_byte(); bits > 0)
      html += ", the model predicts text that it has not seen at " + strong(decimals(bits, 3) + " bits per byte") +
              ". It was trained on ";
    else
      html += ", the model was trained on ";
    html += strong(report::detail::count_text(last->result.tokens) + " tokens") + " in " +
            strong(short_time(last->seconds_before + last->result.seconds)) + ".";
  }
  html += "</p>\n";
  if (!report_.note.empty()) html += "<p class=\"note\">" + report::escape_markup(report_.note) + "</p>\n";
  if (report_.note.empty() && last != nullptr && !last->done)
    html += text("<p class=\"note\">This page shows the run inside stage ", last - report_.stages.data() + 1,
                 ", after ", last->result.steps, " of its ", last->start.steps, " steps.</p>\n");
  return html +
         "<p>Bits per byte tell how well a text is predicted: how many bits, on average, each of its bytes would "
         "take if "
         "it were compressed with the model's predictions. Knowing nothing costs 8; less is better.</p>\n";
}

GT_FN std::string ReportPage::learning() {
  std::string const marks =
      " A dashed line marks the start of a stage: new blocks are put on top of those trained before, which do not "
      "change any more. Its label counts all blocks.";
  std::string html = figure(drawings(report::bits_plot(report_, report::ReportAxis::tokens)),
                            "Bits per byte of text held out from training, over the tokens trained on." + marks +
                                " Rings are looks at the end of a stage" + looked_at() +
                                ", dots those on the way, which may read fewer of these.");
  html += figure(drawings(report::bits_plot(report_, report::ReportAxis::time)),
                 "The same over time, including the time of the measurements themselves.");
  html += figure(drawings(report::loss_plot(report_)),
                 "Loss of the batches that the model trains on, in nats a token (one nat is 1.44 bits).");
  html +=
      figure(drawings(report::gradient_plot(report_)), "Norm of the gradient of these batches, before it is clipped.");
  return report::html_section("Learning", html);
}

GT_FN std::string ReportPage::looked_at() const {
  std::int64_t read = 0, there = 0;  // the same in all stages
  for (auto const& s : report_.stages)
    if (s.start.held_out_tokens > 0) read = s.start.look_tokens, there = s.start.held_out_tokens;
  if (there == 0) return {};
  if (read == there) return text(", all ", report::detail::count_text(read), " tokens");
  return text(", ", report::detail::count_text(read), " of its ", report::detail::count_text(there),
              " tokens, evenly spread and always the same");
}

GT_FN std::string ReportPage::stages() {
  if (report_.stages.empty()) return {};
  std::string html = table(
      report::plan_table(report_),
      "The plan. Only the new blocks and the output layer train in a stage; gradients and the optimiser's moments "
      "are "
      "needed for them alone. Parameters include the embedding, which never trains. Memory in 32-bit floating-point "
      "numbers.");
  html +=
      table(report::result_table(report_),
            "What came of it. Bits per byte of held-out text" + looked_at() +
                ", before the first step of a stage (its new blocks being untrained) and after its last. Evaluation "
                "is the time spent on measuring them.");
  return report::html_section("Stages", html);
}

GT_FN std::string ReportPage::profile() {
  auto const bars = report::profile_bars(report_);
  if (bars.bars.empty()) return {};
  std::string html = figure(drawings(bars),
                            "The mean training step of each stage, in milliseconds. Frozen blocks only run forward; "
                            "the backward pass ends at the lowest block that trains.");
  html += table(report::profile_table(report_),
                "The same as shares of a step, and the floating-point operations a second that it reaches.");
  return report::html_section("Where the time of a step goes", html);
}

GT_FN std::string ReportPage::glyphs() {
  if (report_.glyphs.empty()) return {};
  std::string list =
      "<p>The model is never told which letters a token has. Its embedding is a picture, drawn with a font, "
      "reduced to a few numbers and then frozen; a token of several letters is squeezed into one square. A sample of "
      "the vocabulary, with ␣ for a space and ↵ for a newline:</p>\n<ul class=\"glyphs\">\n";
  for (auto const& g : report_.glyphs) {
    std::string const name = report::escape_markup(report::visible_text(g.token));
    list += text("<li><svg viewBox=\"0 0 ", g.side, " ", g.side, "\" aria-hidden=\"true\"><path fill=\"currentColor\" ",
                 "shape-rendering=\"crispEdges\" d=\"", report::raster_path(g.bits, g.side), "\"/></svg><bdi title=\"",
                 name, "\">", name, "</bdi></li>\n");
  }
  return report::html_section("What the model sees", list + "</ul>\n");
}

GT_FN std::string ReportPage::samples() {
  if (report_.samples.empty()) return {};
  std::string html = "<p>What the model wrote after each stage. The beginnings in bold were given to it.</p>\n";
  for (std::size_t i = 0; i < report_.samples.size(); ++i) {
    auto const& sample = report_.samples[i];
    if (i == 0 || sample.stage != report_.samples[i - 1].stage) {
      std::string heading = text("After stage ", sample.stage + 1);
      if (sample.stage < report_.stages.size()) {
        auto const& s = report_.stages[sample.stage];
        heading +=
            text(": ", report::detail::blocks_text(s.start.depth),
                 s.done ? ", " + report::detail::bits_text(s.result.after.bits_per_byte()) + " bits per byte" : "");
      }
      html += "<h3>" + report::escape_markup(heading) + "</h3>\n";
    }
    html += "<blockquote class=\"sample\" dir=\"auto\">" + strong(sample.prompt) + report::escape_markup(sample.text) +
            "</blockquote>\n";
  }
  return report::html_section("What it writes", html);
}

GT_FN std::string ReportPage::repeat() {
  std::string html;
  if (!report_.command.empty()) html += "<pre><code>" + report::escape_markup(report_.command) + "</code></pre>\n";
  if (!report_.facts.empty()) html += "<dl>\n";
  for (auto const& [label, value] : report_.facts)
    html += "<dt>" + report::escape_markup(label) + "</dt><dd>" + report::escape_markup(value) + "</dd>\n";
  if (!report_.facts.empty()) html += "</dl>\n";
  return html.empty() ? html : report::html_section("To repeat this run", html);
}

GT_FN std::string ReportPage::footer() {
  return text("<footer>Written by gt ", version,
              ". This page is one file: it loads nothing and runs no script. Its figures are beside it as SVG "
              "files.</footer>\n");
}

}  // namespace detail

GT_FN void write_report(RunReport const& report, std::string const& folder) {
  std::vector<std::pair<char const*, std::string>> const files{
      {"bits_per_byte_by_tokens.svg", report::to_svg(report::bits_plot(report, report::ReportAxis::tokens))},
      {"bits_per_byte_by_time.svg", report::to_svg(report::bits_plot(report, report::ReportAxis::time))},
      {"training_loss.svg", report::to_svg(report::loss_plot(report))},
      {"gradient_norm.svg", report::to_svg(report::gradient_plot(report))},
      {"step_profile.svg", report::to_svg(report::profile_bars(report))},
      {"report.html", report_html(report)}};
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    fail("write_report", "the folder '", folder, "' must be writable (got: ", std::strerror(errno), ")");
  struct stat info {};
  check(::stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode), "write_report", "'", folder, "' must be a folder");
  for (auto const& [name, contents] : files) io::write_file_atomically(folder + "/" + name, contents);
}

}  // namespace gt
