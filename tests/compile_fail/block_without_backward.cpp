// expect: BlockHasBackward
#include "gt/nn/transformer.hpp"

constexpr gt::BlockConfig shape{.d_model = 64, .heads = 2};
struct NoWayBack : gt::Block<shape> {
  using gt::Block<shape>::Block;
  void backward() const;  // hides the one that would fit
};
gt::Transformer<shape, float, NoWayBack> grown();
void use() { grown(); }
