// SPDX-License-Identifier: MIT
// What a study has measured: one JSON line a job, kept as soon as it is known, so that a study goes on where it
// stopped.
#pragma once

#include <cstdio>
#include <fstream>
#include <functional>
#include <gt/gt.hpp>
#include <gt/io/file_lock.hpp>
#include <gt/io/json.hpp>
#include <map>
#include <string>
#include <vector>

namespace study {

/// The lines of results.jsonl by the names of their jobs. A last line that was cut off is measured anew.
class Results {
 public:
  /// Reads what an earlier run has measured under the same `settings`, or forgets it.   Errors: other settings; a
  /// malformed line, by its number; a file that is in use or cannot be written, which is then as it was.
  Results(std::string const& folder, gt::Json const& settings, bool forget)
      : path_{folder + "/results.jsonl"}, lock_(folder) {
    std::ifstream in(path_, std::ios::binary);
    std::string all;
    if (!forget) all.assign(std::istreambuf_iterator<char>(in), {});
    auto const whole = all.rfind('\n');
    all.resize(whole == all.npos ? 0 : whole + 1);
    int number = 0;
    for (std::size_t at = 0; at < all.size();) {
      std::size_t const end = all.find('\n', at);
      auto const where = gt::text("'", path_, "', line ", ++number);
      gt::Json const row = gt::parse_json(all.substr(at, end - at), where);
      if (number == 1) {
        gt::check(row == gt::Json{{"settings", settings}}, "study", "the results in '", folder,
                  "' must be of the same settings; choose another --out, or --overwrite");
      } else {
        auto job = gt::json_get<std::string>(row, "job", where);
        if (!rows_.contains(job)) order_.push_back(job);
        rows_[std::move(job)] = row;
      }
      at = end + 1;
    }
    if (all.empty()) all = gt::dump_json(gt::Json{{"settings", settings}}, "study") + "\n";
    gt::io::write_file_atomically(path_, all);  // without what was cut off
  }

  bool has(std::string const& job) const { return rows_.contains(job); }  ///< whether it has been measured
  /// What was measured; null where it was not.
  gt::Json const* find(std::string const& job) const {
    auto const found = rows_.find(job);
    return found == rows_.end() ? nullptr : &found->second;
  }
  /// All rows whose job begins so, in the order in which they were measured.
  std::vector<gt::Json> of(std::string const& prefix) const {
    std::vector<gt::Json> found;
    for (auto const& job : order_) {
      if (job.starts_with(prefix)) found.push_back(rows_.at(job));
    }
    return found;
  }
  std::size_t size() const { return order_.size(); }  ///< jobs that were measured
  /// A sentence for the user where nothing can keep a second study from the folder; else empty.
  std::string const& notice() const { return lock_.notice(); }
  /// Keeps what a job has found.   Errors: a file that cannot be written.
  void add(std::string const& job, gt::Json row) {
    row["job"] = job;
    append(row);
    order_.push_back(job);
    rows_[job] = std::move(row);
  }

 private:
  void append(gt::Json const& row) {
    std::ofstream out(path_, std::ios::binary | std::ios::app);
    out << gt::dump_json(row, "study") << '\n' << std::flush;
    gt::check(out.good(), "study", "'", path_, "' must be writable (a full disk?)");
  }
  std::string path_;
  gt::io::FileLock lock_;
  std::vector<std::string> order_;
  std::map<std::string, gt::Json> rows_;
};

}  // namespace study
