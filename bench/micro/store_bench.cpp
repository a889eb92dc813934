// From a pipeline's name to its plan.
#include <string>
#include <vector>

#include "fnkit/base/random.hpp"
#include "fnkit/store/snapshot.hpp"
#include "micro/measured.hpp"

namespace fnkit::bench {
namespace {

// Names in no order: each lookup meets lines that are in no cache.
void plan_lookup(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  std::vector<std::string> names;
  std::vector<store::Change> changes;
  for (size_t i = 0; i < count; ++i) {
    names.push_back("pipeline-" + std::to_string(i));
    auto entry = std::make_shared<store::Entry>();
    entry->name = names.back();
    changes.push_back({names.back(), std::move(entry)});
  }
  const auto pipelines = store::Snapshot().with(std::move(changes));
  Random random(1);
  measured(state, [&] {
    const store::Entry* entry = pipelines->find(names[random.below(count)]);
    REQUIRE(entry != nullptr);
    benchmark::DoNotOptimize(entry->plan.get());
  });
}
BENCHMARK(plan_lookup)->Arg(10)->Arg(100'000)->Apply(as_asked);

}  // namespace
}  // namespace fnkit::bench
