// expect: BlockHasBackward
#include "gt/nn/transformer.hpp"

struct NoWayBack : gt::Block<> {
  using gt::Block<>::Block;
  void backward() const;  // hides the one that would fit
};
gt::Transformer<NoWayBack> grown();
void use() { grown(); }
