// SPDX-License-Identifier: MIT
// Safetensors: round trips, every kind of malformed file with its message, and every truncation and changed bit.
#include "gt/io/safetensors.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/io/text_file.hpp"
#include "support.hpp"

namespace safetensors_test {

using gt::io::Safetensors, gt::io::TensorView, gt::io::write_safetensors;
using gt::test::error_of, gt::test::has, gt::test::put, gt::test::TemporaryFolder;
using Metadata = std::map<std::string, std::string>;

namespace {

std::span<std::byte const> bytes_of(auto const& numbers) { return std::as_bytes(std::span{numbers}); }

std::string text_of(std::span<std::byte const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// The bytes of a file with this header and data.
std::string file_with(std::string const& header, std::string const& data) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> 8 * i & 0xff);
  return file + header + data;
}

/// A header of tensor "x" alone, padded so that the data are aligned.
std::string padded(std::string header) {
  while (header.size() % 8 != 0) header += ' ';
  return header;
}

struct Fixture {
  TemporaryFolder folder;
  std::string path = folder / "model.safetensors";
  std::array<float, 6> weights{1, -2, 3.5f, 0, 1e-30f, 6};
  std::array<std::int64_t, 1> scalar{-7};
  std::array<std::uint8_t, 3> odd{1, 2, 255};
  std::vector<TensorView> tensors{{"odd", "U8", {3}, bytes_of(odd)},
                                  {"block.0.weight", "F32", {2, 3}, bytes_of(weights)},
                                  {"empty", "BF16", {0, 4}, {}},
                                  {"n\"é", "I64", {}, bytes_of(scalar)}};
  Metadata metadata{{"format", "gt"}, {"note", "two\nlines"}};

  /// What `open` says of a file with these bytes.
  std::string open_error(std::string const& bytes) const {
    put(path, bytes);
    return error_of([&] { Safetensors::open(path); });
  }
  std::string message(std::string_view of) const { return gt::text("gt: safetensors '", path, "'", of); }
  /// What `open` says of tensor x with these fields over `size` bytes of data.
  std::string entry_error(std::string const& fields, std::size_t size) const {
    return open_error(file_with(padded("{\"x\":{" + fields + "}}"), std::string(size, '\1')));
  }
};

bool same(Safetensors const& file, std::span<TensorView const> tensors, Metadata const& metadata) {
  auto const equal = [](TensorView const& a, TensorView const& b) {
    return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape && text_of(a.bytes) == text_of(b.bytes);
  };
  return std::equal(file.tensors().begin(), file.tensors().end(), tensors.begin(), tensors.end(), equal) &&
         file.metadata() == metadata;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "safetensors: a round trip keeps order, shapes, bytes and metadata") {
  write_safetensors(path, tensors, metadata);
  auto const file = Safetensors::open(path);
  CHECK(same(file, tensors, metadata));
  CHECK(file.verified());
  REQUIRE(file.find("block.0.weight") != nullptr);
  CHECK(file.find("block.0.weight")->shape == std::vector<std::int64_t>{2, 3});
  CHECK(file.find("block.0") == nullptr);
  CHECK(file.find("zzz") == nullptr);
  CHECK(folder.entries() == 1);

  auto const raw = gt::read_text_file(path);
  CHECK((8 + static_cast<unsigned char>(raw[0]) + 256 * static_cast<unsigned char>(raw[1])) % 64 == 0);
  for (auto const& tensor : file.tensors())  // in memory too: elements of 8 bytes first
    CHECK((tensor.bytes.data() - file.file()->bytes().data()) % gt::io::dtype_bytes(tensor.dtype) == 0);

  auto const unread = Safetensors::open(path, {.verify = false});
  CHECK(same(unread, tensors, metadata));
  CHECK(!unread.verified());
  write_safetensors(path, file.tensors(), file.metadata());  // over the file that is mapped
  CHECK(gt::read_text_file(path) == raw);
}

TEST_CASE_FIXTURE(Fixture, "safetensors: views live as long as the mapping, and copies share it") {
  write_safetensors(path, tensors);
  std::shared_ptr<gt::io::MappedFile const> kept;
  TensorView view;
  {
    auto const copy = Safetensors(Safetensors::open(path));
    view = *copy.find("odd");
    kept = copy.file();
  }
  CHECK(text_of(view.bytes) == "\1\2\xff");
}

TEST_CASE_FIXTURE(Fixture, "safetensors: no tensors, and files of other writers without checksums or padding") {
  write_safetensors(path, {});
  CHECK(Safetensors::open(path).tensors().empty());
  CHECK(open_error(file_with("{}", "")) == "no error");
  CHECK(!Safetensors::open(path).verified());
  put(path,
      file_with(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[1,2],"data_offsets":[0,2]}})", "hi"));
  auto const file = Safetensors::open(path);
  CHECK(text_of(file.find("a")->bytes) == "hi");
  CHECK(file.metadata() == Metadata{{"format", "pt"}});
}

