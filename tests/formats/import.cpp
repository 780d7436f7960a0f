// SPDX-License-Identifier: MIT
// Models that others saved: Starcoder2 with fewer KV heads, without biases, tied, in shards, in 16 bits, and under
// other names.
#include "gt/formats/import.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "formats/support.hpp"
#include "gt/base/bf16.hpp"
#include "gt/cpu.hpp"
#include "gt/formats/hugging_face/folder_tokenizer.hpp"
#include "support/growth.hpp"

namespace import_test {

using gt::import_model, gt::load_model, gt::save, gt::io::TensorView;
using gt::test::bit_equal, gt::test::differences, gt::test::error_of, gt::test::has, gt::test::model_on_bits,
    gt::test::model_on_rows, gt::test::OwnTensor, gt::test::put, gt::test::rewrite_weights, gt::test::TemporaryFolder,
    gt::test::tokenizer_of_prose;

namespace {

using Tensors = std::vector<OwnTensor>;

float* numbers(OwnTensor& t) { return reinterpret_cast<float*>(t.bytes.data()); }
OwnTensor& named(Tensors& tensors, std::string const& name) {
  auto const found = std::find_if(tensors.begin(), tensors.end(), [&](auto const& t) { return t.name == name; });
  REQUIRE(found != tensors.end());
  return *found;
}
void keep_rows(OwnTensor& t, std::vector<std::int64_t> const& rows) {
  std::size_t const wide = t.bytes.size() / static_cast<std::size_t>(t.shape[0]);
  std::vector<std::byte> kept;
  for (auto const r : rows) {
    auto const begin = t.bytes.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(r) * wide);
    kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(wide));
  }
  t.bytes = kept, t.shape[0] = static_cast<std::int64_t>(rows.size());
}
/// The same folder as another program has it: without the part of gt, its config changed by `edit`.
template <class F>
void make_foreign(std::string const& folder, F const& edit) {
  auto config = gt::test::config_of(folder);
  config.erase("gt");
  edit(config);
  gt::test::put_config(folder, config);
}
/// A saved model, rewritten as by another program.
struct Foreign : TemporaryFolder {
  template <class Model, class F>
  Foreign(Model const& model, F const& edit_config) {
    save(model, tokenizer_of_prose(), path());
    rewrite_weights(path(), [](Tensors&) {});
    make_foreign(path(), edit_config);
  }
};
auto const as_it_is = [](auto&) {};

}  // namespace

TEST_CASE("import: another program's Starcoder2 stands on its own table") {
  auto const model = model_on_bits();
  Foreign const folder(model, as_it_is);
  auto const loaded = load_model(folder.path());
  CHECK(loaded.substrate_method() == "table");
  CHECK(loaded.table_width() == 32);
  CHECK(loaded.substrate_fingerprint().size() == 64);
  auto const ids = gt::test::ids_below(420, 20, 1);
  auto const logits = gt::test::logits(gt::Cpu<>(1), loaded, ids, {1, 20}),
             before = gt::test::logits(gt::Cpu<>(1), model, ids, {1, 20});
  CHECK(gt::test::close({logits.begin(), logits.end()}, {before.begin(), before.end()}, 1e-5));
  TemporaryFolder const again;  // and is one of ours once it is saved here
  save(loaded, tokenizer_of_prose(), again.path());
  CHECK(differences(load_model(again.path()), loaded).empty());
  CHECK(load_model(again.path()).substrate_fingerprint() == loaded.substrate_fingerprint());
}

TEST_CASE("import: keys and values that serve several heads are repeated") {
  auto model = model_on_rows(2);  // 4 heads of 8; let heads 0 and 1, and 2 and 3, be equal
  for (auto const& p : model.parameters()) {
    if (p.name.find("k_proj") == p.name.npos && p.name.find("v_proj") == p.name.npos) continue;
    std::int64_t const wide = p.size() / 32;
    for (std::int64_t r = 0; r < 32; ++r)
      if (r / 8 % 2 == 1) std::copy_n(p.data + (r - 8) * wide, wide, p.data + r * wide);
  }
  Foreign const folder(model, [](auto& config) { config["num_key_value_heads"] = 2; });
  rewrite_weights(folder.path(), [](Tensors& tensors) {
    for (auto& t : tensors) {
      if (t.name.find("k_proj") == t.name.npos && t.name.find("v_proj") == t.name.npos) continue;
      keep_rows(t, {0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23});
    }
  });
  CHECK(differences(load_model(folder.path()), model).empty());
  make_foreign(folder.path(), [](auto& config) { config["num_key_value_heads"] = 3; });
  CHECK(has(error_of([&] { load_model(folder.path()); }),
            "num_key_value_heads must divide num_attention_heads (got 3 and 4)"));
}

