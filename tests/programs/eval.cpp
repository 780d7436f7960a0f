// SPDX-License-Identifier: MIT
// eval from outside: a table and JSON lines that agree, each text by itself and all together, bad input as a sentence.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/utf8.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"
#include "text/support.hpp"

using gt::test::check_complaint, gt::test::check_sentence, gt::test::Ended, gt::test::has, gt::test::lines_of;
using gt::test::Lines, gt::test::Program, gt::test::put, gt::test::Run, gt::test::TemporaryFolder;

namespace {

Ended eval(Lines const& files, Lines more = {}) {
  Lines all{"--model", Run::once().model};
  all.insert(all.end(), more.begin(), more.end());
  all.insert(all.end(), files.begin(), files.end());
  return Program(GT_EVAL, all).wait();
}
std::vector<gt::Json> json_of(Ended const& ended) {
  REQUIRE(ended.status == 0);
  std::vector<gt::Json> rows;
  for (auto const& line : lines_of(ended.out)) rows.push_back(gt::parse_json(line, "eval"));
  return rows;
}

}  // namespace

TEST_CASE("eval: every text by itself and all together; the table says what the JSON says") {
  TemporaryFolder const folder;
  auto const a = folder / "a.txt", b = folder / "b.txt";
  put(a, gt::test::prose(300, 5));
  put(b, gt::test::prose(100, 6) + "\u00e9\u4e2d");
  auto const rows = json_of(eval({a, b}, {"--json"}));
  REQUIRE(rows.size() == 3);
  CHECK(rows[0]["file"] == a);
  CHECK(rows[0]["stride"] == 16);  // half of a context of 32
  double nats = 0, bytes = 0;
  for (int i = 0; i < 2; ++i) {
    auto const& row = rows[static_cast<std::size_t>(i)];
    nats += row["nats"].get<double>(), bytes += row["bytes"].get<double>();
    CHECK(row["bits_per_byte"].get<double>() ==
          doctest::Approx(row["nats"].get<double>() / std::log(2.0) / row["bytes"].get<double>()));
    CHECK(row["perplexity"].get<double>() ==
          doctest::Approx(std::exp(row["nats"].get<double>() / row["tokens"].get<double>())));
  }
  CHECK(rows[1]["bytes"] == gt::read_text_file(b).size());
  CHECK(rows[1]["characters"] == gt::utf8_length(gt::read_text_file(b)));
  CHECK(rows[1]["bytes"] > rows[1]["characters"]);
  CHECK(rows[2]["nats"].get<double>() == doctest::Approx(nats));
  CHECK(rows[2]["bits_per_byte"].get<double>() == doctest::Approx(nats / std::log(2.0) / bytes));

  auto const table = eval({a, b});
  CHECK(table.status == 0);
  auto const lines = lines_of(table.out);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "windows of 32 tokens, 16 apart");
  char cell[32];
  std::snprintf(cell, sizeof cell, "%9.4f", rows[0]["bits_per_byte"].get<double>());
  CHECK(has(lines[2], cell));
  CHECK(lines[2].ends_with(a));
  CHECK(lines[4].ends_with("all together"));
  CHECK(has(table.err, "running on "));
  CHECK(eval({a, b}, {"--threads", "3", "--batch", "1"}).out == table.out);
  auto const closer = json_of(eval({a}, {"--json", "--stride", "1"}))[0];
  CHECK(closer["stride"] == 1);
  CHECK(closer["nats"] != rows[0]["nats"]);
}

TEST_CASE("eval: what it cannot do is one sentence") {
  TemporaryFolder const folder;
  auto const text = folder / "a.txt";
  put(text, gt::test::prose(50));
  put(folder / "empty.txt", "");
  put(folder / "binary.txt", std::string("a\0b", 3));
  check_sentence(eval({folder / "none.txt"}), "none.txt' must be a readable file");
  check_sentence(eval({folder / "empty.txt"}), "empty.txt' must hold text (got 0 bytes)");
  check_sentence(eval({folder / "binary.txt"}), "binary.txt' must be a text file");
  check_sentence(eval({text}, {"--stride", "33"}), "the stride must lie in 1 ... 32, the model's context (got 33)");
  check_sentence(eval({text}, {"--batch", "0"}), "the batch must be positive (got 0)");
  check_complaint(eval({}), "files is required");
  check_sentence(Program(GT_EVAL, {"--model", folder / "none", text}).wait(),
                 "none/tokenizer.json' must be a readable");
}
