// SPDX-License-Identifier: MIT
// GGUF files, read back by a reader of the test's own: every field, every number, and what is refused.
#include "gt/formats/gguf/gguf.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "formats/support.hpp"
#include "gt/io/text_file.hpp"

namespace gguf_test {

using gt::GgufType, gt::Tokenizer, gt::write_gguf;
using gt::test::error_of, gt::test::has, gt::test::model_on_bits, gt::test::model_on_rows, gt::test::put,
    gt::test::TemporaryFolder, gt::test::tokenizer_of_prose;

namespace {

using Value = std::variant<std::uint32_t, float, bool, std::string, std::vector<std::string>, std::vector<float>,
                           std::vector<std::int32_t>>;
struct ReadTensor {
  std::vector<std::uint64_t> sizes;  // innermost first
  std::uint32_t type = 0;
  std::string_view bytes;
};
/// The format as its description says, read strictly: every byte has a place.
struct Gguf {
  std::string raw;
  std::map<std::string, Value> values;
  std::vector<std::pair<std::string, ReadTensor>> tensors;
  std::size_t data = 0;

  explicit Gguf(std::string const& path) : raw{gt::read_text_file(path)} {
    REQUIRE(raw.substr(0, 4) == "GGUF");
    at_ = 4;
    REQUIRE(number<std::uint32_t>() == 3);
    auto const tensor_count = number<std::uint64_t>(), value_count = number<std::uint64_t>();
    for (std::uint64_t i = 0; i < value_count; ++i) {
      auto const key = string();
      REQUIRE(values.emplace(key, value(number<std::uint32_t>())).second);
    }
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t i = 0; i < tensor_count; ++i) {
      auto& [name, tensor] = tensors.emplace_back();
      name = string();
      tensor.sizes.resize(number<std::uint32_t>());
      for (auto& size : tensor.sizes) size = number<std::uint64_t>();
      tensor.type = number<std::uint32_t>();
      offsets.push_back(number<std::uint64_t>());
    }
    data = padded(at_);
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      auto& tensor = tensors[i].second;
      std::uint64_t count = 1;
      for (auto const size : tensor.sizes) count *= size;
      std::uint64_t const bytes = tensor.type == 0 ? 4 * count : tensor.type == 8 ? count / 32 * 34 : 2 * count;
      REQUIRE(offsets[i] == expected);
      expected += padded(bytes);
      REQUIRE(data + expected <= raw.size());
      tensor.bytes = std::string_view{raw}.substr(data + offsets[i], bytes);
      for (auto const c : raw.substr(data + offsets[i] + bytes, expected - offsets[i] - bytes)) REQUIRE(c == 0);
    }
    REQUIRE(data + expected == raw.size());
  }
  ReadTensor const& tensor(std::string const& name) const {
    for (auto const& [other, t] : tensors) {
      if (other == name) return t;
    }
    FAIL("no tensor " << name);
    return tensors[0].second;
  }
  template <class T>
  T get(std::string const& key) const {
    CAPTURE(key);
    REQUIRE(values.contains(key));
    REQUIRE(std::holds_alternative<T>(values.at(key)));
    return std::get<T>(values.at(key));
  }
  static std::size_t padded(std::size_t size) { return (size + 31) / 32 * 32; }

 private:
  template <class T>
  T number() {
    T x;
    REQUIRE(at_ + sizeof x <= raw.size());
    std::memcpy(&x, raw.data() + std::exchange(at_, at_ + sizeof x), sizeof x);
    return x;
  }
  std::string string() {
    auto const size = number<std::uint64_t>();
    REQUIRE(size <= raw.size() - at_);
    return raw.substr(std::exchange(at_, at_ + size), size);
  }
  Value value(std::uint32_t type) {
    if (type == 4) return number<std::uint32_t>();
    if (type == 6) return number<float>();
    if (type == 7) return number<std::uint8_t>() != 0;
    if (type == 8) return string();
    REQUIRE(type == 9);
    auto const of = number<std::uint32_t>();
    auto const count = number<std::uint64_t>();
    std::vector<std::string> strings;
    std::vector<float> floats;
    std::vector<std::int32_t> ints;
    REQUIRE((of == 5 || of == 6 || of == 8));
    for (std::uint64_t i = 0; i < count; ++i) {
      if (of == 5) ints.push_back(number<std::int32_t>());
      if (of == 6) floats.push_back(number<float>());
      if (of == 8) strings.push_back(string());
    }
    if (of == 5) return ints;
    if (of == 6) return floats;
    return strings;
  }
  std::size_t at_ = 0;
};

