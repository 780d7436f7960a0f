// SPDX-License-Identifier: MIT
// What gt/substrate/code_embedding.hpp declares.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/substrate/affine_recoding.hpp"
#include "gt/substrate/bit_code.hpp"
#include "gt/substrate/code_embedding.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/lift.hpp"
#include "gt/substrate/pca.hpp"

namespace gt::inline GT_ABI {

template <class Real>
CodeEmbedding CodeEmbedding::draw(std::vector<std::string> const& tokens, CodeEmbeddingOptions const& options) {
  return draw<Real>(static_cast<std::int64_t>(tokens.size()), tokens, options);
}

template <class Real>
CodeEmbedding CodeEmbedding::draw(std::int64_t vocab, CodeEmbeddingOptions const& options) {
  return draw<Real>(vocab, {}, options);
}

GT_FN Buffer<float> CodeEmbedding::numbers(fonts::BitMatrix const& codes) {
  int const n = codes.columns();
  Buffer<float> rows(codes.rows() * n);
  for (std::int64_t i = 0; i < codes.rows(); ++i)
    for (int j = 0; j < n; ++j) rows[i * n + j] = codes(i, j) ? 1.0F : 0.0F;
  return rows;
}

template <class Real>
Buffer<float> CodeEmbedding::unit_components(fonts::BitMatrix const& codes) {
  substrate::Projection const y = substrate::principal_components<Real>(codes, codes.columns());
  detail::normalise_rows(y.rows, codes.columns());
  return y.rows;
}

template <class Real>
CodeEmbedding CodeEmbedding::draw(std::int64_t vocab, std::vector<std::string> const& tokens,
                                  CodeEmbeddingOptions const& o) {
  check(vocab >= 1, "CodeEmbedding", "needs at least one token (got ", vocab, ")");
  int const least = substrate::bits_for(vocab), bits = o.bits != 0      ? o.bits
                                                       : o.d_model != 0 ? substrate::bits_for(vocab, o.d_model)
                                                                        : least;
  check(bits >= least, "CodeEmbedding", "bits must be at least ", least, " to tell ", vocab, " tokens apart (got ",
        bits, ")");
  check(o.lift != substrate::Lift::tile || o.d_model != 0, "CodeEmbedding",
        "tiling needs a d_model to tile to (got none)");
  if (o.d_model != 0) substrate::check_lift(bits, o.d_model);
  bool const random = o.source == CodeSource::random, pca = o.projection == CodeProjection::pca;
  check(!pca || bits <= vocab - 1, "CodeEmbedding", "principal components need more tokens than bits (got ", vocab,
        " tokens and ", bits, " bits)");

  fonts::BitMatrix codes = random ? substrate::random_code(vocab, bits, o.seed) : substrate::id_code(vocab, bits);
  if (o.recode) codes = AffineRecoding::draw(bits, *o.recode)(codes);
  std::string const method = text(random ? "random_bits" : "binary", o.recode ? "+affine" : "", pca ? "+pca" : "");
  Fingerprint print(method, vocab, bits);
  print.tokens(tokens);
  if (random) print.number(static_cast<std::int64_t>(o.seed.value));
  if (o.recode) print.number(static_cast<std::int64_t>(o.recode->value));
  FrozenTable table(method, vocab, bits, pca ? unit_components<Real>(codes) : numbers(codes), print.hex());
  return CodeEmbedding(o.lift == substrate::Lift::tile ? substrate::tiled(table, o.d_model) : std::move(table),
                       std::move(codes));
}

}  // namespace gt
