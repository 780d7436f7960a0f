// SPDX-License-Identifier: MIT
// What it costs to include the library:  compile_cost [NAME...] [--check] [--json FILE] [--compiler C++] [--runs N]
//                [--syntax-only]
// Prints CPU seconds and memory of each header compiled alone, and of programs with a model of 2 and of 48 blocks. With
// names, only of what begins with one of them. --check fails when a budget (budgets.hpp) is exceeded by half.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "budgets.hpp"
#include "compiler.hpp"
#include "gt/io/atomic_file.hpp"
#include "units.hpp"

namespace gt::compile_cost {
namespace {

struct Options {
  std::vector<std::string> names{};
  std::string compiler = GT_COMPILER, json{}, mode = "-O2";
  int runs = 3;
  bool check = false, help = false;
};

Options parse(std::span<char*> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string const name = arguments[i];
    auto const value = [&] {
      gt::check(i + 1 < arguments.size(), "compile-cost", name, " takes a value; --help says which");
      return std::string{arguments[++i]};
    };
    if (name == "--check") {
      options.check = true;
    } else if (name == "--help" || name == "-h") {
      options.help = true;
    } else if (name == "--syntax-only") {
      options.mode = "-fsyntax-only";
    } else if (name == "--json") {
      options.json = value();
    } else if (name == "--compiler") {
      options.compiler = value();
    } else if (name == "--runs") {
      std::string const given = value();
      auto const [end, error] = std::from_chars(given.data(), given.data() + given.size(), options.runs);
      gt::check(error == std::errc{} && end == given.data() + given.size() && options.runs >= 1, "compile-cost",
                "--runs takes a number from 1 (got '", given, "')");
    } else {
      gt::check(!name.starts_with('-'), "compile-cost", "there is no option '", name, "'; --help lists them");
      options.names.push_back(name);
    }
  }
  return options;
}

/// The units whose names begin as one of `names`; all when there are none. Errors: a name that fits no unit.
std::vector<Unit> chosen(std::vector<Unit> all, std::vector<std::string> const& names) {
  for (auto const& name : names) {
    gt::check(std::any_of(all.begin(), all.end(), [&](Unit const& u) { return u.name.starts_with(name); }),
              "compile-cost", "a name must begin that of a header, as 'core/', or of a program (got '", name, "')");
  }
  std::erase_if(all, [&](Unit const& u) {
    return !names.empty() && std::none_of(names.begin(), names.end(), [&](auto& n) { return u.name.starts_with(n); });
  });
  return all;
}

/// Measurements, and what they are held against.
class Report {
 public:
  explicit Report(Options const& options) : options_{options}, units_{headers(GT_INCLUDE)} {
    units_.push_back(with_prebuilt(header("gt.hpp", "gt/")));
    for (int blocks : {few_blocks, many_blocks}) units_.push_back(program(blocks));
    units_.push_back(with_prebuilt(program(few_blocks)));
    units_ = chosen(std::move(units_), options.names);
  }

  /// Each unit `runs` times, the reference again after every ten seconds: whatever else the machine does, it sees too.
  /// What then takes too long gets some more chances, so that a check fails for a cause and not for a bad moment.
  void measure() {
    for (int run = 0; run < options_.runs; ++run) {
      double since_reference = 1e9;
      compile(empty_);
      for (Unit& unit : units_) {
        if (since_reference > 10) since_reference = 0, compile(reference_);
        compile(unit);
        since_reference += unit.runs.slowest;
      }
    }
    for (int chance = 0; options_.check && chance < 5; ++chance) {
      for (Promise const& promise : promises()) {
        Cost const cost = cost_of(promise);
        if (cost.memory > margin * promise.at_most || cost.time_at_least <= margin * promise.at_most) continue;
        compile(*promise.beside);
        compile(*promise.unit);
      }
    }
    if (isatty(STDERR_FILENO)) std::fputs("\r\033[K", stderr);
  }

  void print() const {
    std::printf("%s %s: CPU seconds and memory of one translation unit; %s takes %.2f s and %.0f MiB.\n",
                options_.compiler.c_str(), options_.mode.c_str(), reference_.name.c_str(), reference_.runs.fastest,
                reference_.runs.mebibytes);
    std::printf("On the right both as seconds where %s takes %.1f s, memory less the %.0f MiB of an empty file.\n\n",
                reference_.name.c_str(), reference_seconds, empty_.runs.mebibytes);
    std::printf("%-36s %8s %8s   %8s %8s %8s\n", "", "seconds", "MiB", "time", "memory", "budget");
    for (Unit const& unit : units_) {
      Cost const cost = relative(unit.runs, reference_.runs, empty_.runs);
      std::printf("%-36s %8.2f %8.1f   %8.2f %8.2f", unit.name.c_str(), unit.runs.fastest, unit.runs.mebibytes,
                  cost.time * reference_seconds, cost.memory * reference_seconds);
      std::printf(budget_of(unit.name) > 0 ? " %8.2f\n" : "\n", budget_of(unit.name));
    }
  }

