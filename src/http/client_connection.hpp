// One connection to a function: calls out, one behind the other, their answers in.
#pragma once

#include <optional>
#include <vector>

#include "fnkit/http/call.hpp"
#include "fnkit/net/stream.hpp"
#include "http/pending_call.hpp"

namespace fnkit::http {

struct ConnectionTag;

// Made connected. Calls stand in a line, in the order in which they are sent and answered; those
// added in one turn of the loop leave in one send. While nobody stands in line it watches for the
// peer's end, for bytes that nobody asked for, and for the end of its idle time. One thread.
//
// When it ends, whoever is still in line is judged. A call is sent at most once, with two
// exceptions, each once and on a new connection (CONTRACT section 5, RFC 9110 section 9.2.2):
//
//   of the call                                 | it
//   nothing had been accepted by the kernel     | goes out again
//   something had, on a new connection          | is broken
//   something had, on a used one; no answer yet | goes out again if it may be repeated
//   a part of its answer had come               | is broken
//
// Behind another call the same holds: calls are only ever put behind others on used connections.
class ClientConnection : public ListNode<ConnectionTag> {
 public:
  // How it ended, in the order of what it says against the function: idle, or by its caller's will;
  // while in use, also where that was announced; while calls shared it.
  enum class Ending { idle, in_use, shared };

  struct Owner {
    virtual ~Owner() = default;
    // A call was answered as it should be; it had taken the function so long.
    virtual void answered(ClientConnection& connection, Duration service) = 0;
    // Its line has become shorter.
    virtual void has_room(ClientConnection& connection) = 0;
    // `call` must and may go out again.
    virtual void again(ClientConnection& connection, PendingCall& call) = 0;
    // To be closed: it is of no more use, and nobody stands in its line.
    virtual void ended(ClientConnection& connection, Ending how) = 0;
  };

  // Larger calls are sent from where they are, and so alone: they cannot leave before the kernel
  // has let go of their bytes.
  static constexpr size_t kShareableBytesMax = 16 * 1024;
  static bool may_share(const PendingCall& call) {
    return call.request.may_share && !call.repeated &&
           call.request.head.size() + call.request.body.size() <= kShareableBytesMax;
  }

  // Takes over `fd`. `options`, `owner` and `busy` must outlive it; `busy` is one more while
  // somebody stands in line.
  ClientConnection(ring::Ring& ring, int fd, const ClientOptions& options, Owner& owner,
                   Counter& busy);

  // Nobody stands in line, and a call may be added.
  bool free() const { return line_.empty() && !no_more_ && intact(); }
  // Another call that may share may be added behind those in line.
  bool can_be_shared() const { return used_ && !alone_ && !no_more_ && intact(); }
  size_t calls() const { return line_.size(); }
  // It is going to send in this turn anyway.
  bool gathering() const { return handed_over_ < line_.size(); }
  // How long the first in line has been waiting for its answer.
  Duration first_waits() const;

  // `call` stands in line until it ends or is given back by Owner::again().
  void add(PendingCall& call);
  // Ends `call` with `why`: now, or where the kernel still reads its bytes, soon. Where others
  // stand in line it keeps its place, and its answer is discarded, within bounds of bytes and time.
  void give_up(PendingCall& call, CallError why);
  // Takes no more calls: ends when nobody stands in line.
  void retire();

  coro::Task<void> close();

 private:
  struct Place {
    PendingCall* call;  // nullptr: given up; its answer will be discarded
    bool to_head;
    uint64_t begins = 0;  // its bytes among all that are sent on this connection
    uint64_t ends = 0;
    Instant sent_at;
  };

  bool intact() const { return !ending_ && !stream_.ended() && stream_.input().empty(); }
  // Bytes that the kernel has accepted so far.
  uint64_t accepted() const { return accepted_ + (stream_.sending() ? stream_.bytes_sent() : 0); }
  void work();
  void send_ended();
  void read_answers();
  bool nobody_asked() const;
  void read_more_of_answer();
  void take_answer();
  void leave_line(std::vector<Place>::iterator place);
  void first_changed();
  void send_line();
  bool still_silent();
  void not_answered();
  void end(Ending how, CallError::Kind kind, std::string detail);
  void conclude();
  void judge(const Place& place, size_t index);
  std::string ended_before(std::string_view what) const;
  static void look(void* connection);

  ring::Ring& ring_;
  const ClientOptions& options_;
  Owner& owner_;
  Counter& busy_;
  net::Stream stream_;
  ResponseParser parser_;
  std::vector<Place> line_;
  size_t handed_over_ = 0;  // of the line, the first so many have been given to the stream
  Buffer outgoing_;         // what is being sent, but for a large body
  uint64_t handed_over_bytes_ = 0;
  uint64_t accepted_ = 0;  // without the send under way
  Instant last_answer_;
  Duration idle_timeout_;
  bool sending_ = false;   // the end of a send has not been looked at
  bool received_ = false;  // something of the first one's answer has come
  bool used_ = false;      // an answer has come here
  bool shared_ = false;    // several have been handed over, and of these one is still in line
  bool alone_ = false;     // the one in line shares with nobody
  bool no_more_ = false;   // ends when the line is empty
  bool shorter_ = false;   // the owner has not yet been told of room in line
  bool ending_ = false;
  Ending how_ = Ending::idle;
  CallError why_{CallError::Kind::broken, {}};    // it ended, as the first in line is told
  std::optional<IncomingResponse> early_answer_;  // to the first, which was not all sent
  ring::Deferred work_;
  ring::Deferred departure_;
  ring::Timer idle_timer_;
  ring::Timer discard_timer_;
};

}  // namespace fnkit::http
