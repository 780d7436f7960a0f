// SPDX-License-Identifier: MIT
// Tokenizers, corpora, windows: the bodies that gt/text/ only declares where gt::prebuilt is linked.
#include "gt/text/bpe_impl.hpp"
#include "gt/text/corpus_impl.hpp"
#include "gt/text/mixed_windows_impl.hpp"
#include "gt/text/token_shard_impl.hpp"
#include "gt/text/tokenizer_build_impl.hpp"
#include "gt/text/tokenizer_impl.hpp"
#include "gt/text/tokenizer_json_impl.hpp"
#include "gt/text/tokens_impl.hpp"
#include "gt/text/upper_case_impl.hpp"
#include "gt/text/vocabulary_impl.hpp"
#include "gt/text/windows_impl.hpp"
