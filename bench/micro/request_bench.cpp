// Whole requests through a worker, without a kernel: read, routed, run, recorded, answered.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fnkit/server/worker.hpp"
#include "micro/measured.hpp"
#include "micro/memory_ring.hpp"
#include "micro/messages.hpp"

namespace fnkit::bench {
namespace {

// Connections are open, functions trusted, memory is there to be used again.
constexpr int64_t kWarmUpRequests = 2000;
constexpr size_t kStepsMax = 3;

struct NoPages final : server::PageSource {
  void ask(server::PageQuestion&) override { REQUIRE(false); }
};

server::Settings settings() {
  server::Settings settings;
  settings.step_url = *server::StepUrl::parse("http://{step}:8080");
  for (size_t i = 0; i < kStepsMax; ++i) {
    const std::string step = "step-" + std::to_string(i + 1);
    settings.resolve[step].address = *net::Address::parse("10.0.0.1:" + std::to_string(8001 + i));
  }
  return settings;
}

std::shared_ptr<const store::Snapshot> pipelines(std::string_view config) {
  auto entry = std::make_shared<store::Entry>();
  entry->name = "process-order";
  entry->plan = std::make_shared<pipeline::Plan>(*pipeline::compile(config));
  return store::Snapshot().with({{entry->name, entry}});
}

// `callers` say their requests all at once, and again when all are answered.
class Load final : MemoryRing::Outside {
 public:
  Load(benchmark::State& state, std::string_view config, size_t callers)
      : state_(state),
        ring_(*this),
        listener_(ring_.listen()),
        worker_(settings_, {listener_}),
        callers_(callers) {
    worker_.publish(
        std::make_shared<const server::Tokens>(std::vector<std::string>{std::string(kToken)}));
    worker_.publish(pipelines(config));
  }

  void run() {
    NoPages pages;
    worker_.run(ring_, pages);
  }

  // Answered since the warming up.
  double requests() const {
    return static_cast<double>(state_.iterations()) * static_cast<double>(callers_);
  }

 private:
  // Functions answer each request; it is known how long one is since a connection's first came.
  struct Socket {
    int fd;
    bool is_caller;
    size_t request_bytes = 0;
  };

  void idle() override {
    REQUIRE(unanswered_ == 0);
    if (sockets_.size() < callers_) {
      sockets_.push_back({ring_.connect_to(listener_), true});
    } else if (warm_up_left_ > 0) {
      warm_up_left_ -= static_cast<int64_t>(callers_);
      say_requests();
    } else if (!ending_) {
      say_or_end();
    }
  }

  void say_or_end() {
    if (!meter_) meter_.emplace();
    if (state_.KeepRunning()) {
      say_requests();
    } else {
      meter_->stop(state_, requests());
      ending_ = true;
      worker_.drain();
    }
  }

  void say_requests() {
    for (size_t i = 0; i < callers_; ++i) ring_.say(sockets_[i].fd, request_);
    unanswered_ = callers_;
  }

  void sent(int fd, std::span<const iovec> parts) override {
    Socket& socket = socket_of(fd);
    if (socket.is_caller) {
      constexpr std::string_view kGood = "HTTP/1.1 200 ";
      const std::string_view head(static_cast<const char*>(parts[0].iov_base), parts[0].iov_len);
      REQUIRE(head.starts_with(kGood) && unanswered_ > 0);
      --unanswered_;
      return;
    }
    size_t bytes = 0;
    for (const iovec& part : parts) bytes += part.iov_len;
    if (socket.request_bytes == 0) socket.request_bytes = bytes;
    REQUIRE(bytes % socket.request_bytes == 0);
    for (; bytes > 0; bytes -= socket.request_bytes) ring_.say(fd, answer_);
  }

  Socket& socket_of(int fd) {
    const auto at = static_cast<size_t>(fd - listener_ - 1);
    while (sockets_.size() <= at) {
      sockets_.push_back({listener_ + 1 + static_cast<int>(sockets_.size()), false});
    }
    return sockets_[at];
  }

  benchmark::State& state_;
  const server::Settings settings_ = settings();
  MemoryRing ring_;
  int listener_;
  server::Worker worker_;
  const size_t callers_;
  const std::string request_ = caller_request("process-order");
  const std::string answer_ = function_answer(100);
  std::vector<Socket> sockets_;
  size_t unanswered_ = 0;
  int64_t warm_up_left_ = kWarmUpRequests;
  std::optional<Meter> meter_;
  bool ending_ = false;
};

void requests(benchmark::State& state, std::string_view config) {
  Load load(state, config, static_cast<size_t>(state.range(0)));
  load.run();
  state.SetItemsProcessed(static_cast<int64_t>(load.requests()));
}

void request_one(benchmark::State& state) { requests(state, R"({"steps":["step-1"]})"); }
void request_sequential(benchmark::State& state) {
  requests(state, R"({"steps":["step-1","step-2","step-3"]})");
}
void request_parallel(benchmark::State& state) {
  requests(state, R"({"steps":["step-1","step-2","step-3"],"mode":"parallel"})");
}
BENCHMARK(request_one)->Arg(1)->Apply(as_asked);
BENCHMARK(request_sequential)->Arg(1)->Arg(64)->Apply(as_asked);
BENCHMARK(request_parallel)->Arg(1)->Arg(64)->Apply(as_asked);

}  // namespace
}  // namespace fnkit::bench

BENCHMARK_MAIN();
