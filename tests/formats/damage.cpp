// SPDX-License-Identifier: MIT
// Model folders that are damaged, incomplete or of another shape: each is one clear error, and none loads in part.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/support.hpp"
#include "gt/compose/ensemble.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/formats/hugging_face/weights.hpp"

namespace damage_test {

using gt::load_model, gt::formats::read_model_config, gt::save;
using gt::test::config_of, gt::test::error_of, gt::test::has, gt::test::model_on_bits, gt::test::OwnTensor,
    gt::test::put, gt::test::put_config, gt::test::rewrite_weights, gt::test::TemporaryFolder,
    gt::test::tokenizer_of_prose;

namespace {

/// A folder with a model of two blocks.
struct Saved {
  Saved() { save(model_on_bits(), tokenizer_of_prose(), folder.path()); }
  std::string const& path() const { return folder.path(); }
  std::string weights() const { return folder / "model.safetensors"; }
  std::string error() const {
    return error_of([&] { load_model(path()); });
  }
  TemporaryFolder folder;
};

/// As if config.json were part of no save: then it is the tensors that must fit.
void forget_the_save(Saved const& saved) {
  rewrite_weights(saved.path(), [](auto&) {});
}
OwnTensor& named(std::vector<OwnTensor>& tensors, std::string_view name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](auto const& t) { return t.name == name; });
}

/// A value that a field of config.json must not have, and what the error says.
struct BadField {
  std::string_view path;  // "gt/substrate/width"
  std::string_view json;  // "" removes the field
  std::string_view says;
};
constexpr std::string_view integer = "must be an integer", present = "must be present";
BadField const bad_fields[] = {
    {"model_type", "\"llama\"", "model_type must be starcoder2"},
    {"model_type", "5", "key 'model_type' must be a string (got 5)"},
    {"model_type", "", present},
    {"hidden_size", "\"32\"", integer},
    {"hidden_size", "32.5", integer},
    {"hidden_size", "1e30", integer},
    {"hidden_size", "null", integer},
    {"hidden_size", "[32]", integer},
    {"hidden_size", "18446744073709551615", integer},
    {"hidden_size", "-32", "hidden_size must lie in 1 ... 65536 (got -32)"},
    {"hidden_size", "0", "hidden_size must lie in 1 ... 65536 (got 0)"},
    {"hidden_size", "9223372036854775807", "hidden_size must lie in 1 ... 65536"},
    {"hidden_size", "33", "num_attention_heads must cut hidden_size"},
    {"hidden_size", "", present},
    {"num_attention_heads", "3", "gt needs as many KV heads as heads"},
    {"num_attention_heads", "32", "gt needs as many KV heads as heads"},
    {"num_attention_heads", "-4", "num_attention_heads must lie in 1 ... 65536 (got -4)"},
    {"num_attention_heads", "65537", "num_attention_heads must lie in 1 ... 65536 (got 65537)"},
    {"num_key_value_heads", "2", "gt needs as many KV heads as heads"},
    {"num_key_value_heads", "", present},
    {"intermediate_size", "0", "intermediate_size must lie in 1 ... 1048576 (got 0)"},
    {"intermediate_size", "2000000", "intermediate_size must lie in 1 ... 1048576 (got 2000000)"},
    {"num_hidden_layers", "-1", "num_hidden_layers must lie in 0 ... 4096 (got -1)"},
    {"num_hidden_layers", "4097", "num_hidden_layers must lie in 0 ... 4096 (got 4097)"},
    {"num_hidden_layers", "true", integer},
    {"max_position_embeddings", "0", "max_position_embeddings must lie in 1 ... 16777216 (got 0)"},
    {"max_position_embeddings", "16777217", "max_position_embeddings must lie in 1 ... 16777216 (got 16777217)"},
    {"max_position_embeddings", "2097153",
     "max_position_embeddings times the width of a head must be at most 16777216 (got 2097153 times 8)"},
    {"vocab_size", "-3", "vocab_size must lie in 1 ... 268435456 (got -3)"},
    {"vocab_size", "268435457", "vocab_size must lie in 1 ... 268435456 (got 268435457)"},
    {"norm_epsilon", "0", "norm_epsilon"},
    {"norm_epsilon", "-1e-5", "norm_epsilon"},
    {"norm_epsilon", "1", "norm_epsilon"},
    {"norm_epsilon", "\"small\"", "key 'norm_epsilon' must be a number"},
    {"rope_theta", "1", "rope_theta"},
    {"rope_theta", "-10000", "rope_theta"},
    {"rope_theta", "", present},
    {"sliding_window", "4096", "sliding_window must be null"},
    {"rope_scaling", "{\"type\": \"linear\", \"factor\": 2.0}", "rope_scaling must be null"},
    {"rope_parameters", "{\"rope_type\": \"yarn\", \"rope_theta\": 1e4}", "rope_type must be default"},
    {"rope_parameters", "{\"rope_type\": \"default\", \"rope_theta\": 1e4, \"partial_rotary_factor\": 0.5}",
     "partial_rotary_factor must be 1"},
    {"partial_rotary_factor", "0.25", "partial_rotary_factor must be 1"},
    {"rope_parameters", "{\"rope_type\": \"default\", \"rope_theta\": 0}", "rope_theta must be sane"},
    {"rope_parameters", "{\"rope_type\": \"default\"}", "key 'rope_theta' must be present"},
    {"rope_parameters", "10000", "must be a JSON object"},
    {"tie_word_embeddings", "true", "the head must not be tied to the embedding"},
    {"tie_word_embeddings", "\"no\"", "key 'tie_word_embeddings' must be true or false"},
    {"tie_word_embeddings", "", present},  // Starcoder2's default ties it
    {"use_bias", "false", "use_bias must be true"},
    {"hidden_act", "\"silu\"", "hidden_act must be gelu_pytorch_tanh or gelu"},
    {"gt", "3", "must be a JSON object"},
    {"gt", "{}", present},
    {"gt/format", "3", "this version of gt reads formats 1 and 2 (got 3)"},
    {"gt/format", "0", "this version of gt reads formats 1 and 2 (got 0)"},
    {"gt/tokenizer", "null", "key 'tokenizer' must be a string"},
    {"gt/substrate", "", present},
    {"gt/substrate", "\"glyph\"", "must be a JSON object"},
    {"gt/substrate/method", "1", "key 'method' must be a string"},
    {"gt/substrate/fingerprint", "", present},
    {"gt/substrate/rows_sha256", "", present},
    {"gt/substrate/rows_sha256", "1", "key 'rows_sha256' must be a string"},
    {"gt/substrate/width", "0", "the substrate's width must divide hidden_size (got 0)"},
    {"gt/substrate/width", "-16", "the substrate's width must divide hidden_size (got -16)"},
    {"gt/substrate/width", "5", "the substrate's width must divide hidden_size (got 5)"},
    {"gt/substrate/width", "1099511627776", "the substrate's width must divide hidden_size (got 1099511627776)"},
};

}  // namespace

