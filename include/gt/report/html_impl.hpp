// SPDX-License-Identifier: MIT
// What gt/report/html.hpp declares.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gt/base/macros.hpp"
#include "gt/report/html.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI::report {

GT_FN std::string escape_markup(std::string_view text) {
  std::string markup;
  markup.reserve(text.size());
  for (auto at = utf8::Units{text}.begin(), end = utf8::Units{text}.end(); at != end; ++at) {
    auto const [c, size, valid] = *at;
    bool const forbidden = !valid || (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c < 0xA0) ||
                           (c & 0xFFFE) == 0xFFFE;  // and the non-characters of the other planes
    if (c == '\r') {
      if (!text.substr(at.offset()).starts_with("\r\n")) markup += '\n';
    } else if (forbidden) {
      markup += "\uFFFD";
    } else if (c == '&') {
      markup += "&amp;";
    } else if (c == '<') {
      markup += "&lt;";
    } else if (c == '>') {
      markup += "&gt;";
    } else if (c == '"') {
      markup += "&quot;";
    } else if (c == '\'') {
      markup += "&#39;";
    } else {
      markup.append(text.substr(at.offset(), size));
    }
  }
  return markup;
}

GT_FN std::string visible_text(std::string_view text) {
  constexpr auto hex = [](char32_t value, int digits) {
    std::string s;
    while (digits > 0) s += "0123456789ABCDEF"[value >> 4 * --digits & 0xF];
    return s;
  };
  std::string shown;
  for (auto at = utf8::Units{text}.begin(), end = utf8::Units{text}.end(); at != end; ++at) {
    auto const [c, size, valid] = *at;
    bool const unseen = (c >= 0x80 && c <= 0xA0) || c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
                        (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
    if (!valid) {
      shown += "\\x" + hex(c, 2);
    } else if (c == ' ') {
      shown += "␣";
    } else if (c == '\n') {
      shown += "↵";
    } else if (c == '\t') {
      shown += "⇥";
    } else if (c < 0x20 || c == 0x7F) {
      utf8::append(shown, c < 0x20 ? 0x2400 + c : 0x2421);
    } else if (unseen) {
      shown += "U+" + hex(c, 4);
    } else {
      shown.append(text.substr(at.offset(), size));
    }
  }
  return shown;
}

GT_FN std::string to_html(HtmlTable const& table, std::string_view caption) {
  // What scrolls must be reachable by keyboard, and have a name.
  std::string html = "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" +
                     escape_markup(table.caption) + "\"><table" + (table.prose ? " class=\"prose\"" : "") +
                     ">\n<thead><tr>";
  for (auto const& cell : table.head) html += "<th scope=\"col\">" + escape_markup(cell) + "</th>";
  html += "</tr></thead>\n<tbody>";
  for (auto const& row : table.rows) {
    html += "\n<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      html += (i == 0 ? "<th scope=\"row\">" : "<td>") + escape_markup(row[i]) + (i == 0 ? "</th>" : "</td>");
    }
    html += "</tr>";
  }
  return html + "\n</tbody></table></div>\n<figcaption>" + escape_markup(caption) + "</figcaption>\n</figure>\n";
}

GT_FN std::string html_figure(std::string_view markup, std::string_view caption) {
  return "<figure>\n" + std::string{markup} + "<figcaption>" + escape_markup(caption) + "</figcaption>\n</figure>\n";
}

GT_FN std::string html_section(std::string_view heading, std::string_view markup) {
  return "<section>\n<h2>" + escape_markup(heading) + "</h2>\n" + std::string{markup} + "</section>\n";
}

}  // namespace gt::report
