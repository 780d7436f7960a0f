// SPDX-License-Identifier: MIT
// What gt/report/report_style.hpp declares.
#pragma once

#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/report/html.hpp"
#include "gt/report/report_style.hpp"
#include "gt/report/svg_style.hpp"

namespace gt::inline GT_ABI::report {

GT_FN std::string html_page(std::string_view title, std::string_view body, std::string_view foot) {
  // The policy makes the browser refuse whatever the page should not have: scripts, and anything from elsewhere.
  return text(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>",
      escape_markup(title), "</title>\n<style>\n", plot_css(), report_css, "</style>\n</head>\n<body>\n<main>\n", body,
      "</main>\n", foot, "</body>\n</html>\n");
}

}  // namespace gt::report
