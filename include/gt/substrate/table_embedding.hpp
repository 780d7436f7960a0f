// SPDX-License-Identifier: MIT
// A frozen embedding that somebody else computed: rows in memory, or the table of a saved model.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "gt/substrate/frozen_table.hpp"

namespace gt::inline GT_ABI {

/// Rows as given, neither scaled nor copied.
///
///     auto const words = gt::TableEmbedding::of_rows("my vectors", 3, 4, rows);  // Buffer of 12 floats
class TableEmbedding : public FrozenTable {
 public:
  /// `rows` [vocab, width] under a name. Having no other definition, its fingerprint hashes the name and the numbers.
  static TableEmbedding of_rows(std::string const& name, std::int64_t vocab, int width, Buffer<float> rows);
  /// The table of a saved model, with the method and the fingerprint that were saved beside it.
  static TableEmbedding loaded(std::string method, std::string fingerprint, std::int64_t vocab, int width,
                               Buffer<float> rows);

 private:
  explicit TableEmbedding(FrozenTable table) : FrozenTable{std::move(table)} {}
};
static_assert(Substrate<TableEmbedding>);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/substrate/table_embedding_impl.hpp"
#endif
