// SPDX-License-Identifier: MIT
// The bodies that gt/text/ only declares where gt::prebuilt is linked.
#include "gt/text/tokenizer_build_impl.hpp"
