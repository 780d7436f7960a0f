// SPDX-License-Identifier: MIT
// Lesson 4: one block, forward and backward, and how to be sure of a gradient. Any op runs in complex numbers, and
// dLoss/dw = Im Loss(w + i h) / h  for a tiny h: no difference is taken, so all digits are right.
// Run it: ./04_block_gradient
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <gt/backend/ref/ref.hpp>
#include <gt/nn/block.hpp>

#include "support/lesson.hpp"

constexpr gt::BlockConfig shape{.d_model = 16, .heads = 2};
constexpr gt::BatchShape batch{.batch = 2, .tokens = 5};
constexpr std::int64_t M = batch.rows(), C = shape.d_model;
using Complex = std::complex<double>;

// One pass of a block in any scalar type, with loss = sum of c y over all outputs y, c random numbers.
template <class T>
struct Pass {
  using Block = gt::Block<T>;
  Block block{gt::fixed<shape>};
  gt::ops::RopeTable<T> rotary{batch.tokens, shape.d_head(), shape.rope_base};
  gt::Buffer<T> x{M * C}, y{M * C}, c{M * C};  // [M, C] each
  gt::Arena arena;                             // memory for what the forward pass leaves to the backward pass
  typename Block::Activations saved;

  Pass() {
    block.initialise(gt::seed(1), 0, 1, gt::BlockInit::random);
    gt::Random const random(gt::seed(2), gt::Purpose::test);
    for (std::int64_t i = 0; i < M * C; ++i) {
      x[i] = random.normal(static_cast<std::uint64_t>(i)), c[i] = random.normal(static_cast<std::uint64_t>(M * C + i));
    }
    arena =
        gt::Arena(gt::measure([&](gt::Arena& a) { block.activations(a, batch), block.backward_scratch(a, batch); }));
    saved = block.activations(arena, batch);
  }
  gt::Matrix<T> matrix(gt::Buffer<T> const& numbers) const { return gt::Matrix<T>(numbers.data(), M, C); }
  T loss() {
    block.forward(gt::Ref{}, matrix(x), saved, matrix(y), batch, rotary);
    T sum{};
    for (std::int64_t i = 0; i < M * C; ++i) sum += c[i] * y[i];
    return sum;
  }
};

int main() {
  Pass<double> pass;
  double const loss = pass.loss();
  pass.block.unfreeze();                                                               // all tensors get gradients
  gt::Buffer<double> const gradient(pass.block.weights().size()), d = pass.c.clone();  // dLoss/dy is c
  pass.block.backward(gt::Ref{}, pass.matrix(d), pass.matrix(pass.x), pass.saved, gradient, batch, pass.rotary,
                      pass.arena, true);  // d is now dLoss/dx
  std::printf("loss %.6f; gradients of one weight of some tensors:\n\n", loss);
  std::printf("  %-25s %19s %19s %19s\n", "", "backward", "complex step", "difference quotient");

  Pass<Complex> complex;
  double worst = 0, worst_quotient = 0;
  for (int const t : {complex.block.norm1_g, complex.block.q_w, complex.block.v_b, complex.block.fc_w}) {
    std::int64_t const at = complex.block.offset(t) + 3;
    Complex& w = complex.block.weights()[at];
    Complex const kept = w;
    w = kept + Complex(0, 1e-30);
    double const exact = complex.loss().imag() / 1e-30;
    w = kept + 1e-6;
    double const quotient = (complex.loss().real() - loss) / 1e-6;  // what one would do without complex numbers
    w = kept;
    worst = std::fmax(worst, std::abs(gradient[at] - exact) / std::abs(exact));
    worst_quotient = std::fmax(worst_quotient, std::abs(quotient - exact) / std::abs(exact));
    std::printf("  %-25s %19.15f %19.15f %19.15f\n", complex.block.spec(t).name, gradient[at], exact, quotient);
  }
  std::printf("\nrelative errors: backward %.1e, difference quotient %.1e\n", worst, worst_quotient);
  lesson::claim(worst < 1e-10, "backward agrees with the complex step to ten digits");
  lesson::claim(worst_quotient > 100 * worst, "a difference quotient could not have told");
  return lesson::verdict();
}
