// expect: BlockHasNamedTensors
#include "gt/nn/transformer.hpp"

constexpr gt::BlockConfig shape{.d_model = 64, .heads = 2};
struct Nothing {};
gt::Transformer<shape, float, Nothing> grown();
void use() { grown(); }
