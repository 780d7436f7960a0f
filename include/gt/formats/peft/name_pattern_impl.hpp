// SPDX-License-Identifier: MIT
// What gt/formats/peft/name_pattern.hpp declares.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <string_view>
#include <vector>

#include "gt/base/macros.hpp"
#include "gt/formats/peft/name_pattern.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN NamePattern::NamePattern(std::string_view pattern, std::string_view where)
    : rest_{pattern}, where_{where}, whole_{pattern} {
  program_ = alternatives(0);
  expect(rest_.empty(), "a ) without its (");
  program_.push_back({Op::match, 0, 0, 0});
}

GT_FN bool NamePattern::matches(std::string_view name) const {
  std::vector<std::size_t> now, next;
  std::vector<bool> seen(program_.size());
  add(now, seen, 0, name, 0);
  for (std::size_t at = 0; at < name.size(); ++at) {
    next.clear(), seen.assign(program_.size(), false);
    for (std::size_t const i : now)
      if (program_[i].op == Op::set && sets_[program_[i].set][byte(name[at])]) add(next, seen, i + 1, name, at + 1);
    now.swap(next);
  }
  for (std::size_t const i : now)
    if (program_[i].op == Op::match) return true;
  return false;
}

GT_FN bool NamePattern::take(std::string_view token) {
  if (!rest_.starts_with(token)) return false;
  rest_.remove_prefix(token.size());
  return true;
}

GT_FN void NamePattern::add(std::vector<std::size_t>& states, std::vector<bool>& seen, std::size_t first,
                            std::string_view name, std::size_t at) const {
  for (std::vector<std::size_t> open{first}; !open.empty();) {
    std::size_t const i = open.back();
    open.pop_back();
    if (seen[i]) continue;
    seen[i] = true;
    Step const& step = program_[i];
    auto const to = [i](std::ptrdiff_t by) { return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(i) + by); };
    if (step.op == Op::split) {
      open.push_back(to(step.b)), open.push_back(to(step.a));
    } else if (step.op == Op::begin || step.op == Op::end || step.op == Op::edge) {
      bool const before = at > 0 && is_word(name[at - 1]), behind = at < name.size() && is_word(name[at]);
      if (step.op == Op::edge ? before != behind : at == (step.op == Op::begin ? 0 : name.size()))
        open.push_back(i + 1);
    } else {
      states.push_back(i);
    }
  }
}

GT_FN NamePattern::Program NamePattern::alternatives(int depth) {
  expect(depth < most_depth, "more than ", most_depth, " groups inside each other");
  Program all = sequence(depth);
  while (take("|")) {
    Program const other = sequence(depth);
    all.insert(all.begin(), split(1, size(all) + 2));
    all.push_back(split(size(other) + 1, size(other) + 1));
    append(all, other);
  }
  return all;
}

GT_FN NamePattern::Program NamePattern::sequence(int depth) {
  Program all;
  while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
    append(all, repeated(atom(depth)));
    expect(all.size() <= most_steps, "more than ", most_steps, " steps");
  }
  return all;
}

GT_FN NamePattern::Program NamePattern::repeated(Program const& once) {
  constexpr std::size_t any = static_cast<std::size_t>(-1);
  std::size_t least = 0, most = any;
  if (take("+")) {
    least = 1;
  } else if (take("?")) {
    most = 1;
  } else if (at_count()) {
    take("{");
    if (at_digit()) least = number();
    most = least;
    if (take(",")) most = at_digit() ? number() : any;
    expect(take("}") && most >= least, "a wrong { }");
  } else if (!take("*")) {
    return once;
  }
  take("?");  // the fewest or the most: all of a name is matched either way
  expect(!at_repetition(), "a repetition of a repetition");
  expect((once.size() + 1) * (most == any ? least + 1 : most) <= most_steps, "more than ", most_steps, " steps");
  Program all;
  for (std::size_t i = 0; i < least; ++i) append(all, once);
  if (most == any) {
    all.push_back(split(1, size(once) + 2));
    append(all, once);
    all.push_back(split(-size(once) - 1, -size(once) - 1));
  }
  for (std::size_t i = least; i < most && most != any; ++i) {
    all.push_back(split(1, size(once) + 1));
    append(all, once);
  }
  return all;
}

GT_FN NamePattern::Program NamePattern::atom(int depth) {
  if (take("^") || take("\\A")) return {{Op::begin, 0, 0, 0}};
  if (take("$") || take("\\Z")) return {{Op::end, 0, 0, 0}};
  if (take("\\b")) return {{Op::edge, 0, 0, 0}};
  if (take("(")) {
    if (take("?P<")) {
      std::size_t const end = rest_.find('>');
      expect(end != rest_.npos, "a name of a group without its >");
      rest_.remove_prefix(end + 1);
    } else if (!take("?:")) {
      expect(!rest_.starts_with('?'), "a group that begins with (?",
             rest_.substr(std::min<std::size_t>(1, rest_.size()), 1));
    }
    Program inner = alternatives(depth + 1);
    expect(take(")"), "a ( without its )");
    return inner;
  }
  Set set;
  if (take(".")) {
    set.set().reset(byte('\n'));
  } else if (take("[")) {
    set = one_of();
  } else {
    expect(!at_repetition(), "a repetition of nothing");
    set = one();
  }
  sets_.push_back(set);
  return {{Op::set, sets_.size() - 1, 0, 0}};
}

GT_FN NamePattern::Set NamePattern::one_of() {
  Set set;
  bool const all_but = take("^");
  for (bool first = true; first || !rest_.starts_with(']'); first = false) {
    expect(!rest_.empty(), "a [ without its ]");
    char const low = rest_[0];
    Set const single = one();
    if (low == '\\' || rest_.size() < 2 || rest_[0] != '-' || rest_[1] == ']') {
      set |= single;
      continue;
    }
    char const high = rest_[1];
    expect(high != '\\' && byte(low) <= byte(high), "a wrong range in [ ]");
    rest_.remove_prefix(2);
    for (std::size_t c = byte(low); c <= byte(high); ++c) set.set(c);
  }
  take("]");
  return all_but ? ~set : set;
}

GT_FN NamePattern::Set NamePattern::one() {
  Set set;
  char c = rest_[0];
  rest_.remove_prefix(1);
  if (c != '\\') return set.set(byte(c));
  expect(!rest_.empty(), "a \\ at its end");
  c = rest_[0];
  rest_.remove_prefix(1);
  std::string_view const kinds = "dDwWsS";
  expect(kinds.find(c) != kinds.npos || !is_word(c) || c == '_', "the escape \\", c);
  if (kinds.find(c) == kinds.npos) return set.set(byte(c));
  for (std::size_t i = 0; i < 128; ++i) {
    char const x = static_cast<char>(i);
    bool const in = c == 'd' || c == 'D'   ? is_digit(x)
                    : c == 'w' || c == 'W' ? is_word(x)
                                           : x == ' ' || (x >= '\t' && x <= '\r');
    set.set(i, in);
  }
  return c == 'D' || c == 'W' || c == 'S' ? ~set : set;
}

GT_FN bool NamePattern::at_repetition() const {
  return at_count() || (!rest_.empty() && (rest_[0] == '*' || rest_[0] == '+' || rest_[0] == '?'));
}

GT_FN std::size_t NamePattern::number() {
  std::size_t value = 0;
  for (; at_digit() && value <= most_steps; rest_.remove_prefix(1))
    value = 10 * value + static_cast<std::size_t>(rest_[0] - '0');
  expect(value <= most_steps, "more than ", most_steps, " steps");
  return value;
}

}  // namespace detail

}  // namespace gt
