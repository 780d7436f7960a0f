// SPDX-License-Identifier: MIT
// What gt says, for other programs to compare with: the token ids of texts, and a saved model's logits behind each.
//
//     interop_dump MODEL_FOLDER TEXTS [LOGITS]
//
// TEXTS holds one JSON string a line. Each becomes a line {"ids": [...], "rows": n} on stdout. LOGITS, if named,
// becomes a file of fp32 numbers, the logits [n, V] of each text one behind the other: of the first n ids, as many as
// the model's context holds.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  try {
    gt::check(argc == 3 || argc == 4, "interop_dump", "the arguments must be MODEL_FOLDER TEXTS [LOGITS]");
    std::string const folder = argv[1];
    auto const tokenizer = gt::Tokenizer::load(folder + "/tokenizer.json");
    gt::Cpu<> const on;
    auto const model = gt::load_any_model(on, folder);
    gt::Session session(on, model);
    std::optional<gt::io::AtomicFile> file;
    if (argc == 4) file.emplace(argv[3]);

    std::string const all = gt::read_text_file(argv[2]);
    for (std::size_t at = 0; at < all.size();) {
      std::size_t const end = std::min(all.find('\n', at), all.size());
      gt::Json const line = gt::parse_json(std::string_view{all}.substr(at, end - at), argv[2]);
      gt::check(line.is_string(), "interop_dump", "every line must be a JSON string (got ", line.type_name(), ")");
      at = end + 1;
      auto const ids = tokenizer.encode(line.string());
      std::size_t const rows = file ? std::min(ids.size(), static_cast<std::size_t>(model.context())) : 0;
      session.reset();
      for (std::size_t i = 0; i < rows; ++i) file->write(std::as_bytes(session.feed({&ids[i], 1})));
      std::printf("%s\n", gt::dump_json(gt::Json{{"ids", ids}, {"rows", rows}}, "interop_dump").c_str());
    }
    gt::check(std::fflush(stdout) == 0, "interop_dump", "the output must take all of it (a full disk?)");
    if (file) file->commit();
    return 0;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
