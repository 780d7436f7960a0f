// SPDX-License-Identifier: MIT
// What gt/substrate/table_embedding.hpp declares.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "gt/base/macros.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/table_embedding.hpp"

namespace gt::inline GT_ABI {

GT_FN TableEmbedding TableEmbedding::of_rows(std::string const& name, std::int64_t vocab, int width,
                                             Buffer<float> rows) {
  Fingerprint print("table", vocab, width);
  print.text(name).rows(rows.span());
  return TableEmbedding(FrozenTable("table", vocab, width, std::move(rows), print.hex()));
}

GT_FN TableEmbedding TableEmbedding::loaded(std::string method, std::string fingerprint, std::int64_t vocab, int width,
                                            Buffer<float> rows) {
  return TableEmbedding(FrozenTable(std::move(method), vocab, width, std::move(rows), std::move(fingerprint)));
}

}  // namespace gt
