// SPDX-License-Identifier: MIT
// JSON that is valid is read exactly; what is not says where and why.
#include "gt/io/json.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support.hpp"

namespace json_test {

using gt::json_get, gt::parse_json, gt::dump_json, gt::Json, gt::test::error_of, gt::test::has;

namespace {

std::string parse_error(std::string_view json) {
  return error_of([&] { parse_json(json, "config"); });
}

template <class T>
std::string get_error(std::string_view json) {
  return error_of([&] { json_get<T>(parse_json(json, "config"), "k", "config"); });
}

std::string nested(std::size_t depth, char open, char close) {
  std::string json;
  for (std::size_t i = 0; i < depth; ++i) json += open == '{' && i > 0 ? "\"a\":{" : std::string(1, open);
  return json + std::string(depth, close);
}

}  // namespace

TEST_CASE("parse_json: values and the order of keys survive a round trip") {
  auto const source = R"({"z":1,"a":[true,null,-2,1.5,"\u00e9\n"],"empty":{},"m":{"y":[],"x":18446744073709551615}})";
  auto const json = parse_json(source, "test");
  CHECK(parse_json(dump_json(json, "test"), "test") == json);
  CHECK(json.items().front().first == "z");
  CHECK(dump_json(json["a"], "test") == R"([true,null,-2,1.5,"é\n"])");
  CHECK(dump_json(parse_json("{\"a\":[1]}", "test"), "test", 2) == "{\n  \"a\": [\n    1\n  ]\n}");
  CHECK(parse_json(" 7 ", "test") == 7);
}

TEST_CASE("parse_json: errors carry line and column") {
  CHECK(parse_error("{\n  \"a\": 1,\n  oops\n}") ==
        "gt: config: text must be valid JSON (got 'oops' at line 3, column 3): missing a name for object member");
  CHECK(has(parse_error(""), "(got the end of the text at line 1, column 1)"));
  CHECK(has(parse_error("{\"a\":\n"), "(got the end of the text at line 2, column 1)"));
  CHECK(has(parse_error("[1] 2"), "line 1, column 5"));
  CHECK(has(parse_error("\n[1e999]"), "line 2, column"));
  CHECK(has(parse_error("[" + std::string(400, '9') + "]"), "number too big to be stored in double"));
  CHECK(has(parse_error(R"(["\udc00"])"), "the surrogate pair in string is invalid"));
  CHECK(parse_error("\xEF\xBB\xBF[1e-999]") == "no error");
  CHECK(has(parse_error("\"\xff\""), "(got byte 0xFF at line 1, column 2): invalid encoding in string"));
  CHECK(has(parse_error("[\x01]"), "(got byte 0x01 at line 1, column 2)"));  // no control characters on the terminal
  CHECK(has(parse_error(std::string_view{"{}\0{}", 5}), "(got a zero byte at line 1, column 3)"));
  CHECK(parse_error("[" + std::string(10'000, 'x')).size() < 300);
}

TEST_CASE("parse_json: a key that appears twice in one object is an error") {
  CHECK(parse_error(R"({"a":1,"b":2,"a":3})") == "gt: config: key 'a' must appear once in its JSON object");
  CHECK(parse_error(R"([{"a":{"a":1}},{"a":1}])") == "no error");
}

TEST_CASE("parse_json: deep nesting is refused before it can do harm") {
  for (auto [open, close] : {std::pair{'[', ']'}, std::pair{'{', '}'}}) {
    CHECK(parse_error(nested(gt::json_max_depth, open, close)) == "no error");
    CHECK(has(parse_error(nested(gt::json_max_depth + 1, open, close)), "JSON must nest at most 64 deep"));
    CHECK(has(parse_error(nested(1'000'000, open, close)), "JSON must nest at most 64 deep"));
  }
}

TEST_CASE("parse_json: many keys take linear time") {
  std::string json = "{";
  for (int i = 0; i < 100'000; ++i) json += gt::text(i == 0 ? "" : ",", "\"", i, "\":0");
  CHECK(parse_json(json + "}", "test").size() == 100'000);
}

TEST_CASE("json_get: each type, exactly") {
  auto const json = parse_json(
      R"({"b":true,"i":-7,"u":18446744073709551615,"d":0.5,"s":"text","v":[1,2],"m":{"x":"y"},"e":[]})", "test");
  CHECK(json_get<bool>(json, "b", "test"));
  CHECK(json_get<int>(json, "i", "test") == -7);
  CHECK(json_get<std::uint64_t>(json, "u", "test") == std::numeric_limits<std::uint64_t>::max());
  CHECK(json_get<double>(json, "d", "test") == 0.5);
  CHECK(json_get<float>(json, "i", "test") == -7.0f);
  CHECK(json_get<std::string>(json, "s", "test") == "text");
  CHECK(json_get<std::vector<std::int64_t>>(json, "v", "test") == std::vector<std::int64_t>{1, 2});
  CHECK(json_get<std::vector<int>>(json, "e", "test").empty());
  CHECK(json_get<std::map<std::string, std::string>>(json, "m", "test").at("x") == "y");
  CHECK(json_get<Json>(json, "m", "test")["x"] == "y");
}

TEST_CASE("json_get: errors name the key, the expected type and what was there") {
  CHECK(get_error<int>("{}") == "gt: config: key 'k' must be present and an integer from -2147483648 to 2147483647");
  CHECK(get_error<Json>("{}") == "gt: config: key 'k' must be present");
  CHECK(get_error<int>("[]") == "gt: config: must be a JSON object (got array)");
  CHECK(get_error<bool>(R"({"k":1})") == "gt: config: key 'k' must be true or false (got 1)");
  CHECK(get_error<std::string>(R"({"k":null})") == "gt: config: key 'k' must be a string (got null)");
  CHECK(get_error<double>(R"({"k":"1"})") == "gt: config: key 'k' must be a number (got string)");
  CHECK(has(get_error<float>(R"({"k":1e300})"), "must be a number that fits a float (got 1e+300)"));
  CHECK(has(get_error<int>(R"({"k":1.5})"), "(got 1.5)"));
  CHECK(has(get_error<int>(R"({"k":2147483648})"), "(got 2147483648)"));
  CHECK(has(get_error<unsigned>(R"({"k":-1})"), "an integer from 0 to 4294967295 (got -1)"));
  CHECK(has(get_error<std::int64_t>(R"({"k":18446744073709551615})"), "(got 18446744073709551615)"));
  CHECK(has(get_error<std::int64_t>(R"({"k":18446744073709551616})"), "must be an integer"));
  CHECK(get_error<std::vector<int>>(R"({"k":{}})") == "gt: config: key 'k' must be an array (got object)");
  CHECK(has(get_error<std::vector<int>>(R"({"k":[0,"x"]})"), "key 'k'[1] must be an integer"));
  CHECK(has(get_error<std::map<std::string, bool>>(R"({"k":{"a":0}})"), "key 'k'['a'] must be true or false (got 0)"));
  CHECK(has(get_error<std::map<std::string, bool>>(R"({"k":[]})"), "key 'k' must be an object (got array)"));
}

TEST_CASE("Json: what braces make, and looking into it") {
  Json json{{"name", "a"}, {"list", {1, 2.5, nullptr}}, {"pairs", {{"x", true}, {"y", Json::array()}}}};
  CHECK(json.dump() == R"({"name":"a","list":[1,2.5,null],"pairs":{"x":true,"y":[]}})");
  CHECK(Json{"a", 1}.dump() == R"(["a",1])");  // no pairs
  CHECK(Json(std::vector<std::string>{"a", "b"}).dump() == R"(["a","b"])");
  CHECK(Json(std::map<std::string, int>{{"k", 1}}).dump() == R"({"k":1})");
  json["name"] = 7u, json["new"]["deep"].push_back(-1);
  json.update({{"list", Json::object()}});
  CHECK(json.erase("pairs"));
  CHECK(!json.erase("pairs"));
  CHECK(json.dump() == R"({"name":7,"list":{},"new":{"deep":[-1]}})");
  CHECK(json.value("name", 0.0) == 7.0);
  CHECK(json.value("none", std::string("else")) == "else");
  Json const read = json;
  CHECK(read.find("none") == nullptr);
  CHECK(read["new"]["deep"][0] == -1);
  CHECK(has(error_of([&] { read["none"]; }), "gt: Json: there must be a key 'none'"));
  CHECK(error_of([&] { read["new"]["deep"][1]; }) == "gt: Json: the array must have an item 1 (got 1 items)");
  CHECK(error_of([&] { read["new"].get<bool>(); }) == "gt: Json: the value must be a boolean (got object)");
  CHECK(error_of([&] { read["name"].items(); }) == "gt: Json: the value must be an object (got number)");
}

TEST_CASE("Json: numbers are equal by value, whatever holds them") {
  CHECK(Json(1) == Json(1u));
  CHECK(Json(1) == Json(1.0));
  CHECK(Json(-1) != Json(std::numeric_limits<std::uint64_t>::max()));
  CHECK(Json(1) != Json(true));
  CHECK(Json{1, 2} == Json{1.0, 2u});
  CHECK(Json{1, 2} != Json{1, 2, 3});
}

TEST_CASE("dump_json: numbers read the same, and the same way in every version") {
  for (auto const& [number, said] :
       std::map<double, char const*>{{0.0, "0.0"},
                                     {1.0, "1.0"},
                                     {0.1, "0.1"},
                                     {1e-4, "0.0001"},
                                     {1e-5, "1e-05"},
                                     {1.25e-7, "1.25e-07"},
                                     {123456.789, "123456.789"},
                                     {999999999999999.0, "999999999999999.0"},
                                     {1e15, "1e+15"},
                                     {1e100, "1e+100"},
                                     {5e-324, "5e-324"},
                                     {std::numeric_limits<double>::max(), "1.7976931348623157e+308"}}) {
    CHECK(Json(number).dump() == said);
    CHECK(parse_json(said, "test").get<double>() == number);
    CHECK(Json(-number).dump() == "-" + std::string(said));
  }
}

TEST_CASE("dump_json: strings that are not UTF-8 are an error, numbers that are not finite are null") {
  CHECK(has(error_of([] { dump_json(Json("\xff"), "save"); }), "gt: save: strings of JSON must be UTF-8"));
  CHECK(dump_json(Json(std::numeric_limits<double>::infinity()), "save") == "null");
}

}  // namespace json_test
