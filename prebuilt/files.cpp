// SPDX-License-Identifier: MIT
// Reading and writing models, ensembles, adapters and checkpoints, and all files below them.
#include "gt/formats/embedded/embed_impl.hpp"
#include "gt/formats/ensemble_folder_impl.hpp"
#include "gt/formats/gguf/file_impl.hpp"
#include "gt/formats/gguf/gguf_impl.hpp"
#include "gt/formats/gguf/tokenizer_impl.hpp"
#include "gt/formats/hugging_face/folder_tokenizer_impl.hpp"
#include "gt/formats/hugging_face/model_config_impl.hpp"
#include "gt/formats/hugging_face/model_folder_impl.hpp"
#include "gt/formats/hugging_face/tensor_files_impl.hpp"
#include "gt/formats/hugging_face/tensor_reader_impl.hpp"
#include "gt/formats/name_map_impl.hpp"
#include "gt/formats/peft/name_pattern_impl.hpp"
#include "gt/formats/peft/peft_config_impl.hpp"
#include "gt/formats/peft/peft_impl.hpp"
#include "gt/io/atomic_file_impl.hpp"
#include "gt/io/file_lock_impl.hpp"
#include "gt/io/folder_impl.hpp"
#include "gt/io/json_impl.hpp"
#include "gt/io/json_path_impl.hpp"
#include "gt/io/mapped_file_impl.hpp"
#include "gt/io/safetensors_impl.hpp"
#include "gt/io/staging_impl.hpp"
#include "gt/io/text_file_impl.hpp"
#include "gt/io/window_store_impl.hpp"
#include "gt/prebuilt/ensembles.hpp"
#include "gt/prebuilt/models.hpp"
#include "gt/runs/checkpoint_history_impl.hpp"
#include "gt/runs/checkpoint_impl.hpp"
#include "gt/runs/progress_impl.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE template
#define GT_PART 2
#include "gt/prebuilt/ensembles.inc"
#include "gt/prebuilt/models.inc"

}  // namespace gt
