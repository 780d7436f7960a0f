// SPDX-License-Identifier: MIT
// Where the time goes, op by op: a backend that carries an Profile is measured, any other costs nothing.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "gt/base/clock.hpp"
#include "gt/base/macros.hpp"
#include "gt/core/backend.hpp"

namespace gt::inline GT_ABI::ops {

/// What an op must do, whatever way it does it.
struct Work {
  double flops = 0;  ///< floating-point operations of its formula; a multiply-add is two
  double bytes = 0;  ///< of its operands and results, each counted once
};

/// Time and work of ops by name, summed over calls. Not for two threads at once.
class Profile {
 public:
  /// One op's sums.
  struct Entry {
    char const* op;          ///< its name
    std::int64_t calls = 0;  ///< how often it ran
    double seconds = 0;      ///< from its entry to its end, on the calling thread
    Work work{};             ///< of all calls
  };
  /// Adds a call.
  void add(char const* op, double seconds, Work work) {
    for (auto& e : entries_) {
      if (e.op == op || std::strcmp(e.op, op) == 0) return count(e, seconds, work);
    }
    entries_.push_back({op});
    count(entries_.back(), seconds, work);
  }
  std::vector<Entry> const& entries() const { return entries_; }  ///< in the order of their first calls
  void clear() { entries_.clear(); }                              ///< forgets all
  /// Seconds in all ops.
  double seconds() const {
    double sum = 0;
    for (auto const& e : entries_) sum += e.seconds;
    return sum;
  }

 private:
  static void count(Entry& e, double seconds, Work work) {
    ++e.calls;
    e.seconds += seconds;
    e.work.flops += work.flops, e.work.bytes += work.bytes;
  }
  std::vector<Entry> entries_;
};

/// Adds the time from its making to its end to the profile of `on`, where there is one.
class Timer {
 public:
  /// `on.profile()`, where a backend has it, is an `Profile*`, null when nothing is measured.
  template <Backend B>
  Timer(B const& on, char const* op, Work work) : op_{op}, work_{work} {
    if constexpr (requires { on.profile(); }) {
      profile_ = on.profile();
      if (profile_) start_ = seconds_now();
    }
  }
  Timer(Timer const&) = delete;
  Timer& operator=(Timer const&) = delete;
  ~Timer() {
    if (profile_) profile_->add(op_, seconds_since(start_), work_);
  }

 private:
  char const* op_;
  Work work_;
  Profile* profile_ = nullptr;
  double start_ = 0;
};

}  // namespace gt::ops
