// Bringing what was recorded to the store, in the background.
#pragma once

#include <memory>
#include <string>

#include "fnkit/base/random.hpp"
#include "fnkit/net/bell.hpp"
#include "fnkit/observe/batch.hpp"
#include "fnkit/store/server_finder.hpp"

namespace fnkit::server {

// Four times a second, one batch of at most the 1000 newest traces and events and of what the
// counters have grown by; once a second while batches are full, as each replaces the one before: of
// four the store would only have the work. A batch is sent until the server has said that it has
// it, so what is counted is counted once; what is recorded meanwhile waits at its source, which is
// bounded. One thread: the control thread's.
class StoreFlusher {
 public:
  // Where batches come from.
  struct Source {
    virtual ~Source() = default;
    virtual coro::Task<observe::Batch> next_batch() = 0;
  };

  static constexpr Duration kInterval = std::chrono::milliseconds(250);
  static constexpr Duration kIntervalWhenFull = std::chrono::seconds(1);

  StoreFlusher(ring::Ring& ring, net::Resolver& resolver, Random& random,
               const store::Location& location, Source& source);

  // Until stop(), and then once more, within kLastFlush.
  coro::Task<void> run();
  void stop();

  // The last batch arrived.
  bool well() const { return well_; }

 private:
  static constexpr Duration kLastFlush = std::chrono::milliseconds(500);
  static constexpr Duration kWaitMax = std::chrono::seconds(4);

  coro::Task<void> flush();
  coro::Task<Result<void>> send();
  coro::Task<Result<void>> connect();
  coro::Task<void> disconnect();
  void failed(const Error& why);
  static void give_up(void* flusher);

  ring::Ring& ring_;
  Source& source_;
  store::ServerFinder servers_;
  const std::string instance_;
  std::unique_ptr<valkey::Connection> connection_;
  std::string batch_;  // being brought, as the server reads it; empty: none is
  uint64_t batches_ = 0;
  Duration interval_ = kInterval;  // from this batch to the next
  Duration wait_ = kInterval;      // longer than that where it does not arrive
  bool well_ = false;
  std::string trouble_;
  bool stopping_ = false;
  coro::CancelScope scope_;
  net::Bell bell_;
  ring::Timer last_chance_;
};

}  // namespace fnkit::server
