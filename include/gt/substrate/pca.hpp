// SPDX-License-Identifier: MIT
// Principal components of rows of bits: the pictures of tokens, turned so that the first numbers tell the most.
#pragma once

#include <vector>

#include "gt/core/buffer.hpp"
#include "gt/fonts/bit_matrix.hpp"

namespace gt::inline GT_ABI::substrate {

/// What `principal_components` gives.
struct Projection {
  Buffer<float> rows;            ///< scores, [V, n]
  std::vector<double> variance;  ///< of each component, falling, [n]; sums of squares are divided by V - 1
  double total_variance = 0;     ///< of all pixels together
};

/// Principal component analysis, mean-centred, not whitened:
///
///     Y = (X - 1 m) W,   m the mean row,   W the eigenvectors of (X - 1 m)^T (X - 1 m) with the n largest eigenvalues
///
/// Shapes: X, `bits` [V, P]; m [P]; W [P, n]; Y [V, n], n = `width` <= min(V - 1, P). At full width Y is X centred and
/// turned: all distances and angles stay. Signs: the largest loading of each component is positive. Components without
/// variance are exactly zero; a row that equals the mean is zero up to rounding.
/// Equal to sklearn.decomposition.PCA(n, svd_solver="full").fit_transform(X), up to the signs.
///
/// Dot products of bits are counted, so they are exact, and rows of W are added where a bit is set: the result is the
/// same for any number of threads. The smaller of the P x P and the V x V matrix is diagonalised, in O(min(V, P)^3).
template <class Real = double>
Projection principal_components(fonts::BitMatrix const& bits, int width);

}  // namespace gt::substrate

#if !defined(GT_PREBUILT)
  #include "gt/substrate/pca_impl.hpp"
#endif
