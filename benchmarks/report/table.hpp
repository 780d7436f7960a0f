// SPDX-License-Identifier: MIT
// The table as text: sections, columns of what a section has, aims.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aims.hpp"
#include "results.hpp"

namespace gt::bench {

/// Rows under one heading, as cells of text; the first column names the case.
struct Section {
  std::string heading;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> cells;
  std::vector<Row const*> rows;
};

/// 1.23 s, 45.6 ms, 789 us, 12.3 us.
inline std::string time_text(double seconds) {
  std::pair<double, char const*> const units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}};
  for (auto const& [unit, name] : units) {
    double const x = seconds / unit;
    if (x >= 1 || unit == 1e-6) return parts::number(x, x >= 100 ? 0 : x >= 10 ? 1 : 2) + " " + name;
  }
  return {};
}

inline std::string heading_of(Row const& r) {
  std::pair<std::string_view, char const*> const headings[] = {
      {"gemm_",
       "Matrix products: y = x W^T, dx = dy W, dw += dy^T x, with x "
       "[M, K] and W [N, K]"},
      {"attention", "Causal attention; the half that is needed counts"},
      {"head_cross",
       "Output head with cross-entropy; _backward: with the "
       "gradients of x and W"},
      {"step", "Training steps: forward, backward, clipping, AdamW"},
      {"tiny", "Tiny steps, on one thread"},
      {"stage", "Steps of growth: the upper three blocks train"},
      {"generate",
       "Generation, one token at a time; the limit is the "
       "bandwidth of as many bytes as the weights have"},
      {"prompt", "Reading a prompt"}};
  for (auto const& [op, heading] : headings) {
    if (std::string_view(r.op).starts_with(op)) return heading;
  }
  if (r.program == "ops")
    return "Ops of rows; the limit is a pass over the same buffers that does nothing else, or its sigmoids alone";
  std::string words = r.program;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

namespace parts {
/// One column: its name, and what stands there for a row; one that is empty for all rows is left out.
struct Column {
  std::string name;
  std::vector<std::string> cells;
  bool empty() const {
    return std::all_of(cells.begin(), cells.end(), [](std::string const& c) { return c.empty(); });
  }
};
}  // namespace parts

inline Section make_section(std::string const& heading, std::vector<Row const*> const& rows,
                            std::vector<Row> const& all) {
  Section section{heading, {}, {}, rows};
  std::vector<parts::Column> columns;
  auto const column = [&](std::string const& name, auto const& cell) {
    columns.push_back({name, {}});
    for (Row const* r : rows) columns.back().cells.push_back(cell(*r));
    if (columns.back().empty()) columns.pop_back();
  };
  auto const positive = [](double x, int digits, char const* unit = "") {
    return x > 0 ? parts::number(x, digits) + unit : std::string();
  };
  column("case", [](Row const& r) { return r.op + " " + (r.backend == "ref" ? "plain loop " : "") + r.shape; });
  column("threads", [](Row const& r) { return std::to_string(r.threads); });
  column("time", [](Row const& r) { return r.error.empty() ? time_text(r.seconds) : "-"; });
  column("spread", [&](Row const& r) { return positive(r.spread, 0, " %"); });
  column("GFLOP/s", [&](Row const& r) { return r.bytes ? "" : positive(r.rate, 1); });
  column("GB/s", [&](Row const& r) { return r.bytes ? positive(r.rate, 1) : ""; });
  column("of limit", [&](Row const& r) { return positive(r.share, 0, " %"); });
  column("best", [&](Row const& r) { return positive(r.best, 0, " %"); });
  column("tokens/s", [&](Row const& r) { return positive(r.tokens, 0); });
  column("extra MB", [&](Row const& r) { return positive(r.extra_mb, 1); });
  std::set<std::string> peers, others;
  for (Row const* r : rows) {
    for (auto const& [peer, ratio] : r->vs) peers.insert(peer);
    for (auto const& [name, x] : r->others) others.insert(name);
  }
  for (auto const& name : others) {
    column(name, [&](Row const& r) {
      for (auto const& [other, x] : r.others) {
        if (other == name) return parts::number(x, 1);
      }
      return std::string();
    });
  }
  for (auto const& peer : peers) {
    column("vs " + peer, [&](Row const& r) {
      auto const found = r.vs.find(peer);
      return found == r.vs.end() ? "" : parts::number(found->second, found->second < 10 ? 2 : 0) + "x";
    });
  }
  column("aim", [&](Row const& r) {
    std::string words;
    for (auto const& aim : aims_of(r, all))
      words += (words.empty() ? "" : ", ") + aim.text + (aim.reached ? ": yes" : ": NO");
    return r.error.empty() ? words : "NOT MEASURED: " + r.error;
  });
  for (auto const& c : columns) section.head.push_back(c.name);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    section.cells.emplace_back();
    for (auto const& c : columns) section.cells.back().push_back(c.cells[i]);
  }
  return section;
}

/// All rows, by heading, in the order in which headings first appear.
inline std::vector<Section> sections_of(Results const& results) {
  std::vector<std::pair<std::string, std::vector<Row const*>>> groups;
  for (auto const& row : results.rows) {
    std::string const heading = heading_of(row);
    auto const same = [&](auto const& g) { return g.first == heading; };
    auto found = std::find_if(groups.begin(), groups.end(), same);
    if (found == groups.end()) found = groups.insert(groups.end(), {heading, {}});
    found->second.push_back(&row);
  }
  std::vector<Section> sections;
  for (auto const& [heading, rows] : groups) sections.push_back(make_section(heading, rows, results.rows));
  return sections;
}

/// Aligned columns: the first and the last flush left, numbers flush right.
inline std::string to_text(Section const& section) {
  std::vector<std::size_t> widths;
  for (auto const& h : section.head) widths.push_back(h.size());
  for (auto const& row : section.cells) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  auto const line = [&](std::vector<std::string> const& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      std::string const pad(widths[i] - cells[i].size(), ' ');
      bool const left = i == 0 || section.head[i] == "aim";
      out += (i > 0 ? "  " : "") + (left ? cells[i] + pad : pad + cells[i]);
    }
    return out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
  };
  std::string out = section.heading + "\n" + line(section.head);
  for (auto const& row : section.cells) out += line(row);
  return out + "\n";
}

/// What a reader wants first: how many rows reach their aims, and where others are faster.
inline std::string summary_of(Results const& results) {
  int aims = 0, reached = 0, failed = 0;
  for (auto const& row : results.rows) {
    failed += !row.error.empty();
    auto const list = aims_of(row, results.rows);
    aims += !list.empty();
    reached += !list.empty() && std::all_of(list.begin(), list.end(), [](Aim const& a) { return a.reached; });
  }
  std::string out = text(reached, " of ", aims, " rows that have an aim reach it.");
  if (failed > 0) out += text(" NOT MEASURED: ", failed, ".");
  return out;
}

}  // namespace gt::bench