TEST_CASE_FIXTURE(Fixture, "safetensors: every dtype has its size") {
  Metadata const sizes{{"F64", "8"}, {"F32", "4"}, {"F16", "2"}, {"BF16", "2"}, {"I64", "8"},
                       {"I32", "4"}, {"I16", "2"}, {"I8", "1"},  {"U8", "1"},   {"U16", "2"},
                       {"U32", "4"}, {"U64", "8"}, {"BOOL", "1"}};
  std::array<std::uint64_t, 2> const zeros{};
  std::vector<TensorView> all;
  for (auto const& [dtype, size] : sizes) {
    CHECK(gt::io::dtype_bytes(dtype) == std::stoi(size));
    all.push_back({dtype, dtype, {2}, bytes_of(zeros).first(2 * static_cast<std::size_t>(std::stoi(size)))});
  }
  write_safetensors(path, all);
  CHECK(same(Safetensors::open(path), all, {}));
  CHECK(gt::io::dtype_bytes("F8") == 0);
}

TEST_CASE_FIXTURE(Fixture, "safetensors: headers that are no header") {
  CHECK(error_of([&] { Safetensors::open(folder / "missing"); }) ==
        "gt: MappedFile: '" + folder / "missing" + "' must be a readable file (got: No such file or directory)");
  CHECK(open_error("") == message(": file must start with 8 bytes of header length (got 0 bytes)"));
  CHECK(open_error("\x10\0\0") == message(": file must start with 8 bytes of header length (got 1 bytes)"));
  CHECK(open_error(file_with(std::string(20, ' '), "").substr(0, 18)) ==
        message(": header must fit the file (got a header of 20 bytes in a file of 18); is it cut off?"));
  CHECK(open_error(std::string(8, '\xff')) ==
        message(": header must be at most 100000000 bytes (got 18446744073709551615); is this a safetensors file?"));
  CHECK(open_error(file_with("", "")) == message(": header must start with '{'; is this a safetensors file?"));
  CHECK(open_error(file_with("[1]", "")) == message(": header must start with '{'; is this a safetensors file?"));
  CHECK(open_error(file_with("{\"a\":}", "")) ==
        message(": header: text must be valid JSON (got '}' at line 1, column 6)"));
  CHECK(has(open_error(file_with("{}x", "")), ": header: text must be valid JSON"));
  std::string deep = "{\"a\":";
  deep.append(1'000'000, '[');
  CHECK(has(open_error(file_with(deep, "")), ": header: JSON must nest at most 64 deep"));
  CHECK(has(open_error(file_with(R"({"__metadata__":{"a":1}})", "")), "must be a string (got 1)"));
  CHECK(has(open_error(file_with(R"({"__metadata__":[]})", "")), "must be an object (got array)"));
  auto const x = std::string{R"("x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})"};
  CHECK(open_error(file_with("{" + x + "," + x + "}", "a")) ==
        message(": header: key 'x' must appear once in its JSON object"));
}

