// expect: derived_from<.*GrowthObserver.* evaluated to
#include "gt/backend/ref/ref.hpp"
#include "gt/grow/grow.hpp"

struct Printer {
  void step_done(gt::StepDone const&) {}
};

void run(gt::Transformer<>& model, gt::TokenizedCorpus const& corpus) {
  gt::grow(gt::Ref{}, model, gt::GrowthPlan{gt::deepen(1)}, corpus, {}, {}, Printer{});
}