TEST_CASE("import: a tied head, no biases, a sliding window, another name of GELU") {
  auto const model = model_on_rows(1);
  Foreign const folder(model, [](auto& config) {
    config["tie_word_embeddings"] = true, config["use_bias"] = false;
    config["sliding_window"] = 16, config["hidden_act"] = "gelu_new";
  });
  rewrite_weights(folder.path(), [](Tensors& tensors) {
    std::erase_if(tensors, [](OwnTensor const& t) {
      return t.name == "lm_head.weight" || t.name.ends_with("_proj.bias") || t.name.ends_with("c_fc.bias");
    });
  });
  auto const loaded = load_model(folder.path());
  CHECK(loaded.context() == 16);
  for (auto const& p : loaded.parameters()) {
    CAPTURE(p.name);
    if (p.name == "lm_head.weight") CHECK(std::memcmp(p.data, loaded.table().data(), 420 * 32 * 4) == 0);
    if (p.name.ends_with("proj.bias") || p.name.ends_with("c_fc.bias"))
      CHECK(std::all_of(p.data, p.data + p.size(), [](float x) { return x == 0; }));
  }
  make_foreign(folder.path(), [](auto& config) { config["norm_type"] = "rms_norm"; });
  CHECK(has(error_of([&] { load_model(folder.path()); }), "norm_type must be layer_norm"));
}

TEST_CASE("import: what a configuration leaves out is Starcoder2's default") {
  auto const model = model_on_rows({.d_model = 32, .heads = 2});
  Foreign const folder(model, [](auto& config) {  // transformers 4 writes no tie_word_embeddings that is true
    for (char const* key : {"tie_word_embeddings", "num_key_value_heads", "hidden_act", "norm_epsilon", "rope_theta",
                            "use_bias", "max_position_embeddings", "rope_scaling", "sliding_window"})
      config.erase(key);
  });
  auto const all = gt::formats::read_model_config(folder.path());
  CHECK(all.tied_head);
  CHECK(all.kv_heads == 2);
  CHECK(all.biases);
  CHECK(all.block.gelu == gt::Gelu::tanh);
  CHECK(all.block.norm_eps == 1e-5);
  CHECK(all.block.rope_base == 10000);
  CHECK(all.options.context == 4096);
  CHECK(has(error_of([&] { load_model(folder.path()); }), "lm_head.weight must be the table"));
  rewrite_weights(folder.path(), [](Tensors& tensors) {  // a head that is the table says nothing else
    named(tensors, "lm_head.weight").bytes = named(tensors, "model.embed_tokens.weight").bytes;
  });
  CHECK(load_model(folder.path()).depth() == 1);
  rewrite_weights(folder.path(), [](Tensors& tensors) {
    std::erase_if(tensors, [](OwnTensor const& t) { return t.name == "lm_head.weight"; });
  });
  auto const tied = load_model(folder.path());
  CHECK(std::memcmp(tied.head_buffer().data() + 64, tied.table().data(), 420 * 32 * 4) == 0);

  auto const with = [&](char const* key, gt::Json const& value) {
    auto config = gt::test::config_of(folder.path());
    config[key] = value;
    return gt::formats::model_config_of(config, "c").block.rope_base;
  };
  CHECK(with("rope_scaling", {{"type", "default"}}) == 10000);
  CHECK(with("rope_scaling", {{"rope_type", "default"}}) == 10000);
  CHECK(with("rope_parameters", {{"rope_type", "default"}}) == 10000);
  CHECK(with("rope_parameters", {{"rope_theta", 500}}) == 500);
  CHECK(has(error_of([&] { with("rope_scaling", {{"type", "yarn"}}); }), "rope_scaling must be null"));
  CHECK(has(error_of([&] { with("partial_rotary_factor", 0.5); }), "partial_rotary_factor must be 1"));
}

