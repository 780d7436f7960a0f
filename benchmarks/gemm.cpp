// SPDX-License-Identifier: MIT
// The three matrix products of training, at training shapes and at others, by turns with those of Eigen, OpenBLAS and
// oneDNN.
#include "support.hpp"

// After gt's SIMD header, which silences what g++ 12 says of its own AVX-512 intrinsics: Eigen uses them too.
#include "peers/gemm.hpp"

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/linear.hpp"

namespace {

using namespace gt::bench;
using gt::Buffer;
using gt::Matrix;
using gt::ops::MatrixRef;

/// Of a layer with x [M, K], w [N, K] and y [M, N].
struct Shape {
  std::int64_t M, N, K;
};
enum class Layer { y, dx, dw };  // y = x W^T,   dx = dy W,   dW += dy^T x
constexpr char const* name_of(Layer p) { return p == Layer::y ? "gemm_y" : p == Layer::dx ? "gemm_dx" : "gemm_dw"; }

/// out = a b, or out += a b, with what stands where in the layer.
struct Operands {
  Layer product;
  Shape shape;
  Buffer<float> x, w, dy, y, dx,
      dw;  // those that this product has no use for are empty

  Operands(Layer p, Shape s) : product{p}, shape{s} {
    if (p != Layer::dx) x = numbers(s.M * s.K, 1);
    if (p != Layer::dw) w = numbers(s.N * s.K, 2);
    if (p != Layer::y) dy = numbers(s.M * s.N, 3);
    if (p == Layer::y) y = numbers(s.M * s.N, 4);
    if (p == Layer::dx) dx = numbers(s.M * s.K, 5);
    if (p == Layer::dw) dw = numbers(s.N * s.K, 6);
  }
  Matrix<float> matrix(Buffer<float> const& b, std::int64_t rows, std::int64_t columns) const {
    return Matrix<float>(b.data(), b.empty() ? 0 : rows, columns);
  }
  MatrixRef<float> a() const {
    if (product == Layer::y) return matrix(x, shape.M, shape.K);
    MatrixRef<float> const d = matrix(dy, shape.M, shape.N);
    return product == Layer::dx ? d : d.transposed();
  }
  MatrixRef<float> b() const {
    if (product == Layer::dw) return matrix(x, shape.M, shape.K);
    MatrixRef<float> const weight = matrix(w, shape.N, shape.K);
    return product == Layer::dx ? weight : weight.transposed();
  }
  Buffer<float> const& out() const { return product == Layer::y ? y : product == Layer::dx ? dx : dw; }
  gt::ops::GemmShape sizes() const {
    auto const [M, N, K] = shape;
    return product == Layer::y    ? gt::ops::GemmShape{M, N, K}
           : product == Layer::dx ? gt::ops::GemmShape{M, K, N}
                                  : gt::ops::GemmShape{N, K, M};
  }
};

template <class B>
void multiply(B const& on, Operands const& o) {
  auto const [M, N, K] = o.shape;
  auto const x = o.matrix(o.x, M, K), w = o.matrix(o.w, N, K), dy = o.matrix(o.dy, M, N);
  if (o.product == Layer::y) {
    gt::ops::linear<B, float>(on, x, w, {}, o.matrix(o.y, M, N));
  } else if (o.product == Layer::dx) {
    // Of an operand that a product does not read, only the shape counts.
    gt::ops::linear_backward<B, float>(on, dy, o.matrix(o.dx, M, K), w, o.matrix(o.dx, M, K), {}, {});
  } else {
    gt::ops::linear_backward<B, float>(on, dy, x, o.matrix(o.dw, N, K), {}, o.matrix(o.dw, N, K), {});
  }
}

/// m v in double.
std::vector<double> times(MatrixRef<float> m, std::int64_t rows, std::int64_t columns, std::vector<double> const& v) {
  std::vector<double> product(static_cast<std::size_t>(rows));
  auto const add = [&](std::int64_t i, std::int64_t j) {
    product[static_cast<std::size_t>(i)] += static_cast<double>(m(i, j)) * v[static_cast<std::size_t>(j)];
  };
  if (m.column_stride == 1) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) add(i, j);
    }
  } else {
    for (std::int64_t j = 0; j < columns; ++j) {
      for (std::int64_t i = 0; i < rows; ++i) add(i, j);
    }
  }
  return product;
}

