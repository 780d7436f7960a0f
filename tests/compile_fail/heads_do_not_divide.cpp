// expect: heads_divide_d_model
#include "gt/nn/transformer.hpp"

constexpr gt::BlockConfig crooked{.d_model = 256, .heads = 7};
auto made(gt::FrozenTable const& table) { return gt::Transformer(table, gt::fixed<crooked>, gt::seed(1)); }
