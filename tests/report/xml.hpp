// SPDX-License-Identifier: MIT
// A strict reader of well-formed XML, for the markup that the library writes.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gt/text/utf8.hpp"

namespace gt::test {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;  ///< decoded
  std::string text;                               ///< its own and that of its children, decoded
  std::size_t parent = 0;                         ///< in the document's list; of the root itself
  double number(std::string const& attribute) const { return std::atof(attributes.at(attribute).c_str()); }
};

/// A document as the list of its elements in order, or the first thing that is wrong with it. It accepts what the
/// library writes: UTF-8, elements, attributes in double quotes, the five entities by name or number, and `<!DOCTYPE
/// html>`.
class Xml {
 public:
  explicit Xml(std::string_view text) : text_{text} {
    for (utf8::Unit const u : utf8::Units{text}) {
      bool const legal =
          u.valid && (u.value >= 0x20 || u.value == '\n' || u.value == '\t') && (u.value & 0xFFFE) != 0xFFFE;
      if (!legal) wrong("a character that XML forbids");
    }
    if (text_.starts_with("<!DOCTYPE html>\n")) at_ = 16;
    document();
  }
  std::string const& error() const { return error_; }  ///< empty when all is well
  std::vector<XmlElement> const& elements() const { return elements_; }
  std::vector<XmlElement> all(std::string_view name) const {
    std::vector<XmlElement> found;
    for (auto const& e : elements_)
      if (e.name == name) found.push_back(e);
    return found;
  }

 private:
  void wrong(std::string_view what) {
    if (error_.empty())
      error_ = std::string{what} + " near '" + std::string{text_.substr(std::min(at_, text_.size()), 40)} + "'";
  }
  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  std::string name() {
    std::size_t const begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || (at_ > begin && text_[at_] == '-')))
      ++at_;
    if (at_ == begin || std::isdigit(static_cast<unsigned char>(text_[begin]))) wrong("no name");
    return std::string{text_.substr(begin, at_ - begin)};
  }
  /// Text up to one of `ends`, decoded.
  std::string run(std::string_view ends) {
    std::string decoded;
    while (at_ < text_.size() && ends.find(text_[at_]) == ends.npos && error_.empty()) {
      if (text_.substr(at_).starts_with("]]>")) wrong("a stray ]]>");
      if (text_[at_] != '&') {
        decoded += text_[at_++];
      } else if (take("&amp;")) {
        decoded += '&';
      } else if (take("&lt;")) {
        decoded += '<';
      } else if (take("&gt;")) {
        decoded += '>';
      } else if (take("&quot;")) {
        decoded += '"';
      } else if (take("&#39;")) {
        decoded += '\'';
      } else {
        wrong("a bare &");
      }
    }
    return decoded;
  }
  void document() {
    std::vector<std::size_t> open;
    while (at_ < text_.size() && error_.empty()) {
      if (take("</")) {
        if (open.empty() || name() != elements_[open.back()].name || !take(">"))
          return wrong("an end without its start");
        std::size_t const closed = open.back();
        open.pop_back();
        if (!open.empty()) elements_[open.back()].text += elements_[closed].text;
      } else if (take("<")) {
        if (open.empty() && !elements_.empty()) return wrong("a second root");
        XmlElement element{name(), {}, {}, open.empty() ? 0 : open.back()};
        while (error_.empty() && take(" ")) {
          std::string const key = name();
          if (!take("=\"")) return wrong("an attribute without a value");
          if (!element.attributes.emplace(key, run("\"<")).second) return wrong("an attribute twice");
          if (!take("\"")) return wrong("an attribute without an end");
        }
        elements_.push_back(std::move(element));
        if (take("/>")) continue;
        if (!take(">")) return wrong("a tag without an end");
        open.push_back(elements_.size() - 1);
      } else {
        std::string const words = run("<");
        if (!open.empty()) elements_[open.back()].text += words;
        if (open.empty() && words.find_first_not_of('\n') != words.npos) return wrong("text outside the root");
      }
    }
    if (!open.empty()) wrong("an element that is not closed");
    if (elements_.empty()) wrong("no root");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
  std::vector<XmlElement> elements_;
};

}  // namespace gt::test
