// SPDX-License-Identifier: MIT
// Writes the seeds that are no text, fonts among them, with the library's writers: write_seeds tests/fuzz/seeds
#define DOCTEST_CONFIG_DISABLE  // what makes fonts looks for installed ones as well, and would tell a test
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fonts/made_fonts.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"
#include "gt/io/window_store.hpp"
#include "gt/text/token_shard.hpp"

using namespace gt;

namespace {

void put(std::string const& path, std::string_view bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
void put(std::string const& path, test::Bytes const& bytes) {
  put(path, std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size()));
}

void fonts(std::string const& to) {
  put(to + "true_type", test::font_file(test::small_true_type()));
  put(to + "collection", test::collection({test::small_true_type(), test::open_type(test::small_cff())}));
  put(to + "cff", test::font_file(test::open_type(test::small_cff())));
  for (int const select : {0, 3}) {
    auto parts = test::small_cff();
    parts.select = select;
    put(to + "cff_select_" + std::to_string(select), test::font_file(test::open_type(parts)));
  }
  auto numbers = test::small_cff();  // as many as the stack takes, and a flex
  test::Charstring long_one;
  long_one << 0 << 0 << test::Op{21};
  for (int line = 0; line < 2; ++line) {
    for (int i = 0; i < 48; ++i) long_one << (i * 29 % 41 - 20);
    long_one << test::Op{5};
  }
  for (int i = 0; i < 13; ++i) long_one << i;
  long_one << test::Op{12} << test::Op{35} << test::Op{14};
  numbers.charstrings[1] = long_one.bytes;
  put(to + "cff_numbers", test::font_file(test::open_type(numbers)));

  // Many points, by components of components, as far apart as numbers go.
  std::vector<test::Point> far;
  for (int i = 0; i < 12; ++i) far.push_back({i * 7919 % 16000 - 8000, i % 2 == 0 ? 16000 : -16000, i == 0});
  auto points = test::true_type({{},
                                 test::simple_glyph({far}),
                                 test::composite_glyph(std::vector<test::Part>(4, {1, 3, 1, {}})),
                                 test::composite_glyph(std::vector<test::Part>(2, {2, 1, 3, {}}))},
                                {32, 32, 32, 32});
  test::poke16(points["hhea"], 4, 16), test::poke16(points["hhea"], 6, 0);
  put(to + "far_points", test::font_file(points));

  auto maps = test::small_true_type();
  test::Writer four;  // two segments: A to C by a delta, D to E by a list; and the closing one
  four.u16(4).u16(44).u16(0).u16(6).u16(0).u16(0).u16(0);
  four.u16('C').u16('E').u16(0xFFFF).u16(0).u16('A').u16('D').u16(0xFFFF);
  four.u16(1 - 'A').u16(0).u16(1).u16(0).u16(4).u16(0).u16(4).u16(5);
  maps["cmap"] = test::cmap_of(3, 1, four.bytes);
  put(to + "cmap_4", test::font_file(maps));
  test::Writer six;
  six.u16(6).u16(20).u16(0).u16('A').u16(3).u16(1).u16(3).u16(5);
  maps["cmap"] = test::cmap_of(0, 3, six.bytes);
  put(to + "cmap_6", test::font_file(maps));
  test::Writer ten;
  ten.u16(10).u16(0).u32(26).u32(0).u32('A').u32(3).u16(1).u16(3).u16(5);
  maps["cmap"] = test::cmap_of(0, 4, ten.bytes);
  put(to + "cmap_10", test::font_file(maps));
  maps["cmap"] = test::cmap_of(3, 10, test::cmap_12({{'A', 'Z', 1}, {0x4E00, 0x4E08, 3}}, 13));
  put(to + "cmap_13", test::font_file(maps));
  test::Writer zero;
  zero.u16(0).u16(262).u16(0);
  for (int c = 0; c < 256; ++c) zero.u8(c >= 'A' && c <= 'E' ? c - 'A' + 1 : 0);
  maps["cmap"] = test::cmap_of(0, 3, zero.bytes);
  put(to + "cmap_0", test::font_file(maps));
}

/// A safetensors file without checksums, its data zeros.
std::string plain_file(std::string header, std::size_t data) {
  header.append((8 - header.size() % 8) % 8, ' ');
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> 8 * i);
  return bytes + header + std::string(data, '\0');
}

void containers(std::string const& seeds) {
  std::array<float, 6> const numbers{1, 2, 3, 4, 5, 6};
  auto const bytes = std::as_bytes(std::span(numbers));
  std::vector<io::TensorView> const tensors{
      {"a", "F32", {2, 3}, bytes}, {"b.c", "I16", {}, bytes.first(2)}, {"e", "U8", {0}, {}}};
  std::filesystem::create_directories(seeds + "/safetensors");
  io::write_safetensors(seeds + "/safetensors/three", std::span<io::TensorView const>(tensors), {{"format", "pt"}});
  io::write_safetensors(seeds + "/safetensors/none", std::span<io::TensorView const>{});
  put(seeds + "/safetensors/without_checksums",
      plain_file(R"({"w":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}  )", 4));

  // The second one names many experts of the first one's shape, which the file has not.
  std::string const down = R"("fusion.down.0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})";
  put(seeds + "/fusion_adapter/two",
      plain_file("{" + down + R"(,"fusion.down.1.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[24,48]},)" +
                     R"("fusion.up.weight":{"dtype":"F32","shape":[4,2],"data_offsets":[48,80]}})",
                 80));
  std::string many = R"({"fusion.down.0.weight":{"dtype":"F32","shape":[1,256],"data_offsets":[0,1024]})";
  for (int i = 1; i < 20; ++i)
    many += text(R"(,"fusion.down.)", i, R"(.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[)", 1020 + 4 * i, ",",
                 1024 + 4 * i, "]}");
  put(seeds + "/fusion_adapter/misshapen",
      plain_file(many + R"(,"fusion.up.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[1100,1104]}})", 1104));

  std::filesystem::create_directories(seeds + "/token_shard");
  std::string const print = "0123456789abcdef";
  write_token_shard(seeds + "/token_shard/narrow", Tokens::from_ids(std::vector{1, 0, 9, 3}, 10), print, 12);
  write_token_shard(seeds + "/token_shard/wide", Tokens::from_ids(std::vector{1, 0, 69999}, 70000), print, 12);
  write_token_shard(seeds + "/token_shard/empty", {}, print, 0);

  // As fuzz_prefix_cache reads it: the head without its zeros, then the entries.
  std::string const path = seeds + "/prefix_cache/two";
  put(path, "");
  {
    detail::WindowStore store(4, 16, 7, 4096 + 6 * 192, 6, path);
    for (std::int32_t const first : {1, 2}) {
      std::array<std::int32_t, 4> const ids{first, 2, 3, 4};
      std::memset(store.open_entry(ids), first, 16);
      store.close_entry(5);
    }
  }
  auto file = read_text_file(path);
  put(path, file.erase(48, 4096 - 48));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return std::fputs("write_seeds FOLDER\n", stderr), 1;
  std::string const seeds = arguments[1];
  fonts(seeds + "/outline_font/");
  containers(seeds);
  return 0;
}
