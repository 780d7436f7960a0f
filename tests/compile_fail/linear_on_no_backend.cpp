// expect: satisf[a-z]*( of)? [^a-zA-Z]*Backend
#include "gt/ops/linear.hpp"

struct NoBackend {
  int threads() const { return 1; }
};

void run(gt::Matrix<float> x, gt::Matrix<float> w, gt::Matrix<float> y) { gt::ops::linear(NoBackend{}, x, w, {}, y); }