/// A binary16 by the formula of the standard.
double half(std::uint32_t b) {
  double const size = (b >> 10 & 31) == 0 ? std::ldexp(b & 1023, -24)
                                          : std::ldexp(1024 + (b & 1023), static_cast<int>(b >> 10 & 31) - 25);
  return b >> 15 ? -size : size;
}
std::uint16_t half_at(std::string_view bytes, std::size_t at) {
  std::uint16_t bits;
  std::memcpy(&bits, bytes.data() + at, sizeof bits);
  return bits;
}
/// The numbers of a tensor, and the greatest error that the format allows each.
struct Decoded {
  std::vector<double> values, bounds;
};
Decoded decoded(ReadTensor const& t, std::vector<float> const& original) {
  Decoded d;
  std::size_t const count = original.size();
  for (std::size_t i = 0; i < count; ++i) {
    double const x = original[i], size = std::abs(x);
    if (t.type == 0) {
      float y;
      std::memcpy(&y, t.bytes.data() + 4 * i, 4);
      d.values.push_back(y), d.bounds.push_back(0);
    } else if (t.type == 1) {
      d.values.push_back(half(half_at(t.bytes, 2 * i)));
      d.bounds.push_back(std::max(std::ldexp(size, -11), std::ldexp(1.0, -25)));
    } else if (t.type == 30) {
      std::uint32_t const bits = std::uint32_t{half_at(t.bytes, 2 * i)} << 16;
      float y;
      std::memcpy(&y, &bits, 4);
      d.values.push_back(y), d.bounds.push_back(std::ldexp(size, -8));
    } else {
      // x = q d + e, |e| <= d / 2, of an exact d; the stored one is rounded to 11 bits, at least 2^-25, and q <= 127.
      // What float arithmetic adds, three roundings of numbers up to 127 d, is less than 127 d 2^-22.
      std::size_t const block = i / 32 * 34;
      double most = 0;
      for (std::size_t j = i / 32 * 32; j < i / 32 * 32 + 32; ++j)
        most = std::max(most, std::abs(static_cast<double>(original[j])));
      auto const q = static_cast<signed char>(t.bytes[block + 2 + i % 32]);
      double const exact = most / 127, rounding = std::max(std::ldexp(exact, -11), std::ldexp(1.0, -25));
      d.values.push_back(half(half_at(t.bytes, block)) * q);
      d.bounds.push_back(exact / 2 + std::abs(q) * rounding + std::ldexp(most, -22));
    }
  }
  return d;
}
int beyond_bounds(ReadTensor const& t, std::vector<float> const& original) {
  auto const d = decoded(t, original);
  int count = 0;
  for (std::size_t i = 0; i < original.size(); ++i)
    count += !(std::abs(d.values[i] - static_cast<double>(original[i])) <= d.bounds[i]);
  return count;
}
template <class Parameter>
std::vector<float> numbers_of(Parameter const& p) {
  return std::vector<float>(p.data, p.data + p.size());
}

}  // namespace

