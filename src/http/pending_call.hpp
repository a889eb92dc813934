// A call from its being made to its end.
#pragma once

#include <optional>

#include "fnkit/base/intrusive_list.hpp"
#include "fnkit/coro/event.hpp"
#include "fnkit/http/call.hpp"
#include "fnkit/net/stream.hpp"

namespace fnkit::http {

class ClientConnection;
class Upstream;
struct WaitingTag;

// Lives in the frame of the coroutine that awaits `ended`. Until then it stands in its upstream's
// waiting list (linked) or in the line of a connection.
struct PendingCall : ListNode<WaitingTag> {
  PendingCall(Upstream* to, const OutgoingRequest& what, Instant until, ring::Timer::Action late)
      : upstream(to), request(what), deadline(until), timer(late, this) {}

  void end(CallResult result) {
    REQUIRE(!outcome && !linked());
    outcome.emplace(std::move(result));
    connection = nullptr;
    timer.unlink();
    ended.set();
  }

  Upstream* const upstream;
  const OutgoingRequest& request;
  const Instant deadline;
  ClientConnection* connection = nullptr;
  bool repeated = false;  // this is the second time: only on a new connection, and alone
  ring::Timer timer;
  coro::Event ended;
  std::optional<CallResult> outcome;
};

}  // namespace fnkit::http
