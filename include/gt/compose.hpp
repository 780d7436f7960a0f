// SPDX-License-Identifier: MIT
// Models that stand on one substrate as one: ensembles, how they are mixed, trained and run, and their folders.
#pragma once

#include "gt/compose/ensemble.hpp"
#include "gt/compose/passes.hpp"
#include "gt/compose/session.hpp"
#include "gt/compose/trainer.hpp"
#include "gt/formats/ensemble_folder.hpp"
#include "gt/gt.hpp"

#if defined(GT_PREBUILT)
  #include "gt/prebuilt/ensembles.hpp"
#endif