TEST_CASE_FIXTURE(Fixture, "safetensors: entries that lack a field or have another type") {
  CHECK(open_error(file_with(R"({"x":1})", "")) == message(": tensor 'x': must be a JSON object (got number)"));
  CHECK(entry_error(R"("shape":[1],"data_offsets":[0,1])", 1) ==
        message(": tensor 'x': key 'dtype' must be present and a string"));
  CHECK(entry_error(R"("dtype":"U8","data_offsets":[0,1])", 1) ==
        message(": tensor 'x': key 'shape' must be present and an array"));
  CHECK(entry_error(R"("dtype":"U8","shape":[1])", 1) ==
        message(": tensor 'x': key 'data_offsets' must be present and an array"));
  CHECK(entry_error(R"("dtype":8,"shape":[1],"data_offsets":[0,1])", 1) ==
        message(": tensor 'x': key 'dtype' must be a string (got 8)"));
  CHECK(has(entry_error(R"("dtype":"U8","shape":[1.0],"data_offsets":[0,1])", 1), "key 'shape'[0] must be an integer"));
  CHECK(has(entry_error(R"("dtype":"U8","shape":1,"data_offsets":[0,1])", 1), "key 'shape' must be an array (got 1)"));
  CHECK(entry_error(R"("dtype":"F31","shape":[1],"data_offsets":[0,1])", 1) ==
        message(": tensor 'x': dtype must be F64, F32, F16, BF16, I64 to I8, U64 to U8 or BOOL (got 'F31')"));
  CHECK(entry_error(R"("dtype":"U8","shape":[1],"data_offsets":[0])", 1) ==
        message(": tensor 'x': data_offsets must be two numbers (got 1)"));
  CHECK(has(entry_error(R"("dtype":"U8","shape":[1],"data_offsets":[-1,1])", 1),
            "key 'data_offsets'[0] must be an integer from 0 to 18446744073709551615 (got -1)"));
}

TEST_CASE_FIXTURE(Fixture, "safetensors: shapes and offsets that cannot be") {
  CHECK(entry_error(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])", 1) ==
        message(": tensor 'x': shape must not be negative (got [-1])"));
  for (auto const* shape : {"[4294967296, 4294967296]", "[9223372036854775807]", "[4611686018427387904, 2, 0]",
                            "[0, 4611686018427387904, 4]"}) {
    CAPTURE(shape);
    CHECK(entry_error(gt::text(R"("dtype":"F32","data_offsets":[0,0],"shape":)", shape), 0) ==
          message(gt::text(": tensor 'x': shape must have fewer than 2^63 bytes (got ", shape, ")")));
  }
  CHECK(has(entry_error(R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1])", 1),
            "key 'shape'[0] must be an integer"));
  CHECK(entry_error(R"("dtype":"U8","shape":[2],"data_offsets":[0,2])", 1) ==
        message(": tensor 'x': data_offsets must be in order and within the 1 bytes of data (got 0 to 2)"));
  CHECK(has(entry_error(R"("dtype":"U8","shape":[1],"data_offsets":[1,0])", 1), "must be in order"));
  CHECK(has(entry_error(R"("dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,18446744073709551615])", 1),
            "must be in order and within"));
  CHECK(entry_error(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 4) ==
        message(": tensor 'x': data must be 8 bytes for F32 [2] (got 4)"));
  CHECK(entry_error(R"("dtype":"F32","shape":[2,0],"data_offsets":[0,4])", 4) ==
        message(": tensor 'x': data must be 0 bytes for F32 [2, 0] (got 4)"));
  CHECK(entry_error(R"("dtype":"F32","shape":[],"data_offsets":[0,4])", 4) == "no error");
}

TEST_CASE_FIXTURE(Fixture, "safetensors: data that overlap or leave holes") {
  auto const two = [&](std::string const& a, std::string const& b, std::size_t size) {
    return open_error(file_with(padded(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + a +
                                       R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + b + "}}"),
                                std::string(size, '\1')));
  };
  CHECK(two("[0,2]", "[2,4]", 4) == "no error");
  CHECK(two("[2,4]", "[0,2]", 4) == "no error");
  CHECK(two("[0,2]", "[1,3]", 3) == message(": tensor 'b': data must not overlap another tensor's (got 1 bytes)"));
  CHECK(two("[0,2]", "[0,2]", 2) == message(": tensor 'b': data must not overlap another tensor's (got 2 bytes)"));
  CHECK(two("[3,5]", "[0,2]", 5) == message(": tensor 'a': data must leave no hole before it (got 1 bytes)"));
  CHECK(two("[1,3]", "[3,5]", 5) == message(": tensor 'a': data must leave no hole before it (got 1 bytes)"));
  CHECK(two("[0,2]", "[2,4]", 7) == message(": tensors must cover the file (got 3 bytes after the last one)"));
  CHECK(open_error(file_with("{}", "x")) == message(": tensors must cover the file (got 1 bytes after the last one)"));

  auto const misaligned = padded(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                 R"("b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})");
  CHECK(open_error(file_with(misaligned, std::string(5, '\1'))) == "no error");  // nothing asks for an alignment
}

