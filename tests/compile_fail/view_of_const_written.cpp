// expect: read-only|const-qualified
#include "gt/core/view.hpp"

void write(gt::Matrix<float const> x) { x(0, 0) = 1; }
