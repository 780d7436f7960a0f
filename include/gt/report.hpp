// SPDX-License-Identifier: MIT
// Pages and pictures of a run.
#pragma once

#include "gt/gt.hpp"
#include "gt/report/profile_table.hpp"
#include "gt/report/run_report.hpp"
#include "gt/report/write_report.hpp"
