// expect: BlockHasNamedTensors
#include "gt/nn/transformer.hpp"

struct Nothing {};
gt::Transformer<Nothing> grown();
void use() { grown(); }
