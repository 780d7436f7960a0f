// expect: could not convert|no viable conversion
#include "gt/core/view.hpp"

gt::Matrix<float> writable(gt::Matrix<float const> x) { return x; }
