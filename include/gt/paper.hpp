// SPDX-License-Identifier: MIT
// Models and plans of the papers. The author's tokenizer and pictures are by themselves: gt/paper/bvv241.hpp and
// gt/paper/bvv241_glyphs.hpp.
#pragma once

#include "gt/gt.hpp"
#include "gt/paper/named_plans.hpp"
#include "gt/paper/presets.hpp"