  /// One JSON object a line. Names and compilers are file names: none needs escaping that people use.
  std::string json() const {
    std::string lines;
    for (Unit const& unit : units_) {
      double const budget = budget_of(unit.name);
      Cost const cost = relative(unit.runs, reference_.runs, empty_.runs);
      lines += text("{\"name\": \"", unit.name, "\", \"compiler\": \"", options_.compiler, "\", \"mode\": \"",
                    options_.mode, "\", \"seconds\": ", unit.runs.fastest, ", \"mebibytes\": ", unit.runs.mebibytes,
                    ", \"runs\": ", unit.runs.count, ", \"time_in_references\": ", cost.time,
                    ", \"memory_in_references\": ", cost.memory, ", \"reference\": \"", reference_.name,
                    "\", \"reference_seconds\": ", reference_.runs.fastest,
                    ", \"reference_mebibytes\": ", reference_.runs.mebibytes,
                    ", \"budget_in_references\": ", budget > 0 ? text(budget / reference_seconds) : "null", "}\n");
    }
    return lines;
  }

  /// Says what costs too much. Whether nothing does.
  bool check() {
    bool kept = true;
    for (Promise const& promise : promises()) {
      Cost const cost = cost_of(promise);
      // On a shared machine the ratio of times swings by half from minute to minute, that of memory by a hundredth:
      // time accuses only what is over the budget in memory as well.
      bool const slow = cost.time_at_least > margin * promise.at_most && cost.memory > promise.at_most;
      if (!slow && cost.memory <= margin * promise.at_most) continue;
      kept = false;
      auto const& [unit, beside, at_most] = promise;
      if (beside == &reference_) {
        std::fprintf(stderr,
                     "gt: compile-cost: %s must compile in %.2f s where %s takes %.2f s, and half as much again is too "
                     "much (got %.2f s by time, %.2f s by memory); the compiler's option -H lists what it includes\n",
                     unit->name.c_str(), at_most * reference_seconds, beside->name.c_str(), reference_seconds,
                     cost.time * reference_seconds, cost.memory * reference_seconds);
      } else {
        std::fprintf(
            stderr,
            "gt: compile-cost: the %s must compile in the time and memory of the %s, and half as much again is "
            "too much (got %.2f times its time, %.2f times its memory); nothing may grow with the depth\n",
            unit->name.c_str(), beside->name.c_str(), cost.time, cost.memory);
      }
    }
    return kept;
  }

 private:
  struct Promise {
    Unit *unit, *beside;
    double at_most;  // times what `beside` costs
  };
  std::vector<Promise> promises() {
    std::vector<Promise> all;
    for (Unit& unit : units_) {
      if (double const budget = budget_of(unit.name); budget > 0)
        all.push_back({&unit, &reference_, budget / reference_seconds});
    }
    Unit *const few = find(program(few_blocks).name), *const many = find(program(many_blocks).name);
    if (few && many) all.push_back({many, few, 1});
    return all;
  }
  Unit* find(std::string const& name) {
    auto const at = std::find_if(units_.begin(), units_.end(), [&](Unit const& u) { return u.name == name; });
    return at == units_.end() ? nullptr : &*at;
  }
  Cost cost_of(Promise const& p) const { return relative(p.unit->runs, p.beside->runs, empty_.runs); }

  void compile(Unit& unit) {
    if (isatty(STDERR_FILENO)) std::fprintf(stderr, "\r\033[Kcompiling %s ...", unit.name.c_str());
    compiler_.run(unit.source, unit.name, unit.runs);
  }
  // As a user's project is compiled: no -march, no warnings.
  static Compiler compiler(Options const& options) {
    std::vector<std::string> command{options.compiler, "-std=c++20", options.mode, "-I", GT_INCLUDE};
    for (std::string_view dirs = GT_DEPENDENCIES; !dirs.empty();) {
      auto const end = std::min(dirs.find(':'), dirs.size());
      if (end > 0) command.insert(command.end(), {"-idirafter", std::string{dirs.substr(0, end)}});
      dirs.remove_prefix(std::min(end + 1, dirs.size()));
    }
    return Compiler(std::move(command));
  }

  Options options_;
  Compiler compiler_{compiler(options_)};
  std::vector<Unit> units_;
  Unit reference_ = header(std::string{reference}), empty_{"an empty file", "\n"};
};

int run(Options const& options) {
  if (options.help) {
    std::puts(
        "compile-cost [NAME...]: CPU seconds and memory of each header compiled alone, and of programs with a model\n"
        "of 2 and of 48 blocks; with names, of what begins with one of them, as `core/ gt.hpp program`.\n"
        "  --check         fail when a budget is exceeded by half\n"
        "  --json FILE     write the measurements to a file, a JSON object a line\n"
        "  --compiler C++  another compiler\n"
        "  --syntax-only   without code: -fsyntax-only instead of -O2\n"
        "  --runs N        compile each N times (3) and take the fastest");
    return 0;
  }
  Report report(options);
  report.measure();
  report.print();
  if (!options.json.empty()) io::write_file_atomically(options.json, report.json());
  return options.check && !report.check() ? 1 : 0;
}

}  // namespace
}  // namespace gt::compile_cost

int main(int argc, char** argv) try {
  return gt::compile_cost::run(gt::compile_cost::parse({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)}));
} catch (std::exception const& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
