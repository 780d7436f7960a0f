// SPDX-License-Identifier: MIT
// Growing, running, saving and opening the default model on this unit's CPU backend, its tokenizer and its substrates,
// declared: gt::prebuilt has them, so that a program compiles only what is its own.
#pragma once

#include "gt/backend/cpu/isa.hpp"
#include "gt/cpu.hpp"
#include "gt/fonts/font_chain.hpp"
#include "gt/formats/hugging_face/any_model_folder.hpp"
#include "gt/formats/hugging_face/folder_tokenizer.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/grow/grow.hpp"
#include "gt/infer/any_model.hpp"
#include "gt/infer/generate.hpp"
#include "gt/infer/score.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/nn/passes.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/runs/checkpoint.hpp"
#include "gt/substrate/code_embedding.hpp"
#include "gt/substrate/glyph_embedding.hpp"
#include "gt/substrate/pca.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_json.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE extern template
#include "gt/prebuilt/models.inc"
#undef GT_INSTANCE

}  // namespace gt