TEST_CASE("import: a vocabulary that is padded to a multiple of 64 is filled up with tokens of no meaning") {
  auto const& own = tokenizer_of_prose();
  auto const whole = gt::RandomEmbedding::draw(gt::formats::with_unused_tokens(own, 448).tokens(), {.width = 32});
  gt::Transformer<> model(whole, gt::test::small, gt::seed(3), {.context = 24});
  model.append(1);
  TemporaryFolder const folder;
  save(model, gt::formats::with_unused_tokens(own, 448), folder.path());
  make_foreign(folder.path(), as_it_is);
  rewrite_weights(folder.path(), [](Tensors&) {});
  own.save(folder / "tokenizer.json");
  auto const opened = gt::ModelFolder::open(folder.path());
  auto const tokenizer = gt::load_tokenizer(opened);
  CHECK(tokenizer.size() == 448);
  CHECK(tokenizer.token(419) == own.token(419));
  CHECK(tokenizer.token(420) == "<unused_420>");
  CHECK(tokenizer.token(447) == "<unused_447>");
  CHECK(tokenizer.encode("the dark") == own.encode("the dark"));
  TemporaryFolder const again;
  save(load_model(opened), tokenizer, again.path());
  CHECK(gt::load_tokenizer(gt::ModelFolder::open(again.path())).fingerprint() == tokenizer.fingerprint());
  CHECK(gt::formats::with_unused_tokens(own, 420).fingerprint() == own.fingerprint());
  own.save(again / "tokenizer.json");
  CHECK(has(error_of([&] { gt::load_tokenizer(gt::ModelFolder::open(again.path())); }), "must come from one save"));
}

TEST_CASE("import: fp16, bf16 and fp64 become fp32, other types are refused") {
  auto const model = model_on_rows(1);
  Foreign const folder(model, as_it_is);
  auto const as = [&](char const* dtype, std::size_t size, auto const& convert) {
    rewrite_weights(folder.path(), [&](Tensors& tensors) {
      for (auto& t : tensors) {
        if (t.dtype != "F32") return;
        std::size_t const count = t.bytes.size() / 4;
        std::vector<std::byte> bytes(count * size);
        for (std::size_t i = 0; i < count; ++i) {
          auto const x = convert(numbers(t)[i]);
          static_assert(sizeof x <= 8);
          std::memcpy(bytes.data() + i * size, &x, size);
        }
        t.bytes = bytes, t.dtype = dtype;
      }
    });
  };
  SUBCASE("bf16") {
    as("BF16", 2, [](float x) { return gt::Bf16(x); });
    auto const loaded = load_model(folder.path());
    auto const saved = model.parameters(), read = loaded.parameters();
    for (std::size_t i = 0; i < saved.size(); ++i)
      for (std::int64_t j = 0; j < saved[i].size(); ++j)
        REQUIRE(read[i].data[j] == static_cast<float>(gt::Bf16(saved[i].data[j])));
  }
  SUBCASE("fp64") {
    as("F64", 8, [](float x) { return static_cast<double>(x); });
    auto const loaded = load_model(folder.path());
    for (std::size_t i = 0; i < model.parameters().size(); ++i)
      CHECK(std::memcmp(loaded.parameters()[i].data, model.parameters()[i].data,
                        static_cast<std::size_t>(4 * model.parameters()[i].size())) == 0);
  }
  SUBCASE("fp16") {
    as("F16", 2, [](float x) { return static_cast<std::uint16_t>(x > 0 ? 0x3C00 : 0xBC00); });  // 1 and -1
    auto const loaded = load_model(folder.path());
    auto const saved = model.parameters(), read = loaded.parameters();
    for (std::size_t i = 0; i < saved.size(); ++i)
      for (std::int64_t j = 0; j < saved[i].size(); ++j) REQUIRE(read[i].data[j] == (saved[i].data[j] > 0 ? 1 : -1));
  }
  SUBCASE("integers") {
    as("I32", 4, [](float) { return 7; });
    CHECK(has(error_of([&] { load_model(folder.path()); }), "model.embed_tokens.weight is of type I32, "));
  }
}

