// SPDX-License-Identifier: MIT
// Fonts, pictures of tokens, codes, and their principal components.
#include "gt/fonts/font_chain_impl.hpp"
#include "gt/fonts/outline_font_impl.hpp"
#include "gt/fonts/raster_impl.hpp"
#include "gt/fonts/unifont_impl.hpp"
#include "gt/prebuilt/models.hpp"
#include "gt/substrate/affine_recoding_impl.hpp"
#include "gt/substrate/binary_embedding_impl.hpp"
#include "gt/substrate/bit_code_impl.hpp"
#include "gt/substrate/code_embedding_impl.hpp"
#include "gt/substrate/frozen_table_impl.hpp"
#include "gt/substrate/glyph_embedding_impl.hpp"
#include "gt/substrate/learned_embedding_impl.hpp"
#include "gt/substrate/pca_impl.hpp"
#include "gt/substrate/random_embedding_impl.hpp"
#include "gt/substrate/table_embedding_impl.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE template
#define GT_PART 3
#include "gt/prebuilt/models.inc"

template CodeEmbedding CodeEmbedding::draw<double>(std::vector<std::string> const&, CodeEmbeddingOptions const&);
template CodeEmbedding CodeEmbedding::draw<double>(std::int64_t, CodeEmbeddingOptions const&);

}  // namespace gt
