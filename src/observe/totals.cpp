#include "fnkit/observe/totals.hpp"

namespace fnkit::observe {
namespace {

void add(StepTotal& total, const StepSeries& step) {
  for (size_t i = 0; i < kCauses; ++i) total.ended[i] += step.ended[i].get();
  total.latency.add(step.latency);
  const uint64_t last_ended = step.last_ended.get();
  if (last_ended < total.last_ended) return;
  total.last_ended = last_ended;
  total.last_failed = step.last_failed.get() != 0;
}

void add(PipelineTotal& total, const PipelineSeries& pipeline) {
  for (size_t i = 0; i < total.answered.size(); ++i) {
    total.answered[i] += pipeline.answered[i].get();
  }
  total.failed += pipeline.failed.get();
  total.cancelled += pipeline.cancelled.get();
  total.in_progress += pipeline.in_progress.get();
  total.latency.add(pipeline.latency);
}

}  // namespace

uint64_t StepTotal::failures() const {
  uint64_t failures = 0;
  for (const uint64_t each : ended) failures += each;
  return failures - of(Cause::none) - of(Cause::cancelled);
}

uint64_t PipelineTotal::requests() const {
  uint64_t requests = 0;
  for (const uint64_t each : answered) requests += each;
  return requests;
}

void Totals::add(const CoreSeries& core) {
  core.steps.each([this](const StepSeries& step) { observe::add(steps[step.name], step); });
  core.pipelines.each(
      [this](const PipelineSeries& pipeline) { observe::add(pipelines[pipeline.name], pipeline); });
  for (size_t status = 0; status < CoreSeries::kStatuses; ++status) {
    const uint64_t count = core.unrouted[status].get();
    if (count > 0) unrouted[static_cast<int>(status)] += count;
  }
  for (size_t i = 0; i < kLimits; ++i) limits[i] += core.limits[i].get();
}

}  // namespace fnkit::observe
