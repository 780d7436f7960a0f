// expect: could not convert|no viable conversion
#include "gt/core/view.hpp"

gt::View<float, 8, 4> transposed(gt::View<float, 4, 8> x) { return x; }
