// A call to a function, as its caller sees it: what is sent, what may go wrong, what is allowed.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "fnkit/base/counter.hpp"
#include "fnkit/base/result.hpp"
#include "fnkit/base/roster.hpp"
#include "fnkit/base/time.hpp"
#include "fnkit/http/message_parser.hpp"

namespace fnkit::http {

// A call's bytes; they must stay until the call has returned.
struct OutgoingRequest {
  std::string_view head;  // request line, headers and the empty line
  std::string_view body;
  bool is_head = false;     // method HEAD
  bool may_repeat = false;  // idempotent: sending it twice does no harm
  bool may_share = true;    // others may be on their way over the same connection
  bool continues = false;   // what it is for has had answers: it goes before calls that begin
};

// Why a call has no answer.
struct CallError {
  enum class Kind {
    unreachable,       // no connection could be had
    no_connection,     // none in time: not connected, or none became free
    broken,            // the connection ended before the answer was complete
    protocol,          // the answer is no acceptable HTTP
    timeout,           // its deadline
    not_read,          // the function takes no more bytes of the request
    too_many_waiting,  // too many calls wait already
    too_much_held,     // the core's budget for messages is used up
    cancelled,
  };
  Kind kind;
  std::string detail;  // for a person
};

using CallResult = Result<IncomingResponse, CallError>;

struct ClientOptions {
  MessageLimits limits;  // of an answer; body_bytes_max is the largest answer taken
  Duration connect_timeout = std::chrono::seconds(5);  // to have a connection: new, or become free
  Duration write_timeout = std::chrono::seconds(30);   // without a byte getting away
  Duration idle_timeout = std::chrono::milliseconds(1500);  // without a Keep-Alive promise
  Duration idle_timeout_max = std::chrono::seconds(60);
  size_t connections_max = 64;  // to one function
  size_t waiting_max = 1024;    // calls waiting for a connection to one function
  size_t pipelining_depth = 8;  // calls sharing a connection; 1: none does
  Duration pipelining_wait = std::chrono::microseconds(500);  // that sharing may cost a call
  unsigned pipelining_trust = 1000;  // good answers in a row before calls share connections

  // How long a connection may idle behind an answer with this Keep-Alive; zero: not at all.
  Duration idle_time(std::string_view keep_alive) const;
};

// What became of the calls of one core.
struct CallCounts {
  uint64_t answered = 0;   // with whatever status
  uint64_t failed = 0;     // every other end but the next
  uint64_t cancelled = 0;  // given up because the caller was gone or another step had failed
  uint64_t connected = 0;  // connections opened
  uint64_t shared = 0;     // calls sent behind another that was not answered yet
  uint64_t repeated = 0;   // calls sent again on a new connection
};

// The same of one endpoint, and its connections; written by the pool's thread, read by any.
struct EndpointCounts {
  explicit EndpointCounts(std::string_view endpoint) : name(endpoint) {}

  const std::string name;  // Endpoint::to_text()
  Counter answered, failed, cancelled, connected, shared, repeated;
  Counter connecting;  // connections being opened now
  Counter open;        // open now, busy or idle
  Counter busy;        // of these, with at least one call in line
  // Calls by how many stood in line when they were added, themselves included: 1, 2, up to 4, 8,
  // 16, 32, and more.
  static constexpr std::array<size_t, 6> kDepths = {1, 2, 4, 8, 16, 32};
  std::array<Counter, kDepths.size() + 1> depths;
  Counter depth_sum;
};
using ClientCounts = Roster<EndpointCounts>;

}  // namespace fnkit::http