TEST_CASE("load_model: a bit flipped anywhere in the weights is an error that names the file") {
  Saved const saved;
  auto const good = gt::read_text_file(saved.weights());
  std::size_t header = 0;
  for (std::size_t i = 8; i-- > 0;) header = header << 8 | static_cast<unsigned char>(good[i]);
  gt::Random const random(gt::seed(1), gt::Purpose::test);
  for (std::size_t i = 0; i < 64; ++i) {
    // Eight in the length of the header, 28 in the header, 28 in the tensors.
    std::size_t const begin = i < 8 ? i : i < 36 ? 8 : 8 + header;
    std::size_t const end = i < 8 ? i + 1 : i < 36 ? 8 + header : good.size();
    std::size_t const at = begin + random.below(end - begin, 2 * i), bit = random.below(8, 2 * i + 1);
    CAPTURE(at);
    CAPTURE(bit);
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
    put(saved.weights(), bad);
    CHECK(has(saved.error(), "gt: safetensors '" + saved.weights() + "'"));
  }
  put(saved.weights(), good);
  CHECK(saved.error() == "no error");
}

TEST_CASE("load_model: weights that are cut off anywhere are an error that names the file") {
  Saved const saved;
  auto const good = gt::read_text_file(saved.weights());
  for (std::size_t i = 0; i < 64; ++i) {
    std::size_t const size = i < 16 ? i : i == 16 ? good.size() - 1 : good.size() * (i - 16) / 48;
    CAPTURE(size);
    put(saved.weights(), std::string_view(good).substr(0, size));
    CHECK(has(saved.error(), "gt: safetensors '" + saved.weights() + "'"));
  }
  put(saved.weights(), good + '\0');
  CHECK(has(saved.error(), "must cover the file (got 1 bytes after the last one)"));
  put(saved.weights(), good);
  CHECK(saved.error() == "no error");
}

