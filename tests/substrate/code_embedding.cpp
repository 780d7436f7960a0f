// SPDX-License-Identifier: MIT
// The tables made of codes: source, recoding, projection and lift, each by itself and together.
#include "gt/substrate/code_embedding.hpp"

#include <doctest/doctest.h>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "fonts/fonts.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/affine_recoding.hpp"
#include "gt/substrate/binary_embedding.hpp"
#include "gt/substrate/random_embedding.hpp"

namespace code_embedding_test {

using gt::CodeEmbedding;
using gt::CodeEmbeddingOptions;
using gt::CodeProjection;
using gt::CodeSource;
using gt::substrate::Lift;
using test::error_of;
using test::has;

namespace {

std::vector<std::string> words(int count) {
  std::vector<std::string> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back("w" + std::to_string(i));
  return tokens;
}
bool equal(gt::Buffer<float> const& a, gt::Buffer<float> const& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}
std::size_t distinct_rows(gt::FrozenTable const& table) {
  std::set<std::vector<float>> seen;
  for (std::int64_t i = 0; i < table.vocab(); ++i) seen.emplace(table.row(i), table.row(i) + table.width());
  return seen.size();
}
double dot(float const* a, float const* b, int n) {
  double sum = 0;
  for (int k = 0; k < n; ++k) sum += double{a[k]} * double{b[k]};
  return sum;
}
// The number of singular values of rows [V, n] that are more than rounding; what Eigen is for here.
int rank_of(gt::Buffer<float> const& rows, int n) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::MatrixXd const x = Eigen::Map<Rows const>(rows.data(), rows.size() / n, n).cast<double>();
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> const solver(x.transpose() * x);
  double const largest = solver.eigenvalues()[n - 1];
  // Rows are rounded to float: singular values below 2^-24 sqrt(V n) of the largest are noise, and these are squares.
  double const noise = largest * static_cast<double>(rows.size()) * 0x1p-48;
  return static_cast<int>((solver.eigenvalues().array() > noise).count());
}

}  // namespace

TEST_CASE("CodeEmbedding: by default a BinaryEmbedding, of the same name") {
  auto const tokens = words(300);
  for (CodeEmbeddingOptions const& options : {CodeEmbeddingOptions{}, {.d_model = 64}, {.bits = 20}}) {
    auto const code = CodeEmbedding::draw(tokens, options);
    auto const binary = gt::BinaryEmbedding::of_ids(tokens, {.bits = options.bits, .d_model = options.d_model});
    CHECK(equal(code.table(), binary.table()));
    CHECK(code.width() == binary.width());
    CHECK(code.method() == binary.method());
    CHECK(code.fingerprint() == binary.fingerprint());
  }
  CHECK(CodeEmbedding::draw(300).fingerprint() == gt::BinaryEmbedding::of_ids(300).fingerprint());
}

TEST_CASE("CodeEmbedding: zeros and ones, distinct, of rank at most n, whatever the source and the recoding") {
  for (CodeSource const source : {CodeSource::ids, CodeSource::random})
    for (bool const recoded : {false, true}) {
      CodeEmbeddingOptions options{.source = source, .bits = 16, .d_model = 64};
      if (recoded) options.recode = gt::seed(4);
      auto const code = CodeEmbedding::draw(words(600), options);
      CHECK(std::all_of(code.table().begin(), code.table().end(), [](float x) { return x == 0 || x == 1; }));
      CHECK(distinct_rows(code) == 600);
      auto const wide = gt::substrate::lifted(code, 64);
      bool repeats = true;
      for (std::int64_t i = 0; i < 600; ++i)
        for (int j = 0; j < 64; ++j) repeats = repeats && wide[i * 64 + j] == (code.codes()(i, j / 4) ? 1.0F : 0.0F);
      CHECK(repeats);
      // Ids below 600 use ten bits; b moves the origin, which may add one to the rank over the reals, and A more.
      CHECK(rank_of(wide, 64) <= 16);
      if (source == CodeSource::ids && !recoded) CHECK(rank_of(wide, 64) == 10);
      if (source == CodeSource::random) CHECK(rank_of(wide, 64) == 16);
    }
}

