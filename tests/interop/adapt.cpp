// SPDX-License-Identifier: MIT
// A model with adapters, for other programs to compare with: the adapters in PEFT's form, and the model merged.
//
//     interop_adapt MODEL_FOLDER ADAPTER_FOLDER MERGED_FOLDER
#include <cmath>
#include <cstdio>
#include <exception>
#include <gt/formats/peft/peft.hpp>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <string>

int main(int argc, char** argv) {
  try {
    gt::check(argc == 4, "interop_adapt", "the arguments must be MODEL_FOLDER ADAPTER_FOLDER MERGED_FOLDER");
    std::string const folder = argv[1];
    auto model = gt::load_model(folder);
    model.attach_adapters({.rank = 4,
                           .alpha = 6,
                           .rank_stabilised = true,
                           .targets = {.q = true, .k = false, .v = true, .o = true, .fc = true, .proj = true}},
                          model.depth() > 1 ? model.depth() - 1 : 1);
    double t = 0;  // B is zero in a new adapter, which would compare nothing
    for (auto const& p : model.parameters()) {
      if (p.name.find(".lora_B.") == p.name.npos) continue;
      for (std::int64_t i = 0; i < p.size(); ++i) p.data[i] = static_cast<float>(0.05 * std::sin(++t));
    }
    gt::save_adapter(model, argv[2], folder);
    model.merge_adapters(gt::Cpu<>{});
    gt::save(model, gt::Tokenizer::load(folder + "/tokenizer.json"), argv[3]);
    return 0;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
