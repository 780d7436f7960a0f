// SPDX-License-Identifier: MIT
// What gt/substrate/pca.hpp declares.
#pragma once

// g++ 12 warns inside its own AVX-512 intrinsics, which Eigen uses.
#if defined(__GNUC__) && !defined(__clang__)
  #pragma GCC diagnostic push
  #pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
  #pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <Eigen/Eigenvalues>
#if defined(__GNUC__) && !defined(__clang__)
  #pragma GCC diagnostic pop
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/core/buffer.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/substrate/pca.hpp"

namespace gt::inline GT_ABI::substrate {

namespace detail {

/// Symmetric matrix of the dot products of the rows of `bits`, exact.
template <class Matrix>
Matrix gram(fonts::BitMatrix const& bits) {
  using Real = typename Matrix::Scalar;
  auto const n = static_cast<Eigen::Index>(bits.rows());
  Matrix products(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j <= i; ++j) products(i, j) = products(j, i) = static_cast<Real>(bits.common(i, j));
  return products;
}

/// +1 or -1, so that the largest of `x` becomes positive. Of several that differ by rounding only, the first decides.
template <class Column>
typename Column::Scalar upright(Column const& x) {
  using Real = typename Column::Scalar;
  Real const largest = x.cwiseAbs().maxCoeff();
  for (Eigen::Index i = 0; i < x.size(); ++i)
    if (std::abs(x[i]) >= largest * Real(1 - 1e-6)) return x[i] < 0 ? Real(-1) : Real(1);
  return 1;
}

}  // namespace detail

template <class Real>
Projection principal_components(fonts::BitMatrix const& bits, int width) {
  using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
  using Rows = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  auto const V = bits.rows();
  auto const P = static_cast<std::int64_t>(bits.columns());
  check(width >= 1, "principal_components", "width must be at least 1 (got ", width, ")");
  check(width <= P, "principal_components", "width must be at most the number of pixels, ", P, " (got ", width,
        "); draw larger rasters or take fewer components");
  check(width <= V - 1, "principal_components", "width must be at most the number of tokens less one, ", V - 1,
        " (got ", width, "); take a larger vocabulary or fewer components");

  fonts::BitMatrix const pixels = bits.transposed();  // [P, V]
  Vector mean(P);                                     // [P]
  for (std::int64_t p = 0; p < P; ++p) mean[p] = static_cast<Real>(pixels.common(p, p)) / static_cast<Real>(V);

  bool const by_pixel = P <= V;
  Matrix scatter = detail::gram<Matrix>(by_pixel ? pixels : bits);  // [P, P] or [V, V]
  if (by_pixel) {
    scatter.noalias() -= static_cast<Real>(V) * mean * mean.transpose();
  } else {
    Vector const row = scatter.rowwise().mean();  // [V]
    scatter.colwise() -= row;
    scatter.rowwise() -= row.transpose();
    scatter.array() += row.mean();
  }
  Real const total = scatter.trace();
  Eigen::SelfAdjointEigenSolver<Matrix> const solver(scatter);
  check(solver.info() == Eigen::Success, "principal_components", "the eigenvalues must converge (they did not)");
  auto const N = scatter.rows();
  Real const noise =
      std::max(solver.eigenvalues()[N - 1], Real(0)) * static_cast<Real>(N) * Eigen::NumTraits<Real>::epsilon();

  Projection result{.rows = Buffer<float>(V * width), .variance = {}, .total_variance = 0};
  result.total_variance = static_cast<double>(total) / static_cast<double>(V - 1);
  Rows spread = Rows::Zero(N, width);  // eigenvectors, those without variance left out
  for (int k = 0; k < width; ++k) {
    Real const value = solver.eigenvalues()[N - 1 - k];
    bool const empty = value <= noise;
    result.variance.push_back(empty ? 0 : static_cast<double>(value) / static_cast<double>(V - 1));
    if (empty) continue;
    spread.col(k) = solver.eigenvectors().col(N - 1 - k);
    if (!by_pixel) spread.col(k) /= std::sqrt(value);
  }
  Rows loadings = by_pixel ? spread : Rows::Zero(P, width);  // W
  if (!by_pixel)  // W = (X - 1 m)^T U / sqrt(eigenvalues); columns of U have mean zero
    for (std::int64_t i = 0; i < V; ++i)
      for (int p = 0; p < bits.columns(); ++p)
        if (bits(i, p)) loadings.row(p) += spread.row(i);
  for (int k = 0; k < width; ++k) loadings.col(k) *= detail::upright(loadings.col(k));

  Eigen::Matrix<Real, 1, Eigen::Dynamic> const origin = mean.transpose() * loadings;  // [n]
  Eigen::Matrix<Real, 1, Eigen::Dynamic> score(width);                                // [n]
  for (std::int64_t i = 0; i < V; ++i) {
    score = -origin;
    for (int p = 0; p < bits.columns(); ++p)
      if (bits(i, p)) score += loadings.row(p);
    for (int k = 0; k < width; ++k) result.rows[i * width + k] = static_cast<float>(score[k]);
  }
  return result;
}

}  // namespace gt::substrate
