// The callers of the identity test. Prints each fault, "kind id pipeline why: what came", and
// totals; exit status 1 where there was a fault.
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "caller.hpp"

namespace {

using namespace identity;

struct Options {
  size_t callers = 64;
  size_t threads = 2;

  bool parse(int count, char** words, Work& work);
};

bool parse_pipelines(std::string_view text, std::vector<Pipeline>& pipelines) {
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    auto pipeline = Pipeline::parse(name);
    if (!pipeline) return false;
    pipelines.push_back(std::move(*pipeline));
  }
  return true;
}

bool Options::parse(int count, char** words, Work& work) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const std::string_view value = words[i + 1];
    const auto figure = number(value);
    if (name == "--pipelines") {
      if (!parse_pipelines(value, work.pipelines)) return false;
    } else if (name == "--reliable") {
      work.reliable = value;
    } else if (!figure) {
      return false;
    } else if (name == "--port") {
      work.port = static_cast<uint16_t>(*figure);
    } else if (name == "--calls") {
      work.calls_wanted = *figure;
    } else if (name == "--seed") {
      work.seed = *figure;
    } else if (name == "--callers") {
      callers = *figure;
    } else if (name == "--threads") {
      threads = *figure;
    } else if (name == "--lull-every") {
      work.lull_every = *figure;
    } else if (name == "--leaves") {
      work.leaves = *figure;
    } else if (name == "--patience") {
      work.patience = static_cast<Nanoseconds>(*figure) * kSecond;
    } else {
      return false;
    }
  }
  return count % 2 == 1 && work.port != 0 && !work.pipelines.empty() && callers > 0 &&
         callers <= 99999 && threads > 0 && threads <= callers && work.lull_every > 0;
}

// The callers of one thread.
void call(Work& work, Totals& totals, uint32_t first, uint32_t step, size_t callers) {
  Loop loop;
  std::vector<std::unique_ptr<Caller>> made;
  for (uint32_t i = first; i < callers; i += step) made.push_back(nullptr);
  size_t working = made.size();
  for (size_t i = 0; i < made.size(); ++i) {
    const auto number = first + static_cast<uint32_t>(i) * step;
    made[i] = std::make_unique<Caller>(loop, work, totals, working, number);
    made[i]->start();
  }
  loop.run();
}

void print(const Work& work, const Totals& totals) {
  std::printf("callers seed=%" PRIu64 " calls=%" PRIu64 " requests=%" PRIu64 " ok=%" PRIu64,
              work.seed, work.calls.load(), totals.requests, totals.right);
  for (size_t status = 0; status < totals.failed.size(); ++status) {
    if (totals.failed[status] > 0) {
      std::printf(" failed_%zu=%" PRIu64, status, totals.failed[status]);
    }
  }
  std::printf(" left=%" PRIu64 " closes=%" PRIu64 " wrong=%" PRIu64 " unanswered=%" PRIu64
              " unasked=%" PRIu64 "\n",
              totals.left, totals.lost, totals.wrong, totals.unanswered, totals.unasked);
}

}  // namespace

int main(int count, char** words) {
  Work work;
  Options options;
  if (!options.parse(count, words, work)) {
    std::fprintf(stderr,
                 "usage: %s --port N --calls N --pipelines s-abc,p-abc,… [--seed N] [--callers N] "
                 "[--threads N] [--reliable abc] [--lull-every N] [--leaves OF_10000] "
                 "[--patience SECONDS]\n",
                 words[0]);
    return 2;
  }
  ocean();
  std::vector<Totals> totals(options.threads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < options.threads; ++i) {
    threads.emplace_back(call, std::ref(work), std::ref(totals[i]), static_cast<uint32_t>(i),
                         static_cast<uint32_t>(options.threads), options.callers);
  }
  for (auto& thread : threads) thread.join();
  Totals all;
  for (const Totals& each : totals) all.add(each);
  print(work, all);
  return all.wrong + all.unanswered + all.unasked == 0 ? 0 : 1;
}
