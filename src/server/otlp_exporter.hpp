// Spans leave for an OTLP/HTTP receiver, in the background and never at a request's cost.
#pragma once

#include <deque>
#include <vector>

#include "fnkit/http/client_pool.hpp"
#include "fnkit/net/bell.hpp"
#include "fnkit/observe/otlp.hpp"
#include "fnkit/server/otlp_endpoint.hpp"

namespace fnkit::server {

// Sends what waits each second, or at once when kBatchMax spans do, one request at a time. The
// receiver's answers (opentelemetry-proto, docs/specification.md, "OTLP/HTTP Response"):
//
// - 2xx: the spans are exported, but for those it says it has rejected, which are dropped.
// - 429, 502, 503, 504, or no whole answer: the same spans are sent again after a wait that grows
//   with each time, or after the seconds of Retry-After (at most kRetryAfterMax).
// - Everything else: the spans are dropped.
//
// That spans do not get through is said once, and that they do again. One thread.
class OtlpExporter {
 public:
  static constexpr size_t kSpansMax = 2048;  // held: waiting or on their way
  static constexpr size_t kBatchMax = 512;   // in one request
  static constexpr Duration kInterval = std::chrono::seconds(1);
  static constexpr Duration kCallTimeout = std::chrono::seconds(10);
  static constexpr Duration kRetryAfterMax = std::chrono::minutes(5);
  static constexpr Duration kFarewell = std::chrono::milliseconds(500);

  // The references must outlive it.
  OtlpExporter(ring::Ring& ring, net::Resolver& resolver, Random& random, OtlpEndpoint endpoint,
               observe::Resource resource);

  // Dropped where kSpansMax are held already, or after stop().
  void add(observe::Span span);

  // Exports until stop(), and returns when nothing of it is open any more.
  coro::Task<void> run();
  // What is held has kFarewell left to get away; the rest is dropped.
  void stop();

  uint64_t exported() const { return exported_; }
  uint64_t dropped() const { return dropped_; }

 private:
  Instant due_for_waiting() const;
  size_t held() const { return batch_.size() + waiting_.size(); }
  coro::Task<void> export_batch();
  void take_batch();
  void judge(const http::IncomingResponse& answer);
  void judge_accepted(const http::IncomingResponse& answer);
  void keep(std::string_view why, Duration wait_min);
  void drop(std::string_view why);
  void tell(std::string_view trouble);
  Duration next_wait();
  static void time_is_up(void* exporter);

  ring::Ring& ring_;
  Random& random_;
  OtlpEndpoint endpoint_;
  observe::Resource resource_;
  const http::ClientOptions options_;
  http::ClientCounts counts_;
  http::ClientPool pool_;
  std::deque<observe::Span> waiting_;
  std::vector<observe::Span> batch_;  // on its way, or to be sent again
  Instant due_ = kNever;              // the next request; while one is on its way: nothing
  Duration wait_;
  bool in_trouble_ = false;
  bool stopped_ = false;
  uint64_t exported_ = 0;
  uint64_t dropped_ = 0;
  net::Bell bell_;
  ring::Timer farewell_;
  coro::CancelScope scope_;
};

}  // namespace fnkit::server