TEST_CASE("CodeEmbedding: several recodings of one code are several substrates") {
  auto const tokens = words(256);
  std::set<std::string> prints;
  std::set<std::vector<float>> tables;
  for (std::uint64_t draw = 1; draw <= 5; ++draw) {
    auto const code = CodeEmbedding::draw(tokens, {.bits = 8, .recode = gt::seed(draw)});
    CHECK(distinct_rows(code) == 256);  // at 2^n ids a permutation of all codes
    CHECK(code.codes() == gt::AffineRecoding::draw(8, gt::seed(draw))(gt::substrate::id_code(256, 8)));
    prints.insert(code.fingerprint());
    tables.emplace(code.table().begin(), code.table().end());
  }
  CHECK(prints.size() == 5);
  CHECK(tables.size() == 5);
}

TEST_CASE("CodeEmbedding: pca turns the centred code, and rows have length 1") {
  for (CodeSource const source : {CodeSource::ids, CodeSource::random}) {
    int const V = 300, n = 32;
    auto const code =
        CodeEmbedding::draw(words(V), {.source = source, .bits = n, .projection = CodeProjection::pca, .d_model = 64});
    CHECK(code.width() == n);
    CHECK(distinct_rows(code) == V);
    std::vector<float> centred(static_cast<std::size_t>(V * n));
    for (int j = 0; j < n; ++j) {
      double mean = 0;
      for (std::int64_t i = 0; i < V; ++i) mean += code.codes()(i, j) / double{V};
      for (std::int64_t i = 0; i < V; ++i)
        centred[static_cast<std::size_t>(i * n + j)] = static_cast<float>(code.codes()(i, j) - mean);
    }
    double worst = 0;
    for (int i = 0; i < V; ++i) {
      float const *x = code.row(i), *c = centred.data() + i * n;
      CHECK(std::abs(dot(x, x, n) - 1) < 4 * n * double{std::numeric_limits<float>::epsilon()});
      for (int k = 0; k < i; ++k) {
        float const* d = centred.data() + k * n;
        double const cosine = dot(c, d, n) / std::sqrt(dot(c, c, n) * dot(d, d, n));
        worst = std::max(worst, std::abs(cosine - dot(x, code.row(k), n)));
      }
    }
    CHECK(worst < 4 * n * double{std::numeric_limits<float>::epsilon()});  // both sums of n products of floats
    CHECK(rank_of(gt::substrate::lifted(code, 64), 64) == (source == CodeSource::ids ? 9 : n));
  }
  // All 2^n ids: each bit varies alike, and what is left of the turn is +-1 / sqrt(n).
  auto const full = CodeEmbedding::draw(256, {.projection = CodeProjection::pca});
  for (float const x : full.table()) CHECK(std::abs(x) == doctest::Approx(std::sqrt(1.0 / 8)));
}

TEST_CASE("tiled: rows one behind the other, of any substrate") {
  auto const code = CodeEmbedding::draw(words(100), {.bits = 8, .lift = Lift::tile, .d_model = 24});
  auto const narrow = CodeEmbedding::draw(words(100), {.bits = 8, .d_model = 24});
  REQUIRE(code.width() == 24);
  for (std::int64_t i = 0; i < 100; ++i)
    for (int j = 0; j < 24; ++j) CHECK(code.row(i)[j] == narrow.row(i)[j % 8]);
  CHECK(rank_of(code.table(), 24) == 7);                // ids below 100
  auto const wide = gt::substrate::lifted(narrow, 24);  // the same columns in another order
  for (std::int64_t i = 0; i < 100; ++i)
    for (int j = 0; j < 24; ++j) CHECK(wide[i * 24 + j] == code.row(i)[j % 3 * 8 + j / 3]);

  CHECK(code.fingerprint() == gt::substrate::tiled(narrow, 24).fingerprint());
  CHECK(code.fingerprint() != narrow.fingerprint());
  CHECK(code.fingerprint() != gt::substrate::tiled(narrow, 16).fingerprint());
  CHECK(code.method() == "binary+tile");
  auto const random = gt::RandomEmbedding::draw(words(5), {.width = 3});
  auto const twice = gt::substrate::tiled(random, 6);
  for (std::int64_t i = 0; i < 5; ++i)
    for (int j = 0; j < 6; ++j) CHECK(twice.row(i)[j] == random.row(i)[j % 3]);
  CHECK(has(error_of([&] { gt::substrate::tiled(random, 7); }), "must divide d_model (got 3 and 7)"));

  gt::Transformer<> const model(code, gt::BlockConfig{.d_model = 24, .heads = 2}, gt::seed(1));  // takes it as it is
  CHECK(model.table_width() == 24);
}