TEST_CASE("gguf: an f32 file has every field of starcoder2, and every tensor to the bit") {
  TemporaryFolder const folder;
  auto const model = model_on_bits();
  auto const written = write_gguf(model, tokenizer_of_prose(), folder / "m.gguf", {.name = "prose"});
  Gguf const file(folder / "m.gguf");
  CHECK(written.bytes == static_cast<std::int64_t>(file.raw.size()));
  CHECK(file.get<std::string>("general.architecture") == "starcoder2");
  CHECK(file.get<std::string>("general.name") == "prose");
  std::map<std::string, std::uint32_t> const numbers{{"general.alignment", 32},
                                                     {"general.file_type", 0},
                                                     {"general.quantization_version", 2},
                                                     {"starcoder2.context_length", 24},
                                                     {"starcoder2.embedding_length", 32},
                                                     {"starcoder2.block_count", 2},
                                                     {"starcoder2.feed_forward_length", 128},
                                                     {"starcoder2.attention.head_count", 4},
                                                     {"starcoder2.attention.head_count_kv", 4},
                                                     {"starcoder2.rope.dimension_count", 8},
                                                     {"starcoder2.vocab_size", 420},
                                                     {"tokenizer.ggml.bos_token_id", 0},
                                                     {"tokenizer.ggml.eos_token_id", 1}};
  for (auto const& [key, number] : numbers) CHECK(file.get<std::uint32_t>(key) == number);
  CHECK(file.get<float>("starcoder2.attention.layer_norm_epsilon") == 1e-5F);
  CHECK(file.get<float>("starcoder2.rope.freq_base") == 10000.0F);
  for (char const* key : {"add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces"})
    CHECK(!file.get<bool>(std::string{"tokenizer.ggml."} + key));

  std::vector<std::string> names;
  for (auto const& [name, t] : file.tensors) names.push_back(name);
  CHECK(std::vector(names.begin(), names.begin() + 18) ==
        std::vector<std::string>{"token_embd.weight", "blk.0.attn_norm.weight", "blk.0.attn_norm.bias",
                                 "blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight",
                                 "blk.0.attn_q.bias", "blk.0.attn_k.bias", "blk.0.attn_v.bias",
                                 "blk.0.attn_output.weight", "blk.0.attn_output.bias", "blk.0.ffn_norm.weight",
                                 "blk.0.ffn_norm.bias", "blk.0.ffn_up.weight", "blk.0.ffn_up.bias",
                                 "blk.0.ffn_down.weight", "blk.0.ffn_down.bias", "blk.1.attn_norm.weight"});
  CHECK(std::vector(names.end() - 3, names.end()) ==
        std::vector<std::string>{"output_norm.weight", "output_norm.bias", "output.weight"});
  CHECK(file.tensor("blk.1.ffn_up.weight").sizes == std::vector<std::uint64_t>{32, 128});
  CHECK(file.tensor("blk.1.ffn_up.bias").sizes == std::vector<std::uint64_t>{128});
  CHECK(file.tensor("token_embd.weight").sizes == std::vector<std::uint64_t>{32, 420});

  auto const parameters = model.parameters();
  REQUIRE(parameters.size() == file.tensors.size());
  REQUIRE(parameters.size() == written.tensors.size());
  auto const wide = gt::substrate::lifted(gt::BinaryEmbedding::of_ids(420, {.bits = 16}), 32);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CAPTURE(parameters[i].name);
    auto const& t = file.tensors[i].second;
    float const* const expected = i == 0 ? wide.data() : parameters[i].data;
    CHECK(t.type == 0);
    CHECK(std::memcmp(t.bytes.data(), expected, t.bytes.size()) == 0);
    CHECK(written.tensors[i].name == file.tensors[i].first);
    CHECK(written.tensors[i].bytes == static_cast<std::int64_t>(t.bytes.size()));
  }
}

