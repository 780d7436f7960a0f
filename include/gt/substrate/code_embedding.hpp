// SPDX-License-Identifier: MIT
// Frozen rows from codes of bits: of ids or random, renamed or not, as bits or turned to unit length, lifted two ways.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/substrate/affine_recoding.hpp"
#include "gt/substrate/bit_code.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/lift.hpp"

namespace gt::inline GT_ABI {

/// Where a token's bits come from: `substrate::id_code` or `substrate::random_code`.
enum class CodeSource { ids, random };
/// What becomes of the bits: the numbers 0 and 1 as they are, or all n principal components, rows scaled to length 1.
enum class CodeProjection { none, pca };

/// A choice of four parts. The tables of arXiv:2507.04886 for C = 1024 and 65,536 tokens are
///   16 bits       {.bits = 16}
///   16_FLOAT      {.bits = 16, .projection = CodeProjection::pca}
///   256_BIT       {.source = CodeSource::random, .bits = 256}
///   256_FLOAT     {.source = CodeSource::random, .bits = 256, .projection = CodeProjection::pca}
/// (64 and 1024 alike), and the recoding of arXiv:2605.09751 is {.bits = 16, .recode = gt::seed(1)}.
struct CodeEmbeddingOptions {
  CodeSource source = CodeSource::ids;  ///< of the bits
  int bits = 0;                         ///< n; 0: substrate::bits_for(V, d_model), or ceil(log2 V) without a d_model
  Seed seed{};                          ///< of random codes
  std::optional<Seed> recode{};         ///< draws an AffineRecoding of the codes; none: as they are
  CodeProjection projection = CodeProjection::none;  ///< of the bits to numbers
  substrate::Lift lift =
      substrate::Lift::repeat_interleave;  ///< that a model makes; `tile` is made here, and needs d_model
  int d_model = 0;                         ///< C that rows will be lifted to, which n must divide; 0: unknown
};

/// A row for each token, [V, n], or [V, C] if tiled:
///
///     c = the bits of the id, or random bits;  c' = A c xor b if recoded;  x = c', or (c' - m) W / |(c' - m) W|
///
/// with m the mean code and W the principal axes, all n of them: a turn of the centred codes, so that angles stay. The
/// paper says "projection + L2" of its FLOAT tables and no more: this is what it does to its pictures. Rows of a code
/// stay distinct under it: two centred codes of one direction would have to be complements of each other, and those
/// point apart. Where variances are equal, as of 2^n ids, W is one of many, and then the identity but for order.
///
/// The same definition as a BinaryEmbedding has its fingerprint. A seed that is not used changes nothing.
class CodeEmbedding : public FrozenTable {
 public:
  /// For these tokens, which the fingerprint names. Errors: too few bits; bits that do not divide d_model; `tile`
  /// without a d_model; `pca` of more bits than tokens less one.
  template <class Real = double>
  static CodeEmbedding draw(std::vector<std::string> const& tokens, CodeEmbeddingOptions const& options = {});
  /// For ids that stand for nothing yet: the fingerprint names their number only.
  template <class Real = double>
  static CodeEmbedding draw(std::int64_t vocab, CodeEmbeddingOptions const& options = {});

  fonts::BitMatrix const& codes() const noexcept { return codes_; }  ///< c', [V, n]

 private:
  CodeEmbedding(FrozenTable table, fonts::BitMatrix codes) : FrozenTable{std::move(table)}, codes_{std::move(codes)} {}

  template <class Real>
  static CodeEmbedding draw(std::int64_t vocab, std::vector<std::string> const& tokens, CodeEmbeddingOptions const& o);
  static Buffer<float> numbers(fonts::BitMatrix const& codes);
  template <class Real>
  static Buffer<float> unit_components(fonts::BitMatrix const& codes);

  fonts::BitMatrix codes_;
};
static_assert(Substrate<CodeEmbedding>);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/substrate/code_embedding_impl.hpp"
#endif