TEST_CASE("shards: as many files as the bytes ask for, one model, and no trace of what was there before") {
  auto const model = model_on_bits();
  TemporaryFolder const folder;
  save(model, tokenizer_of_prose(), folder.path());
  put(folder / "model-notes.safetensors", "somebody's");
  save(model, tokenizer_of_prose(), folder.path(), {.max_shard_bytes = 40'000});
  CHECK(!std::filesystem::exists(folder / "model.safetensors"));
  auto const index = gt::parse_json(gt::read_text_file(folder / "model.safetensors.index.json"), "index");
  std::set<std::string> files;
  for (auto const& [tensor, file] : index["weight_map"].items()) files.insert(file.string());
  CHECK(files.size() > 2);
  CHECK(index["metadata"]["total_size"] == 4 * (model.parameter_count() + 420 * 16));  // the table is lifted
  CHECK(differences(load_model(folder.path()), model).empty());

  auto const whole = gt::read_text_file(folder / "model.safetensors.index.json");
  auto const said = [&](std::string const& from, std::string const& to) {
    auto text = whole;
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
    put(folder / "model.safetensors.index.json", text);
    return error_of([&] { load_model(folder.path()); });
  };
  auto const first = *files.begin();
  CHECK(has(said(first, "../" + first), "files must be named without a folder (got '../model-00001"));
  CHECK(has(said(first, "/etc/passwd"), "files must be named without a folder (got '/etc/passwd')"));
  CHECK(has(said("\"lm_head.weight\"", "\"other\""), "must hold the tensor 'other'"));
  CHECK(has(said("\"lm_head.weight\": \"", "\"lm_head.weight\": \"no-"), "no-model-"));
  put(folder / "model.safetensors.index.json", "{\"weight_map\": {}}");
  CHECK(has(error_of([&] { load_model(folder.path()); }), "weight_map must name at least one tensor"));
  put(folder / "model.safetensors.index.json", whole);
  std::filesystem::remove(folder / first);
  CHECK(has(error_of([&] { load_model(folder.path()); }), first));

  save(model, tokenizer_of_prose(), folder.path());
  CHECK(std::filesystem::exists(folder / "model.safetensors"));
  CHECK(!std::filesystem::exists(folder / *files.rbegin()));
  CHECK(!std::filesystem::exists(folder / "model.safetensors.index.json"));
  CHECK(std::filesystem::exists(folder / "model-notes.safetensors"));
  CHECK(differences(load_model(folder.path()), model).empty());
}

TEST_CASE("shards: finding all tensors takes as long as there are tensors, in however many files") {
  auto const find = [&](int files) {
    static float const number = 1;
    std::vector<TensorView> tensors;
    for (int i = 0; i < 16 * files; ++i)
      tensors.push_back({gt::text("t", i), "F32", {1}, gt::detail::bytes_of(&number, 1)});
    TemporaryFolder const folder;
    gt::io::Staging staging(folder.path());
    gt::detail::write_shards(staging, tensors, 16 * 4, "{}");
    staging.commit();
    return [files, opened = gt::formats::TensorFiles::open(folder.path())] {
      for (int i = 0; i < 16 * files; ++i) REQUIRE(opened.find(gt::text("t", i)) != nullptr);
      REQUIRE(opened.find("t") == nullptr);
    };
  };
  CHECK(gt::test::growth_by_sixteen(find, 25) < gt::test::at_most_linear);
}

TEST_CASE("load: pickled weights are named, and not opened") {
  Foreign const folder(model_on_rows(1), as_it_is);
  std::filesystem::remove(folder / "model.safetensors");
  put(folder / "pytorch_model.bin", "x");
  CHECK(has(error_of([&] { load_model(folder.path()); }), "pytorch_model.bin is a program, and is not run"));
}

namespace {

/// Weights under names of a PyTorch module of one's own: q, k and v in one transposed matrix, everything renamed.
struct Renamed : TemporaryFolder {
  gt::Json map;
  explicit Renamed(gt::Transformer<> const& model) {
    save(model, tokenizer_of_prose(), path());
    auto config = gt::test::config_of(path());
    config.erase("gt");
    map = {{"config", config},
           {"tensors",
            {{"model.embed_tokens.weight", "table"}, {"model.layers.{l}.mlp.c_fc.weight", "blocks.{l}.up.weight"}}},
           {"ignore", {"blocks.{l}.mask", "rotary.*"}}};
    for (auto const& [part, name] : {std::pair{0, "q"}, {1, "k"}, {2, "v"}})
      map["tensors"][gt::text("model.layers.{l}.self_attn.", name, "_proj.weight")] = {
          {"name", "blocks.{l}.qkv"}, {"transposed", true}, {"part", part}, {"parts", 3}};
    rewrite_weights(path(), [&](Tensors& tensors) {
      for (int l = 0; l < model.depth(); ++l) {
        std::string const prefix = gt::text("model.layers.", l, ".");
        OwnTensor joined{gt::text("blocks.", l, ".qkv"), "F32", {32, 96}, std::vector<std::byte>(32 * 96 * 4)};
        for (std::int64_t part = 0; part < 3; ++part) {
          auto& t = named(tensors, prefix + "self_attn." + "qkv"[part] + "_proj.weight");
          for (std::int64_t r = 0; r < 32; ++r)
            for (std::int64_t k = 0; k < 32; ++k) numbers(joined)[k * 96 + 32 * part + r] = numbers(t)[r * 32 + k];
          std::erase_if(tensors, [name = t.name](auto const& each) { return each.name == name; });
        }
        tensors.push_back(joined);
        tensors.push_back({gt::text("blocks.", l, ".mask"), "BOOL", {1}, std::vector<std::byte>(1)});
        named(tensors, prefix + "mlp.c_fc.weight").name = gt::text("blocks.", l, ".up.weight");
      }
      tensors.push_back({"rotary.cos", "F32", {2}, std::vector<std::byte>(8)});
      named(tensors, "model.embed_tokens.weight").name = "table";
    });
    write();
  }
  void write() const { put(*this / "map.json", map.dump()); }
  std::string error() const {
    write();
    return error_of([&] { import_model(*this / "model.safetensors", *this / "map.json"); });
  }
};

}  // namespace

TEST_CASE("import by map: renamed, transposed and joined tensors become the model they were") {
  auto const model = model_on_rows(2);
  Renamed const folder(model);
  CHECK(differences(import_model(folder / "model.safetensors", folder / "map.json"), model).empty());
  CHECK(differences(import_model(folder / "model.safetensors", folder / "map.json"), model).empty());
}

TEST_CASE("import by map: what is missing, misshapen, of no use or misspelled is listed in one error") {
  Renamed folder(model_on_rows(2));
  auto const good = folder.map;
  auto& tensors = folder.map["tensors"];
  std::string const where =
      "gt: import '" + folder / "model.safetensors" + "': the tensors must be those of the model ";
  tensors["model.norm.weight"] = "norm";
  tensors["model.norm.bias"] = "lm_head.weight";
  tensors["model.layers.{l}.mlp.up.weight"] = "x";
  folder.map["ignore"] = {"blocks.{l}.mask"};
  CHECK(folder.error() == where +
                              "(got: norm is missing, lm_head.weight is misshapen, model.layers.{l}.mlp.up.weight of "
                              "the name map is no tensor of the model, 'model.norm.weight' is of no use, "
                              "'model.norm.bias' is of no use, 'rotary.cos' is of no use)");
  folder.map = good;
  folder.map["tensors"]["model.layers.{l}.self_attn.q_proj.weight"]["parts"] = 2;
  CHECK(has(folder.error(), "blocks.0.qkv is misshapen, blocks.1.qkv is misshapen)"));
  folder.map["tensors"]["model.layers.{l}.self_attn.q_proj.weight"]["part"] = 2;
  CHECK(has(folder.error(), "part must lie in 0 ... parts - 1, and parts in 1 ... 64 (got 2 and 2)"));
  folder.map = good;
  folder.map.erase("config");
  CHECK(has(folder.error(), "key 'config' must be present"));
  folder.map = good;
  folder.map["names"] = 1;
  CHECK(has(folder.error(), "a name map has tensors, ignore and config (got 'names')"));
  folder.map = good;
  folder.map["config"]["hidden_size"] = 64;
  CHECK(has(folder.error(), "is misshapen"));
}

}  // namespace import_test