TEST_CASE("gguf: in fewer bits the matrices change within bounds, norms and biases not at all") {
  TemporaryFolder const folder;
  auto const model = model_on_rows();
  std::vector<std::pair<GgufType, std::uint32_t>> const types{
      {GgufType::f16, 1}, {GgufType::bf16, 32}, {GgufType::q8_0, 7}};
  std::int64_t sizes[3] = {}, *size = sizes;
  for (auto const& entry : types) {
    auto const type = entry.first;
    CAPTURE(name(type));
    auto const written = write_gguf(model, tokenizer_of_prose(), folder / "m.gguf", {.type = type});
    CHECK(written.f16_fallbacks == 0);
    *size++ = written.bytes;
    Gguf const file(folder / "m.gguf");
    CHECK(file.get<std::uint32_t>("general.file_type") == entry.second);
    auto const parameters = model.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      CAPTURE(parameters[i].name);
      auto const& t = file.tensors[i].second;
      CHECK(t.type == (parameters[i].shape.size() == 1 ? 0 : static_cast<std::uint32_t>(type)));
      CHECK(beyond_bounds(t, numbers_of(parameters[i])) == 0);
    }
  }
  CHECK(sizes[0] == sizes[1]);
  CHECK(sizes[2] < sizes[1]);
}

TEST_CASE("gguf: q8_0 of chosen blocks: zeros, one number, halves, the greatest and the least") {
  std::vector<float> numbers(32 * 6);
  auto const block = [&](std::size_t b) { return numbers.begin() + static_cast<std::ptrdiff_t>(32 * b); };
  block(1)[5] = -3;                                                                  // d = 3 / 127
  for (int i = 0; i < 32; ++i) block(2)[i] = static_cast<float>(i) / 2;              // ... of 15.5
  std::fill_n(block(3), 32, 127 * 65504.0F);                                         // the greatest d
  std::fill_n(block(4), 32, 1e-7F);                                                  // d below the least F16
  block(5)[0] = 127, block(5)[1] = 0.5F, block(5)[2] = -0.5F, block(5)[3] = 63.49F;  // d = 1: away from zero
  TemporaryFolder const folder;
  gt::GgufTensor const tensor{"x", {2, 96}, GgufType::q8_0, numbers.data()};
  gt::write_gguf_file(folder / "x.gguf", {}, {&tensor, 1});
  Gguf const file(folder / "x.gguf");
  auto const& t = file.tensor("x");
  CHECK(beyond_bounds(t, numbers) == 0);
  auto const q = [&](std::size_t b, std::size_t i) {
    return static_cast<int>(static_cast<signed char>(t.bytes[34 * b + 2 + i]));
  };
  CHECK(half_at(t.bytes, 0) == 0);
  CHECK(q(0, 0) == 0);
  CHECK(q(1, 5) == -127);
  CHECK(q(1, 4) == 0);
  CHECK(q(2, 31) == 127);
  CHECK(half(half_at(t.bytes, 34 * 3)) == 65504);
  CHECK(half_at(t.bytes, 34 * 4) == 0);
  CHECK(q(5, 0) == 127);
  CHECK(q(5, 1) == 1);
  CHECK(q(5, 2) == -1);
  CHECK(q(5, 3) == 63);
}

TEST_CASE("gguf: rows that 32 does not divide are f16 where q8_0 was asked for, and the result says so") {
  TemporaryFolder const folder;
  auto const model = model_on_rows({.d_model = 40, .heads = 2, .d_ff = 64});
  auto const written = write_gguf(model, tokenizer_of_prose(), folder / "m.gguf", {.type = GgufType::q8_0});
  CHECK(written.f16_fallbacks == 7);  // table, q, k, v, o, c_fc, head
  Gguf const file(folder / "m.gguf");
  CHECK(file.tensor("token_embd.weight").type == 1);
  CHECK(file.tensor("blk.0.ffn_down.weight").type == 8);
}

