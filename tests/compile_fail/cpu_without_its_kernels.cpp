// expect: incomplete|undefined
// The backend is defined by gt/cpu.hpp alone, so that no program runs without its kernels.
#include "gt/backend/cpu/gemm.hpp"
#include "gt/nn/transformer.hpp"

gt::Cpu<> const cpu(2);
