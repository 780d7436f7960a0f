// expect: only models of gt::Block have the shape of Starcoder2
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/text/tokenizer.hpp"

struct Mine : gt::Block<> {
  using gt::Block<>::Block;
};
void use(gt::Transformer<Mine> const& model, gt::Tokenizer const& tokenizer) { gt::save(model, tokenizer, "folder"); }
