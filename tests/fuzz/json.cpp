// SPDX-License-Identifier: MIT
// Any text as JSON: what is read can be written and reads the same; json_get converts nothing.
#include "gt/io/json.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fuzz.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  Json json;
  if (!fuzz::accepts(size, {.factor = 128}, [&] { json = parse_json(input, "fuzz"); })) return 0;
  std::string const once = dump_json(json, "fuzz");
  fuzz::require(dump_json(parse_json(once, "fuzz"), "fuzz") == once, "what is written must read the same");
  auto const as = [&]<class T>(T) {
    fuzz::accepts(size, {.factor = 256}, [&] {
      T const value = json_get<T>(json, "k", "fuzz");
      fuzz::require(json_get<T>(Json{{"k", value}}, "k", "fuzz") == value, "a value must survive");
    });
  };
  as(bool{}), as(int{}), as(std::int64_t{}), as(std::uint64_t{}), as(std::uint8_t{}), as(float{}), as(double{});
  as(std::string{}), as(std::vector<std::int64_t>{}), as(std::vector<std::string>{});
  as(std::map<std::string, std::string>{}), as(std::vector<std::vector<double>>{});
  return 0;
}