TEST_CASE_FIXTURE(Fixture, "write_safetensors: refuses what it could not read, and keeps the old file") {
  write_safetensors(path, tensors, metadata);
  auto const before = gt::read_text_file(path);
  auto const refuses = [&](std::vector<TensorView> const& wrong, Metadata const& entries = {}) {
    auto error = error_of([&] { write_safetensors(path, wrong, entries); });
    CHECK(gt::read_text_file(path) == before);
    CHECK(folder.entries() == 1);
    return error;
  };
  auto const where = "gt: write_safetensors '" + path + "': ";
  CHECK(refuses({tensors[0], tensors[1], tensors[0]}) == where + "tensor 'odd': name must appear once");
  CHECK(refuses({{"__metadata__", "U8", {0}, {}}}) == where + "tensor '__metadata__': name must not be reserved");
  CHECK(refuses({{"x", "U8", {4}, bytes_of(odd)}}) == where + "tensor 'x': data must be 4 bytes for U8 [4] (got 3)");
  CHECK(has(refuses({{"x", "f32", {0}, {}}}), "(got 'f32')"));
  CHECK(has(refuses({{"x", "U8", {-1}, {}}}), "shape must not be negative"));
  CHECK(has(refuses({{"\xff", "U8", {0}, {}}}), "strings of JSON must be UTF-8"));
  CHECK(has(refuses({}, {{"gt.xxh3", ""}}), "metadata must not have 'gt.xxh3', which the writer computes"));
}

TEST_CASE_FIXTURE(Fixture, "safetensors: damage is named, and an unverified file still opens") {
  write_safetensors(path, tensors, metadata);
  auto const good = gt::read_text_file(path);
  auto bad = good;
  bad.back() ^= 1;  // the last byte of "odd", which is laid out last
  auto const error = open_error(bad);
  CHECK(has(error, message(": tensor 'odd': checksum must be '")));
  CHECK(has(error, "'); the file is damaged, or another program changed it"));
  CHECK(text_of(Safetensors::open(path, {.verify = false}).find("odd")->bytes) == "\1\2\xfe");

  bad = good;
  bad[bad.find("lines")] ^= 1;
  CHECK(has(open_error(bad), message(": metadata: checksum must be '")));
  bad = good;
  bad[bad.find("gt.xxh3")] ^= 1;
  CHECK(has(open_error(bad), message(": metadata must have both 'gt.xxh3' and 'gt.xxh3.metadata' or neither")));
  bad = good;
  bad[bad.find("block", bad.find("gt.xxh3.metadata"))] ^= 1;  // the name of the tensor's entry
  CHECK(has(open_error(bad), "weight': checksum must be recorded"));
}

TEST_CASE_FIXTURE(Fixture, "safetensors: every truncation is an error") {
  write_safetensors(path, tensors, metadata);
  auto const good = gt::read_text_file(path);
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(has(open_error(good.substr(0, size)), "gt: safetensors '"));
  }
  CHECK(open_error(good + '\0') != "no error");
}

TEST_CASE_FIXTURE(Fixture, "safetensors: every changed bit is an error or changes nothing that is read") {
  write_safetensors(path, tensors, metadata);
  auto const good = gt::read_text_file(path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  auto const set = [&](std::size_t at, int byte) {  // in place: quicker than a new file each time
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte)).flush();
  };
  int undetected = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    CAPTURE(bit);
    set(bit / 8, good[bit / 8] ^ 1 << bit % 8);
    auto const error = error_of([&] { Safetensors::open(path); });
    if (error == "no error") {
      ++undetected;
      CHECK(same(Safetensors::open(path), tensors, metadata));
    } else {
      CHECK(has(error, "gt: safetensors '"));
    }
    error_of([&] { Safetensors::open(path, {.verify = false}); });  // may be wrong, must not crash
    set(bit / 8, good[bit / 8]);
  }
  CHECK(undetected == 0);
  CHECK(gt::read_text_file(path) == good);
}

}  // namespace safetensors_test
