// SPDX-License-Identifier: MIT
// report.html: one page that tells of a run, complete in itself, and its figures as SVG files.
#pragma once

#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/report/html.hpp"
#include "gt/report/run_report.hpp"

namespace gt::inline GT_ABI {

namespace detail {

/// Writes the page part by part; figures are numbered as they come.
class ReportPage {
 public:
  explicit ReportPage(RunReport const& report) : report_{report} {}

  std::string html();

 private:
  static std::string strong(std::string_view words) {
    return text("<strong>", report::escape_markup(words), "</strong>");
  }
  std::string figure(std::string_view markup, std::string_view caption);
  std::string table(report::HtmlTable const& values, std::string_view caption);
  /// A drawing for wide pages and one for narrow ones: text that is scaled down to a phone could not be read.
  template <class Drawing>
  static std::string drawings(Drawing const& drawing) {
    return "<div class=\"wide\">" + to_svg(drawing, {.width = 832, .height = 400, .standalone = false}) +
           "</div>\n<div class=\"narrow\">" + to_svg(drawing, {.width = 358, .height = 320, .standalone = false}) +
           "</div>\n";
  }

  /// The result in one sentence, how the run ended, and what the unit means.
  std::string summary() const;

  std::string learning();
  /// Of how much of the held-out text bits per byte are told.
  std::string looked_at() const;
  std::string stages();
  std::string profile();
  std::string glyphs();
  std::string samples();
  std::string repeat();
  static std::string footer();

  RunReport const& report_;
  int figures_ = 0, tables_ = 0;
};

}  // namespace detail

/// The report as one page of HTML, which is well-formed XML too. Equal reports give equal pages.
/// Errors: a glyph with fewer bits than pixels.
inline std::string report_html(RunReport const& report) { return detail::ReportPage(report).html(); }

/// Writes report.html, bits_per_byte_by_tokens.svg, bits_per_byte_by_time.svg, training_loss.svg, gradient_norm.svg and
/// step_profile.svg into `folder`, which is made if its parent is there. Each file appears completely or not at all,
/// the page last. Errors: a folder that cannot be made or written, a full disk.
void write_report(RunReport const& report, std::string const& folder);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/report/write_report_impl.hpp"
#endif
