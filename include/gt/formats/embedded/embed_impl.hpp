// SPDX-License-Identifier: MIT
// What gt/formats/embedded/embed.hpp declares.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/embedded/embed.hpp"
#include "gt/formats/embedded/embedded.hpp"

namespace gt::inline GT_ABI {

GT_FN bool is_namespace_name(std::string_view name) {
  static constexpr std::string_view kept =
      " alignas alignof and and_eq asm assert auto bitand bitor bool break case catch char char16_t char32_t char8_t"
      " class co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue"
      " decltype default delete do double dynamic_cast else enum errno explicit export extern false float for friend"
      " goto gt if inline int linux long main mutable namespace new noexcept not not_eq nullptr operator or or_eq"
      " posix private protected public register reinterpret_cast requires return short signed sizeof static"
      " static_assert static_cast std struct switch template this thread_local throw true try typedef typeid"
      " typename union unix unsigned using virtual void volatile wchar_t while xor xor_eq ";
  auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool good = !name.empty() && letter(name[0]) && name.find("__") == name.npos && name.size() <= 200;
  for (char const c : name) good = good && (letter(c) || c == '_' || (c >= '0' && c <= '9'));
  return good && kept.find(text(" ", name, " ")) == kept.npos;
}

namespace detail {

GT_FN void LiteralWriter::write(std::string_view bytes) {
  for (char const c : bytes) add(static_cast<unsigned char>(c));
}

GT_FN void LiteralWriter::end() {
  if (column_ > 0 || !any_) buffer_ += any_ ? "\"" : indent_ + "\"\"";
  file_.write(buffer_);
  buffer_.clear();
}

GT_FN void LiteralWriter::add(unsigned char byte) {
  if (column_ == 0) buffer_ += (any_ ? "\n" : "") + indent_ + '"', column_ = indent_.size() + 1;
  // An escape takes all octal digits behind it, so that a digit cannot follow a short one as it is.
  bool const digit = byte >= '0' && byte <= '9';
  std::size_t const before = buffer_.size();
  if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\' && byte != '?' && !(digit && open_)) {
    buffer_ += static_cast<char>(byte);
    open_ = false;
  } else {
    buffer_ += '\\';
    if (byte >= 64) buffer_ += static_cast<char>('0' + (byte >> 6));
    if (byte >= 8) buffer_ += static_cast<char>('0' + (byte >> 3 & 7));
    buffer_ += static_cast<char>('0' + (byte & 7));
    open_ = byte < 64;
  }
  any_ = true;
  column_ += buffer_.size() - before;
  if (column_ >= 115) {
    buffer_ += '"';
    column_ = 0, open_ = false;
  }
  if (buffer_.size() > 1 << 16) {
    file_.write(buffer_);
    buffer_.clear();
  }
}

GT_FN std::string block_literal(BlockConfig const& c) {
  BlockConfig const written{.d_model = c.d_model,
                            .heads = c.heads,
                            .d_ff = c.d_ff,
                            .qkv_bias = c.qkv_bias,
                            .out_bias = c.out_bias,
                            .norm = c.norm,
                            .gelu = c.gelu,
                            .norm_eps = c.norm_eps,
                            .rope_base = c.rope_base};
  check(written == c, "write_embedded", "a header can hold all of a block's shape but what is younger than it");
  auto const word = [](bool on) { return on ? "true" : "false"; };
  return text("{\n    .d_model = ", c.d_model, ",\n    .heads = ", c.heads, ",\n    .d_ff = ", c.d_ff,
              ",\n    .qkv_bias = ", word(c.qkv_bias), ",\n    .out_bias = ", word(c.out_bias),
              ",\n    .norm = gt::Norm::", c.norm == Norm::rms ? "rms" : "layer",
              ",\n    .gelu = gt::Gelu::", c.gelu == Gelu::erf ? "erf" : "tanh",
              ",\n    .norm_eps = ", shortest(c.norm_eps), ",\n    .rope_base = ", shortest(c.rope_base), ",\n}");
}

GT_FN void Embedded::append(std::string& bytes, std::int64_t value) {
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7F));
  bytes += static_cast<char>(value);
}

GT_FN unsigned char* Embedded::put(unsigned char* at, Buffer<float> const& numbers, EmbeddedType type) {
  if (type == EmbeddedType::fp32) {
    if (!numbers.empty()) std::memcpy(at, numbers.data(), numbers.span().size_bytes());
  } else {
    for (std::int64_t i = 0; i < numbers.size(); ++i) {
      Bf16 const rounded(numbers[i]);
      check(std::isfinite(static_cast<float>(rounded)) || !std::isfinite(numbers[i]), where,
            "every weight must fit bf16 (got one that rounds to infinity); write fp32");
      at[2 * i] = static_cast<unsigned char>(rounded.bits & 0xFF);
      at[2 * i + 1] = static_cast<unsigned char>(rounded.bits >> 8);
    }
  }
  return at + embedded_size(type, numbers.size());
}

}  // namespace detail

}  // namespace gt
