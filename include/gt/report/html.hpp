// SPDX-License-Identifier: MIT
// Markup that is HTML and well-formed XML at once: escaping, tables, figures, sections.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::report {

/// Any bytes as text of an element or of an attribute in quotes. What XML 1.0 or HTML forbids (control characters,
/// U+FFFE, U+FFFF) and malformed UTF-8 become U+FFFD, one each; the ends of lines become `\n`.
std::string escape_markup(std::string_view text);

/// A short text so that all of it can be seen: ␣ for a space, ↵ for a newline, ⇥ for a tab, ␀ ... ␡ for the other ASCII
/// controls, `\xE2` for a malformed byte, U+200B for a character that has no width or turns the direction of writing.
/// Not escaped.
std::string visible_text(std::string_view text);

/// A table of text, which scrolls by itself where the page is narrow. Cells are escaped. The first column heads its
/// row; all others are set flush right, as numbers are.
struct HtmlTable {
  std::string caption;                           ///< a short name, read aloud and not shown
  std::vector<std::string> head{};               ///< over the columns
  std::vector<std::vector<std::string>> rows{};  ///< cells of each row, as many as `head` has
  bool prose = false;                            ///< cells are sentences: they break into lines, and stand to the left
};

/// `caption` in full is for the reader; the table's own names it for a screen reader.
std::string to_html(HtmlTable const& table, std::string_view caption);

/// Markup with a caption, which is text.
std::string html_figure(std::string_view markup, std::string_view caption);

/// A section of a page: a heading, which is text, and markup.
std::string html_section(std::string_view heading, std::string_view markup);

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/html_impl.hpp"
#endif
