// SPDX-License-Identifier: MIT
// What is compiled: each header of the library alone, and two programs that differ in the depth of their model.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "budgets.hpp"
#include "gt/base/error.hpp"

namespace gt::compile_cost {

/// A translation unit under a name.
struct Unit {
  std::string name, source;
  Runs runs{};
};

inline Unit header(std::string const& name, std::string const& below = "") {
  return {name, text("#include <", below, name, ">\n")};
}

/// Every header below `include`/gt/, by name.
inline std::vector<Unit> headers(std::filesystem::path const& include) {
  std::vector<Unit> units;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(include / "gt")) {
    if (entry.path().extension() == ".hpp")
      units.push_back(header(entry.path().lexically_relative(include / "gt").generic_string(), "gt/"));
  }
  std::sort(units.begin(), units.end(), [](Unit const& a, Unit const& b) { return a.name < b.name; });
  return units;
}

/// The same with gt::prebuilt, which declares what the headers alone define.
inline Unit with_prebuilt(Unit const& unit) {
  return {unit.name + " with gt::prebuilt",
          "#include <gt/base/macros.hpp>\n#define GT_PREBUILT GT_ABI_NUMBER\n" + unit.source};
}

/// Makes, grows and steps a model of that many blocks.
inline Unit program(int blocks) {
  std::string stages = "gt::deepen(1)";
  for (int i = 1; i < blocks; ++i) stages += ", gt::deepen(1)";
  return {text("program of ", blocks, " blocks"),
          text("#include <gt/gt.hpp>\n"
               "constexpr gt::BlockConfig block{.d_model = 64, .heads = 2};\n"
               "constexpr gt::GrowthPlan plan{",
               stages,
               "};\n"
               "static_assert(plan.depth() == ",
               blocks,
               " && plan.active_parameters(block, 512) < 1'000'000);\n"
               "int main() {\n"
               "  auto const corpus = gt::Corpus::from_text(\"It is a truth universally acknowledged\");\n"
               "  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 512});\n"
               "  auto const substrate = gt::RandomEmbedding::draw(tokenizer.tokens(), {.width = block.d_model});\n"
               "  auto model = gt::Transformer(substrate, gt::fixed<block>, gt::seed(1));\n"
               "  gt::grow(model, plan, gt::training_text(corpus, tokenizer), {});\n"
               "  model.append(",
               blocks,
               ");\n"
               "  gt::Trainer trainer(gt::Cpu<>{}, model, {1, 4});\n"
               "  std::int32_t const ids[4] = {};\n"
               "  trainer.step(ids, ids, 1e-3);\n"
               "}\n")};
}

}  // namespace gt::compile_cost
