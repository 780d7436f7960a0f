// expect: heads_divide_d_model
#include "gt/nn/transformer.hpp"

using Crooked = gt::Transformer<gt::BlockConfig{.d_model = 256, .heads = 7}>;
Crooked* model = nullptr;
