// SPDX-License-Identifier: MIT
// The records of a step and of a stage in JSON: which field has which name, said once for who writes and who reads.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/grow/observer.hpp"
#include "gt/io/json.hpp"
#include "gt/train/evaluate.hpp"

namespace gt::inline GT_ABI {

namespace detail {

/// Tells `f` the name and the place of each field, in the order of the file: f(name, number or record), or as below.
void fields(Evaluation& e, auto const& f) { f("nats", e.nats), f("tokens", e.tokens), f("bytes", e.bytes); }
/// Of a line of metrics.jsonl.
void fields(StepDone& s, auto const& f) {
  f.from_one("stage", s.stage);
  f("step", s.step), f("tokens", s.tokens), f("loss", s.loss);
  f.if_there("gradient_norm", s.gradient_norm);  // younger than the rest
  f.or_null("val_bits_per_byte", s.bits_per_byte);
  f("evaluated", s.evaluated), f("seconds", s.run_seconds), f("tokens_per_second", s.tokens_per_second), f("lr", s.lr);
  f.if_there("depth", s.depth), f.if_there("active_parameters", s.active_parameters);
}
/// Of a stage in a checkpoint.
void fields(StageDone& s, auto const& f) {
  f("stage", s.stage), f("depth", s.depth), f("steps", s.steps), f("tokens", s.tokens);
  f("active_parameters", s.active_parameters), f("loss", s.loss), f("before", s.before), f("after", s.after);
  f("seconds", s.seconds), f("train_seconds", s.train_seconds);
  f.if_there("step_flops", s.step_flops);  // younger than the rest
  StepProfile& p = s.profile;
  f.list("profile", {&p.prefix, &p.forward, &p.head, &p.backward, &p.update});
}

struct FieldWriter {
  Json& json;

  template <class T>
  void operator()(char const* name, T& value) const {
    if constexpr (std::is_arithmetic_v<T>)
      json[name] = value;
    else
      fields(value, FieldWriter{json[name]});
  }
  void if_there(char const* name, auto& value) const { json[name] = value; }
  void from_one(char const* name, std::size_t value) const { json[name] = value + 1; }
  void or_null(char const* name, double value) const { json[name] = value > 0 ? Json(value) : Json(nullptr); }
  void list(char const* name, std::initializer_list<double*> numbers) const {
    for (double const* number : numbers) json[name].push_back(*number);
  }
};

struct FieldReader {
  Json const& json;
  std::string const& where;

  template <class T>
  void operator()(char const* name, T& value) const {
    if constexpr (std::is_arithmetic_v<T>) {
      value = json_get<T>(json, name, where);
    } else {
      Json const part = json_get<Json>(json, name, where);
      fields(value, FieldReader{part, where});
    }
  }
  /// A field that may be missing.
  void if_there(char const* name, auto& value) const {
    if (json.contains(name)) (*this)(name, value);
  }
  /// One that counts from 1 in the file, and from 0 here.
  void from_one(char const* name, std::size_t& value) const { (*this)(name, value), --value; }
  /// One that is null in the file, and 0 here, where it is not known.
  void or_null(char const* name, double& value) const {
    if (!json_get<Json>(json, name, where).is_null()) (*this)(name, value);
  }
  /// Numbers one behind the other.
  void list(char const* name, std::initializer_list<double*> numbers) const {
    auto const all = json_get<std::vector<double>>(json, name, where);
    check(all.size() == numbers.size(), where, "a ", name, " must have ", numbers.size(), " parts (got ", all.size(),
          ")");
    for (std::size_t i = 0; i < all.size(); ++i) *numbers.begin()[i] = all[i];
  }
};

template <class Record>
Json to_json(Record record) {
  Json json;
  fields(record, FieldWriter{json});
  return json;
}
/// Errors: a field that is missing or something else, at `where`.
template <class Record>
Record from_json(Json const& json, std::string const& where) {
  Record record;
  fields(record, FieldReader{json, where});
  return record;
}

}  // namespace detail

}  // namespace gt