TEST_CASE("gguf: what cannot be expressed is refused with the reason, and nothing is written") {
  TemporaryFolder const folder;
  auto const error = [&](auto const& model, gt::GgufOptions const& options = {}) {
    return error_of([&] { write_gguf(model, tokenizer_of_prose(), folder / "m.gguf", options); });
  };
  CHECK(has(error(model_on_bits({.d_model = 32, .heads = 4, .gelu = gt::Gelu::erf})),
            "gt: write_gguf: llama.cpp's starcoder2 has the tanh form of GELU; make the block with gelu = Gelu::tanh"));
  CHECK(has(error(model_on_bits(1, 3, {.context = 8, .head_bias = true})), "has no bias on its head"));
  CHECK(has(error(model_on_bits({.d_model = 32, .heads = 4, .norm = gt::Norm::rms})), "Starcoder2 has LayerNorm"));
  CHECK(has(error(model_on_bits({.d_model = 32, .heads = 4, .out_bias = false})), "set qkv_bias and out_bias alike"));
  CHECK(has(error(model_on_bits(0)), "llama.cpp's models have blocks"));
  auto adapted = model_on_bits();
  adapted.attach_adapters({.rank = 2});
  CHECK(has(error(adapted), "without adapters"));
  auto const other = Tokenizer::build(gt::Corpus::from_text(gt::test::prose(600)), {.vocab_size = 421});
  CHECK(has(error_of([&] { write_gguf(model_on_bits(), other, folder / "m.gguf"); }),
            "as many tokens as the model (got 421 and 420)"));
  auto broken = model_on_bits();
  broken.head_buffer()[100] = 70000;
  CHECK(
      has(error(broken, {.type = GgufType::f16}), "every number of 'output.weight' must be finite as f16 (got 70000"));
  CHECK(error(broken, {.type = GgufType::bf16}) == "no error");
  std::filesystem::remove(folder / "m.gguf");
  broken.head_buffer()[100] = std::numeric_limits<float>::quiet_NaN();
  for (auto const type : {GgufType::f32, GgufType::f16, GgufType::bf16, GgufType::q8_0})
    CHECK(has(error(broken, {.type = type}), "'output.weight' must be finite as"));
  CHECK(folder.entries() == 0);
}

TEST_CASE("gguf: a full disk leaves the old file, and a container's mistakes have sentences") {
  TemporaryFolder const folder;
  put(folder / "m.gguf", "old");
  {
    gt::test::FileSizeLimit const limit(60'000);
    CHECK(has(error_of([&] { write_gguf(model_on_bits(), tokenizer_of_prose(), folder / "m.gguf"); }),
              "must be written completely"));
  }
  CHECK(gt::read_text_file(folder / "m.gguf") == "old");
  CHECK(folder.entries() == 1);
  CHECK(has(error_of([&] { write_gguf(model_on_bits(), tokenizer_of_prose(), folder / "none/m.gguf"); }),
            "must be in a writable folder"));

  std::vector<float> const x(33);
  auto const file_error = [&](std::vector<gt::GgufTensor> const& tensors) {
    return error_of([&] { gt::write_gguf_file(folder / "m.gguf", {}, tensors); });
  };
  CHECK(has(file_error({{"x", {33}, GgufType::q8_0, x.data()}}), "rows of whole blocks of 32 for q8_0 (got 33)"));
  CHECK(has(file_error({{"x", {1}, GgufType::f32, x.data()}, {"x", {1}, GgufType::f32, x.data()}}), "appear once"));
  CHECK(has(file_error({{"", {1}, GgufType::f32, x.data()}}), "1 to 63 bytes"));
  CHECK(has(file_error({{"x", {}, GgufType::f32, x.data()}}), "must have one to four sizes"));
  CHECK(has(file_error({{"x", {2, 0}, GgufType::f32, x.data()}}), "none of them 0"));
  gt::GgufMetadata metadata;
  metadata.add_u32("a", 1);
  CHECK(has(error_of([&] { metadata.add_text("a", "b"); }), "the key 'a' must appear once"));
  CHECK(has(error_of([&] { metadata.add_u32("c", -1); }), "c must lie in [0, 2^32) (got -1)"));
  CHECK(gt::read_text_file(folder / "m.gguf") == "old");
}

}  // namespace gguf_test