TEST_CASE("load_model: files that are missing or no files are named") {
  Saved const saved;
  std::filesystem::remove(saved.weights());
  CHECK(has(saved.error(), "'" + saved.weights() + "' must be a readable file (got: No such file or directory)"));
  std::filesystem::create_directory(saved.weights());
  CHECK(has(saved.error(), "'" + saved.weights() + "' must be a readable file (got: Is a directory)"));
  std::filesystem::remove(saved.folder / "config.json");
  CHECK(has(saved.error(), "config.json' must be a readable file (got: No such file or directory)"));
  CHECK(has(error_of([] { load_model("/no/such/folder"); }), "'/no/such/folder/config.json'"));
}

TEST_CASE("load_model: files of two saves do not mix") {
  Saved const saved;
  TemporaryFolder const other;
  save(model_on_bits(2, 4), tokenizer_of_prose(), other.path());
  std::filesystem::copy_file(other / "config.json", saved.folder / "config.json",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(saved.error() == "gt: load '" + saved.path() + "': model.safetensors and config.json must come from one save");
  std::filesystem::copy_file(other / "model.safetensors", saved.weights(),
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(saved.error() == "no error");
  auto config = config_of(saved.path());
  config["use_cache"] = false;  // even where it changes nothing
  put_config(saved.path(), config);
  CHECK(has(saved.error(), "must come from one save"));
}

TEST_CASE("load_model: weights that another program wrote again are taken as they are") {
  Saved const saved;
  auto const before = load_model(saved.path());
  rewrite_weights(saved.path(), [](auto& tensors) { std::reverse(tensors.begin(), tensors.end()); });
  CHECK(gt::test::differences(before, load_model(saved.path())) == std::vector<std::string>{});
}

TEST_CASE("load_model: a list of missing tensors ends before it is a book") {
  Saved const saved;
  forget_the_save(saved);
  auto config = config_of(saved.path());
  config["num_hidden_layers"] = 4096;
  put_config(saved.path(), config);
  std::string const error = saved.error();
  CHECK(has(error, "model.layers.2.mlp.c_fc.bias is missing, "));
  CHECK(has(error, "and 65404 more)"));  // 4,094 blocks of 16, less a hundred
  CHECK(error.size() < 10'000);
}

TEST_CASE("load_model: missing, surplus and misshapen tensors are all listed") {
  Saved const saved;
  std::string const where = "gt: load '" + saved.path() + "': the tensors must be those of the model (got: ";
  SUBCASE("missing") {
    rewrite_weights(saved.path(), [](auto& tensors) {
      std::erase_if(tensors, [](auto const& t) {
        return t.name == "lm_head.weight" || t.name == "model.layers.1.mlp.c_fc.bias" ||
               t.name == "model.embed_tokens.weight";
      });
    });
    CHECK(saved.error() == where +
                               "model.embed_tokens.weight is missing, model.layers.1.mlp.c_fc.bias is missing, "
                               "lm_head.weight is missing)");
  }
  SUBCASE("surplus") {
    rewrite_weights(saved.path(), [](auto& tensors) {
      tensors.push_back({"lm_head.bias", "F32", {1}, std::vector<std::byte>(4)});
      tensors.push_back({"model.layers.2.mlp.c_fc.bias", "F32", {1}, std::vector<std::byte>(4)});
    });
    CHECK(saved.error() == where + "'lm_head.bias' is of no use, 'model.layers.2.mlp.c_fc.bias' is of no use)");
  }
  SUBCASE("misshapen") {
    rewrite_weights(saved.path(), [](auto& tensors) {
      named(tensors, "model.layers.0.mlp.c_fc.weight").shape = {32, 128};
      named(tensors, "model.norm.bias").shape = {32, 1};
      named(tensors, "model.norm.weight").dtype = "I32";
      named(tensors, "lm_head.weight").shape = {32, 420};
    });
    CHECK(saved.error() == where +
                               "model.layers.0.mlp.c_fc.weight is misshapen, model.norm.weight is of type I32, "
                               "model.norm.bias is misshapen, lm_head.weight is misshapen)");
  }
  SUBCASE("renamed") {
    rewrite_weights(saved.path(), [](auto& tensors) { named(tensors, "model.norm.bias").name = "model.norm.beta"; });
    CHECK(saved.error() == where + "model.norm.bias is missing, 'model.norm.beta' is of no use)");
  }
}

TEST_CASE("load_model and save: weights that are not finite are refused by their names") {
  Saved const saved;
  auto const spoil = [&](std::string_view name, std::string_view dtype, auto bits) {
    rewrite_weights(saved.path(), [&](auto& tensors) {
      auto& tensor = named(tensors, name);
      std::size_t const numbers = tensor.bytes.size() / (tensor.dtype == "F32" ? 4 : tensor.dtype == "F64" ? 8 : 2);
      tensor.dtype = dtype;
      tensor.bytes.assign(numbers * sizeof bits, std::byte{0});
      std::memcpy(tensor.bytes.data() + tensor.bytes.size() - sizeof bits, &bits, sizeof bits);
    });
    return saved.error();
  };
  std::string const said = " holds numbers that are not finite)", norm = "model.norm.weight";
  CHECK(has(spoil(norm, "F32", std::uint32_t{0x7FC00000}), norm + said));          // NaN
  CHECK(has(spoil(norm, "F32", std::uint32_t{0xFF800000}), norm + said));          // -inf
  CHECK(has(spoil(norm, "F16", std::uint16_t{0x7C00}), norm + said));              // inf
  CHECK(has(spoil(norm, "BF16", std::uint16_t{0x7F80}), norm + said));             // inf
  CHECK(has(spoil(norm, "F64", std::uint64_t{0x7E37E43C8800759C}), norm + said));  // 1e300, too great for fp32
  CHECK(spoil(norm, "F32", std::uint32_t{0x7F7FFFFF}) == "no error");              // the greatest
  CHECK(has(spoil("model.embed_tokens.weight", "F32", std::uint32_t{0x7FC00000}), "model.embed_tokens.weight" + said));

  gt::test::TemporaryFolder const other;
  auto model = model_on_bits();
  model.unshare();
  save(model, tokenizer_of_prose(), other.path());
  gt::save_weights(model, other / "weights.safetensors");
  for (auto const& p : model.parameters())
    if (p.name == norm) p.data[3] = HUGE_VALF;
  CHECK(error_of([&] {
          save(model, tokenizer_of_prose(), other.path());
        }).starts_with("gt: save: the weights must be finite (got others in model.norm.weight; "));
  CHECK(has(error_of([&] { gt::save_weights(model, other / "weights.safetensors"); }), "(got others in " + norm));
  CHECK(load_model(other.path()).depth() == 2);  // what was good is still there
  gt::load_weights(model, other / "weights.safetensors");
}

TEST_CASE("load_model: a config.json of another shape than the weights is an error that lists what does not fit") {
  Saved const saved;
  forget_the_save(saved);
  auto const good = config_of(saved.path());
  CHECK(saved.error() == "no error");
  auto const error_with = [&](char const* key, int value) {
    auto config = good;
    config[key] = value;
    put_config(saved.path(), config);
    return saved.error();
  };
  CHECK(has(error_with("num_hidden_layers", 3), "model.layers.2.mlp.c_proj.bias is missing)"));
  CHECK(has(error_with("num_hidden_layers", 1), "'model.layers.1.mlp.c_proj.bias' is of no use)"));
  CHECK(
      has(error_with("vocab_size", 421), "(got: model.embed_tokens.weight is misshapen, lm_head.weight is misshapen)"));
  CHECK(has(error_with("intermediate_size", 64), "(got: model.layers.0.mlp.c_fc.weight is misshapen, "));
}

TEST_CASE("load_model: a table that another program changed is a table of its own") {
  Saved const saved;
  auto const before = load_model(saved.path());
  auto const change = [&](int format, std::size_t number, float more) {
    save(model_on_bits(), tokenizer_of_prose(), saved.path());
    rewrite_weights(saved.path(), [&](auto& tensors) {
      auto* const at = named(tensors, "model.embed_tokens.weight").bytes.data() + 4 * number;
      float x;
      std::memcpy(&x, at, 4);
      x += more;
      std::memcpy(at, &x, 4);
    });
    auto config = config_of(saved.path());
    config["gt"]["format"] = format;
    put_config(saved.path(), config);
    auto const folder = gt::ModelFolder::open(saved.path());
    auto model = load_model(folder);
    CHECK(gt::formats::table_note(folder, model).empty() == (model.substrate_method() == "binary"));
    return model;
  };
  CHECK(change(2, 0, 0).substrate_fingerprint() == before.substrate_fingerprint());
  CHECK(change(1, 0, 0).substrate_fingerprint() == before.substrate_fingerprint());
  // Two equal numbers together are still a lift, which format 1 cannot tell; one of them is none.
  auto const changed = change(2, 32 * 5 + 1, 0.5F), other = change(2, 32 * 5 + 1, 0.25F), old = change(1, 1, 0.5F);
  for (auto const* model : {&changed, &other, &old}) {
    CHECK(model->substrate_method() == "table");
    CHECK(model->table_width() == 32);
    CHECK(model->substrate_fingerprint() != before.substrate_fingerprint());
  }
  CHECK(changed.substrate_fingerprint() != other.substrate_fingerprint());
  CHECK(changed.table()(5, 1) == before.table()(5, 0) + 0.5F);
  CHECK(changed.table()(5, 0) == before.table()(5, 0));

  rewrite_weights(saved.path(), [&](auto& tensors) {  // all numbers, as often as they stand there
    auto& t = named(tensors, "model.embed_tokens.weight");
    for (std::size_t i = 0; i < t.bytes.size(); i += 4) {
      float x;
      std::memcpy(&x, t.bytes.data() + i, 4);
      x = x + 0.5F;
      std::memcpy(t.bytes.data() + i, &x, 4);
    }
  });
  save(model_on_bits(), tokenizer_of_prose(), saved.folder / "frozen");
  auto config = config_of(saved.path());
  config["gt"]["format"] = 2;
  put_config(saved.path(), config);
  auto const folder = gt::ModelFolder::open(saved.path());
  auto const lifted = load_model(folder);
  CHECK(lifted.substrate_method() == "table");
  CHECK(has(gt::formats::table_note(folder, lifted), "'" + saved.path() + "' are not the frozen ones that were saved"));
  std::vector<gt::Expert<gt::Transformer<>>> const experts{{lifted, "a"}, {load_model(saved.folder / "frozen"), "b"}};
  CHECK(has(error_of([&] { gt::Ensemble<gt::Transformer<>>{experts}; }), "substrate"));

  save(lifted, tokenizer_of_prose(), saved.folder / "again");  // and stays what it is
  CHECK(load_model(saved.folder / "again").substrate_fingerprint() == lifted.substrate_fingerprint());
}

TEST_CASE("read_model_config: a malformed field is an error that names the file and says what must hold") {
  Saved const saved;
  forget_the_save(saved);
  auto const good = config_of(saved.path());
  for (auto const& bad : bad_fields) {
    CAPTURE(bad.path);
    CAPTURE(bad.json);
    auto config = good;
    gt::Json* field = &config;
    std::string_view path = bad.path;
    for (std::size_t end; (end = path.find('/')) != path.npos; path.remove_prefix(end + 1))
      field = &(*field)[path.substr(0, end)];
    if (bad.json.empty()) {
      CHECK(field->erase(path));
    } else {
      (*field)[path] = gt::parse_json(bad.json, "bad field");
    }
    put_config(saved.path(), config);
    auto const error = error_of([&] { read_model_config(saved.path()); });
    CHECK(has(error, "gt: load '" + saved.path() + "/config.json': "));
    CHECK(has(error, bad.says));
    CHECK(saved.error() == error);
  }
}

TEST_CASE("read_model_config: rope_theta is found where transformers 5 keeps it") {
  Saved const saved;
  auto config = config_of(saved.path());
  config.erase("rope_theta");
  config["rope_parameters"]["rope_type"] = "default";
  config["rope_parameters"]["rope_theta"] = 5e5;
  put_config(saved.path(), config);
  CHECK(read_model_config(saved.path()).block.rope_base == 5e5);
}

TEST_CASE("read_model_config: what is no JSON object is an error that names the file") {
  Saved const saved;
  for (std::string_view const text : {"", "{", "[]", "null", "\"starcoder2\"", "{}", "{\"model_type\": \"starcoder2\"}",
                                      "{\"hidden_size\": 1e999}", "{\"a\": 1, \"a\": 2}", "\xFF\xFE"}) {
    CAPTURE(text);
    put(saved.folder / "config.json", text);
    CHECK(has(saved.error(), "gt: load '" + saved.path() + "/config.json'"));
  }
}

}  // namespace damage_test
