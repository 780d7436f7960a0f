// SPDX-License-Identifier: MIT
// The regular expressions by which PEFT names modules, matched whole in linear time.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI::detail {

/// A pattern of Python's module `re`:  . \d \w \s \D \W \S [a-z] [^a] (x|y) (?:x) (?P<name>x) * + ? {m,n} ^ $ \b.
/// Source: Thompson 1968, "Regular expression search algorithm": all states at once, so that no pattern takes long.
class NamePattern {
 public:
  /// `where` begins the errors: a pattern that is no regular expression, or has what is not listed above.
  NamePattern(std::string_view pattern, std::string_view where);

  /// Python's `re.fullmatch`.
  bool matches(std::string_view name) const;

 private:
  using Set = std::bitset<256>;
  enum class Op { set, split, begin, end, edge, match };
  struct Step {
    Op op;
    std::size_t set;      // of sets_, for `set`
    std::ptrdiff_t a, b;  // where `split` goes on, counted from here: a part of a program may be copied
  };
  using Program = std::vector<Step>;
  static constexpr std::size_t most_steps = 2000;
  static constexpr int most_depth = 32;

  static std::size_t byte(char c) { return static_cast<unsigned char>(c); }
  static std::ptrdiff_t size(Program const& p) { return static_cast<std::ptrdiff_t>(p.size()); }
  static Step split(std::ptrdiff_t a, std::ptrdiff_t b) { return {Op::split, 0, a, b}; }
  static void append(Program& to, Program const& more) { to.insert(to.end(), more.begin(), more.end()); }

  template <class... Parts>
  void expect(bool holds, Parts const&... parts) const {
    check(holds, where_, "a pattern must be a regular expression that gt reads (got ", parts..., " in '",
          on_one_line(std::string{whole_.substr(0, 80)}), "'); a list of names can say the same");
  }
  bool take(std::string_view token);

  void add(std::vector<std::size_t>& states, std::vector<bool>& seen, std::size_t first, std::string_view name,
           std::size_t at) const;

  Program alternatives(int depth);
  Program sequence(int depth);
  Program repeated(Program const& once);
  Program atom(int depth);
  // Behind the [ of a class.
  Set one_of();
  // A character or an escape.
  Set one();
  static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool at_count() const { return rest_.size() > 1 && rest_[0] == '{' && (is_digit(rest_[1]) || rest_[1] == ','); }
  bool at_repetition() const;
  bool at_digit() const { return !rest_.empty() && is_digit(rest_[0]); }
  std::size_t number();

  std::string_view rest_, where_, whole_;  // of the text that the constructor is given: `matches` reads none of them
  std::vector<Set> sets_;
  Program program_;
};

}  // namespace gt::detail

#if !defined(GT_PREBUILT)
  #include "gt/formats/peft/name_pattern_impl.hpp"
#endif
