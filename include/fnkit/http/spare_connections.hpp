// Connections to functions that nobody uses now and the next streamed call may.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "fnkit/base/intrusive_list.hpp"
#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/stream.hpp"

namespace fnkit::http {

// One that ends, or says something though nobody asked, or has idled long enough, is closed.
// One thread.
class SpareConnections {
 public:
  // At most `each_max` are kept to one endpoint. `ring` must outlive it.
  SpareConnections(ring::Ring& ring, size_t each_max) : ring_(ring), each_max_(each_max) {}

  // The one to `endpoint` that was used last, or nullptr.
  std::unique_ptr<net::Stream> take(const std::string& endpoint);
  // `stream` has nothing under way. Zero `idle_time`: it is closed.
  void keep(const std::string& endpoint, std::unique_ptr<net::Stream> stream, Duration idle_time);
  // Closes `stream`, some time.
  void discard(std::unique_ptr<net::Stream> stream);

  // Closes all; returns when none is open. None may be given to keep() or discard() any more.
  coro::Task<void> close();

 private:
  struct SpareTag;
  struct Spare;
  struct Spares {
    IntrusiveList<Spare, SpareTag> list;  // used last, first
    size_t count = 0;
  };
  using Endpoints = std::map<std::string, Spares>;  // with some
  struct Spare : ListNode<SpareTag> {
    Spare(SpareConnections& all, Endpoints::iterator to, std::unique_ptr<net::Stream> connection)
        : owner(all), endpoint(to), stream(std::move(connection)), timer(&is_over, this) {}
    SpareConnections& owner;
    const Endpoints::iterator endpoint;
    std::unique_ptr<net::Stream> stream;
    ring::Timer timer;
  };

  void drop(Spare& spare);
  std::unique_ptr<net::Stream> remove(Spare& spare);
  coro::Task<void> close_and_free(std::unique_ptr<net::Stream> stream);
  static void is_over(void* spare);

  ring::Ring& ring_;
  const size_t each_max_;
  Endpoints endpoints_;
  coro::TaskGroup closing_;
};

}  // namespace fnkit::http
