// expect: only models of gt::Block have the shape of Starcoder2
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/text/tokenizer.hpp"

constexpr gt::BlockConfig shape{.d_model = 64, .heads = 2};
struct Mine : gt::Block<shape> {
  using gt::Block<shape>::Block;
};
void use(gt::Transformer<shape, float, Mine> const& model, gt::Tokenizer const& tokenizer) {
  gt::save(model, tokenizer, "folder");
}