TEST_CASE("CodeEmbedding: every option that counts is in the fingerprint, and no other") {
  auto const print = [](CodeEmbeddingOptions const& options) { return CodeEmbedding::draw(40, options).fingerprint(); };
  auto const s1 = gt::seed(1), s2 = gt::seed(2);
  std::vector<CodeEmbeddingOptions> definitions;
  for (CodeSource const source : {CodeSource::ids, CodeSource::random})
    for (gt::Seed const seed : {s1, s2})
      for (int const recode : {0, 1, 2})
        for (CodeProjection const projection : {CodeProjection::none, CodeProjection::pca})
          for (Lift const lift : {Lift::repeat_interleave, Lift::tile})
            for (int const bits : {8, 16}) {
              if (source == CodeSource::ids && seed.value == 2) continue;  // not used there
              CodeEmbeddingOptions o{source, bits, seed, std::nullopt, projection, lift, 32};
              if (recode > 0) o.recode = gt::Seed{static_cast<std::uint64_t>(recode)};
              definitions.push_back(o);
            }
  std::set<std::string> prints;
  for (auto const& o : definitions) {
    prints.insert(print(o));
    CHECK(print(o) == print(o));
  }
  CHECK(prints.size() == definitions.size());
  CHECK(print({.bits = 8, .seed = s1}) == print({.bits = 8, .seed = s2}));        // ids are not drawn
  CHECK(print({.bits = 8, .d_model = 64}) == print({.bits = 8, .d_model = 32}));  // the model's affair
  CHECK(CodeEmbedding::draw(words(40)).fingerprint() != CodeEmbedding::draw(40).fingerprint());
  CHECK(CodeEmbedding::draw({"ab", "c"}).fingerprint() != CodeEmbedding::draw({"a", "bc"}).fingerprint());
  // The same on every machine.
  CHECK(print({.source = CodeSource::random, .bits = 16, .recode = s2, .projection = CodeProjection::pca}) ==
        "d8463725e0aa7e1991d27303a45b913c8498fd5da74470bc46c8ba7f301c7cd2");
}

TEST_CASE("CodeEmbedding: same seed same bits, other seed other bits") {
  auto const draw = [](std::uint64_t seed) {
    return CodeEmbedding::draw(words(50), {.source = CodeSource::random, .bits = 64, .seed = gt::seed(seed)});
  };
  CHECK(equal(draw(1).table(), draw(1).table()));
  CHECK_FALSE(equal(draw(1).table(), draw(2).table()));
}

TEST_CASE("CodeEmbedding: what it refuses") {
  auto const said = [](std::int64_t vocab, CodeEmbeddingOptions const& options) {
    return error_of([&] { CodeEmbedding::draw(vocab, options); });
  };
  auto const random = CodeSource::random;
  CHECK(has(said(0, {}), "at least one token (got 0)"));
  CHECK(has(said(65537, {.bits = 16}), "bits must be at least 17 to tell 65537 tokens apart (got 16)"));
  CHECK(has(said(300, {.source = random, .bits = 8}), "bits must be at least 9 to tell 300 tokens apart (got 8)"));
  CHECK(has(said(300, {.bits = -1}), "at least 9"));
  CHECK(has(said(300, {.bits = 16, .d_model = 72}), "must divide d_model (got 16 and 72)"));
  CHECK(has(said(300, {.d_model = 8}), "d_model must be at least the 9 bits"));
  CHECK(has(said(300, {.bits = 16, .d_model = -16}), "must divide d_model (got 16 and -16)"));
  CHECK(has(said(300, {.lift = Lift::tile}), "tiling needs a d_model to tile to (got none)"));
  CHECK(has(said(300, {.source = random, .bits = 300, .projection = CodeProjection::pca}),
            "need more tokens than bits (got 300 tokens and 300 bits)"));
  CHECK(said(301, {.source = random, .bits = 300, .projection = CodeProjection::pca}).empty());
  CHECK(said(1, {.source = random}).empty());
}

}  // namespace code_embedding_test
