// SPDX-License-Identifier: MIT
// The matrix product of others: Eigen, and OpenBLAS and oneDNN where the build found them.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#if defined(GT_BENCH_OPENBLAS)
  #include <cblas.h>
  #include <unistd.h>

  #include <cstdlib>
#endif
#if defined(GT_BENCH_ONEDNN)
  #include <omp.h>

  #include <algorithm>
  #include <dnnl.hpp>
  #include <memory>
#endif

#include "gt/core/matrix_ref.hpp"
#include "limits.hpp"

namespace gt::bench {

/// c = a b, or c += a b where `add`: a [m, k], b [k, n], c [m, n], all of c's elements one behind the other.
struct Product {
  ops::MatrixRef<float> a, b;
  float* c;
  std::int64_t m, n, k;
  bool add;
};
/// Somebody's code for one product.
struct GemmPeer {
  std::string name;
  std::function<void()> run;
};

namespace parts {
inline bool is_transposed(ops::MatrixRef<float> const& x) { return x.column_stride != 1; }
inline std::int64_t stride_of(ops::MatrixRef<float> const& x) {
  return is_transposed(x) ? x.column_stride : x.row_stride;
}
}  // namespace parts

inline GemmPeer eigen_gemm(Product p, int threads) {
  return {"Eigen", [=] {
            using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
            auto const map = [](ops::MatrixRef<float> const& x, std::int64_t rows, std::int64_t columns) {
              bool const turned = parts::is_transposed(x);
              return Eigen::Map<Rows const>(x.data, turned ? columns : rows, turned ? rows : columns);
            };
            Eigen::setNbThreads(threads);
            auto const a = map(p.a, p.m, p.k), b = map(p.b, p.k, p.n);
            Eigen::Map<Rows> c(p.c, p.m, p.n);
            bool const ta = parts::is_transposed(p.a), tb = parts::is_transposed(p.b);
            auto const into = [&](auto const& x, auto const& y) {
              if (p.add) {
                c.noalias() += x * y;
              } else {
                c.noalias() = x * y;
              }
            };
            if (ta && tb) return into(a.transpose(), b.transpose());
            if (ta) return into(a.transpose(), b);
            if (tb) return into(a, b.transpose());
            into(a, b);
          }};
}

#if defined(GT_BENCH_OPENBLAS)
/// OpenBLAS 0.3.21 takes some processors with AVX-512 for ones without: its kernels are then named here, as a user
/// would by OPENBLAS_CORETYPE, before it is loaded once more. Call it first in main.
inline void choose_openblas_kernels([[maybe_unused]] char** argv) {
  #if defined(__AVX512F__)
  std::string const core = openblas_get_corename();
  if ((core == "Haswell" || core == "Zen") && !std::getenv("OPENBLAS_CORETYPE")) {
    ::setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    ::execv("/proc/self/exe", argv);
  }
  #endif
}

inline GemmPeer openblas_gemm(Product p, int threads) {
  return {"OpenBLAS", [=] {
            openblas_set_num_threads(threads);
            auto const order = [](ops::MatrixRef<float> const& x) {
              return parts::is_transposed(x) ? CblasTrans : CblasNoTrans;
            };
            auto const size = [](std::int64_t n) { return static_cast<blasint>(n); };
            cblas_sgemm(CblasRowMajor, order(p.a), order(p.b), size(p.m), size(p.n), size(p.k), 1.0F, p.a.data,
                        size(parts::stride_of(p.a)), p.b.data, size(parts::stride_of(p.b)), p.add ? 1.0F : 0.0F, p.c,
                        size(p.n));
          }};
}
#else
inline void choose_openblas_kernels(char**) {}
#endif

#if defined(GT_BENCH_ONEDNN)
/// oneDNN has two ways to a plain product, its sgemm and its matmul, and either may be the faster one: each is tried,
/// and the better stays.
inline GemmPeer onednn_gemm(Product p, int threads) {
  std::function<void()> const sgemm = [=] {
    omp_set_num_threads(threads);
    dnnl_sgemm(parts::is_transposed(p.a) ? 'T' : 'N', parts::is_transposed(p.b) ? 'T' : 'N', p.m, p.n, p.k, 1.0F,
               p.a.data, parts::stride_of(p.a), p.b.data, parts::stride_of(p.b), p.add ? 1.0F : 0.0F, p.c, p.n);
  };
  struct Matmul {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::memory a, b, c;
    dnnl::matmul primitive;
  };
  auto const made = std::make_shared<Matmul>();
  auto const describe = [](std::int64_t rows, std::int64_t columns, std::int64_t row, std::int64_t column) {
    return dnnl::memory::desc(dnnl::memory::dims{rows, columns}, dnnl::memory::data_type::f32,
                              dnnl::memory::dims{row, column});
  };
  omp_set_num_threads(threads);  // a primitive is made for a number of threads
  auto const a = describe(p.m, p.k, p.a.row_stride, p.a.column_stride),
             b = describe(p.k, p.n, p.b.row_stride, p.b.column_stride), c = describe(p.m, p.n, p.n, 1);
  dnnl::primitive_attr attributes;
  if (p.add) {
    dnnl::post_ops sum;
    sum.append_sum(1.0F);
    attributes.set_post_ops(sum);
  }
  #if DNNL_VERSION_MAJOR >= 3
  dnnl::matmul::primitive_desc const how(made->engine, a, b, c, attributes);
  #else
  dnnl::matmul::primitive_desc const how(dnnl::matmul::desc(a, b, c), attributes, made->engine);
  #endif
  made->primitive = dnnl::matmul(how);
  made->a = dnnl::memory(a, made->engine, const_cast<float*>(p.a.data));
  made->b = dnnl::memory(b, made->engine, const_cast<float*>(p.b.data));
  made->c = dnnl::memory(c, made->engine, p.c);
  std::function<void()> const matmul = [=] {
    omp_set_num_threads(threads);
    made->primitive.execute(made->stream,
                            {{DNNL_ARG_SRC, made->a}, {DNNL_ARG_WEIGHTS, made->b}, {DNNL_ARG_DST, made->c}});
    made->stream.wait();
  };
  double best[2] = {1e9, 1e9};
  for (int turn = 0; turn < 5; ++turn) {
    best[0] = std::min(best[0], seconds_of(sgemm));
    best[1] = std::min(best[1], seconds_of(matmul));
  }
  return {"oneDNN", best[0] <= best[1] ? sgemm : matmul};
}
#endif

/// All that this build has, on as many threads as we use.
inline std::vector<GemmPeer> gemm_peers(Product p, int threads) {
  std::vector<GemmPeer> peers{eigen_gemm(p, threads)};
#if defined(GT_BENCH_OPENBLAS)
  peers.push_back(openblas_gemm(p, threads));
#endif
#if defined(GT_BENCH_ONEDNN)
  peers.push_back(onednn_gemm(p, threads));
#endif
  return peers;
}

/// What they are, for the head of the table.
inline std::map<std::string, std::string> gemm_peer_versions() {
  std::map<std::string, std::string> versions{
      {"Eigen", text(EIGEN_WORLD_VERSION, ".", EIGEN_MAJOR_VERSION, ".", EIGEN_MINOR_VERSION, ", ",
                     Eigen::SimdInstructionSetsInUse())}};
#if defined(GT_BENCH_OPENBLAS)
  versions["OpenBLAS"] = text(openblas_get_config(), ", kernels: ", openblas_get_corename());
#endif
#if defined(GT_BENCH_ONEDNN)
  versions["oneDNN"] = text(dnnl_version()->major, ".", dnnl_version()->minor, ".", dnnl_version()->patch,
                            ", faster of sgemm and matmul");
#endif
  return versions;
}

}  // namespace gt::bench