/// Freivalds' check: C r = A (B r) for a vector r of signs, which takes two dimensions' work instead of three's. An
/// element that is wrong moves its row's sum by as much. Allowed: 2 eps k sqrt(n), for numbers below 1. Source:
/// Freivalds 1977, "Probabilistic machines can use less running time".
template <class F>
double error_of(F const& multiply, Operands const& o) {
  auto const [m, n, k] = o.sizes();
  std::vector<double> signs;
  for (float const u : numbers(n, 7)) signs.push_back(u < 0 ? -1 : 1);
  MatrixRef<float> const out(o.out().data(), n, 1);
  Buffer<float> const start = numbers(o.out().size(), 8);  // what others added up would cost digits
  std::copy(start.begin(), start.end(), o.out().data());
  auto const before = times(out, m, n, signs);
  multiply();
  auto const after = times(out, m, n, signs), expected = times(o.a(), m, k, times(o.b(), k, n, signs));
  double worst = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    double const off = std::abs(after[i] - expected[i] - (o.product == Layer::dw ? before[i] : 0));
    if (!(off <= worst)) worst = std::isnan(off) ? std::numeric_limits<double>::infinity() : off;
  }
  return worst /
         (2 * std::numeric_limits<float>::epsilon() * static_cast<double>(k) * std::sqrt(static_cast<double>(n)));
}

template <class B>
void add_product(Layer product, B on, std::string const& backend, int threads, Shape s) {
  auto const make = [=] {
    Operands const o(product, s);
    double const flops = 2 * static_cast<double>(s.M) * static_cast<double>(s.N) * static_cast<double>(s.K);
    auto const run = [=] { multiply(on, o); };
    Case c{run, [=] { return error_of(run, o); }, {.flops = flops}, threads};
    if (std::is_same_v<B, gt::Ref>) return c;
    auto const [m, n, k] = o.sizes();
    for (auto const& peer : gemm_peers({o.a(), o.b(), o.out().data(), m, n, k, product == Layer::dw}, threads))
      c.peers.push_back({peer.name, [=, hold = o] { peer.run(); }, [=] { return error_of(peer.run, o); }});
    return c;
  };
  add(gt::text(name_of(product), "/", backend, "/M", s.M, ",N", s.N, ",K", s.K), make);
}

constexpr Shape shapes[] = {
    {2048, 256, 256},  {2048, 768, 256},  {2048, 1024, 256}, {2048, 256, 1024},                       // of a block
    {1024, 1024, 256}, {4096, 1024, 256}, {4096, 256, 1024},                                          //
    {2048, 512, 512},  {2048, 768, 768},  {1024, 3072, 768}, {1024, 768, 3072},  {2048, 1024, 1024},  // of wider ones
    {2048, 8192, 256},                                                                                // of a head
    {4096, 128, 128},  {2048, 128, 4096}, {2048, 4096, 128}, {1024, 2048, 4096},                      // the corners
    {17, 65, 129},     {1000, 333, 777},  {2047, 257, 255},  {1023, 1025, 511},                       // odd
    {1, 1024, 256}};                                                                                  // generation

}  // namespace

int main(int argc, char** argv) {
  choose_openblas_kernels(argv);
  for (auto const& [name, version] : gemm_peer_versions()) benchmark::AddCustomContext("peer " + name, version);
  add_limits();
  for (Layer const product : {Layer::y, Layer::dx, Layer::dw}) {
    add_product(product, gt::Ref{}, "ref", 1, {256, 256, 256});
    for (Shape const s : shapes) {
      for (int const threads : thread_counts()) add_product(product, gt::Cpu<>(threads), cpu_name(threads), threads, s);
    }
  }
  return run_all(argc, argv, "0.2");
}
