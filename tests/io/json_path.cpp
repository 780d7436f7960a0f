// SPDX-License-Identifier: MIT
// Paths whose bytes are no text go through JSON and come back.
#include "gt/io/json_path.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/support.hpp"

namespace json_path_test {

using gt::Json, gt::json_of_path, gt::path_of_json;
using gt::test::error_of, gt::test::has;

TEST_CASE("json_of_path: every path comes back as it was; one of UTF-8 is a string") {
  std::vector<std::string> const paths{"plain.txt", "", "caf\xC3\xA9.txt", "caf\xE9.txt", "a\nb\"c", "\xFF\xFE/\x01"};
  for (auto const& path : paths) {
    auto const text = gt::dump_json(json_of_path(path), "test");
    CAPTURE(text);
    CHECK(path_of_json(gt::parse_json(text, "test"), "test") == path);
  }
  CHECK(json_of_path(paths[2]) == Json(paths[2]));
  CHECK(gt::dump_json(json_of_path(paths[3]), "test") == "{\"bytes\":\"636166e92e747874\"}");
  CHECK(gt::paths_of_json(gt::json_of_paths(paths), "test") == paths);
}

TEST_CASE("path_of_json: what is no path is refused") {
  auto const refused = [](char const* json) {
    return error_of([&] { path_of_json(gt::parse_json(json, "test"), "'run.json'"); });
  };
  CHECK(has(refused("5"), "gt: 'run.json': must be a JSON object"));
  CHECK(has(refused("{\"bytes\": 7}"), "key 'bytes' must be a string"));
  for (char const* bad : {"{\"bytes\": \"6\"}", "{\"bytes\": \"6g\"}", "{\"bytes\": \"6100\"}", "{\"bytes\": \"-1\"}"})
    CHECK(has(refused(bad), "must be pairs of hexadecimal digits"));
  CHECK(has(error_of([] { gt::paths_of_json(Json(3), "test"); }), "paths must be an array (got number)"));
}

}  // namespace json_path_test
