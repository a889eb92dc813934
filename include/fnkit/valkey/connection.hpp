// A connection to Valkey or Redis: commands, pipelines and subscriptions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fnkit/net/resolver.hpp"
#include "fnkit/net/stream.hpp"
#include "fnkit/net/tls.hpp"
#include "fnkit/valkey/reply.hpp"

namespace fnkit::valkey {

// Where a server is, and who asks.
struct Endpoint {
  net::HostPort server;  // a name or an IP address; not looked at where `path` is set
  std::string path;      // of a Unix socket
  std::string user;      // empty: the default user
  std::string password;  // both empty: no AUTH
  unsigned database = 0;
  std::optional<net::TlsFiles> tls;  // nothing: plain
};

// Every error is one sentence for a person, without the server's address. One thread, and one call
// of command(), pipeline(), send() or receive() at a time, but for send() beside receive().
//
// It ends in three steps: stop() makes every wait fail with ECANCELED; close() waits until the
// kernel has let go; then it may be destroyed.
class Connection {
 public:
  // A server that says nothing for so long while something is expected of it is dead.
  static constexpr Duration kSilenceMax = std::chrono::seconds(3);

  // Connects, then TLS, AUTH and SELECT where they are needed; TLS files are read anew each time.
  // ECANCELED when `scope` is cancelled.
  static coro::Task<Result<std::unique_ptr<Connection>>> open(ring::Ring& ring,
                                                              net::Resolver& resolver,
                                                              Endpoint endpoint,
                                                              coro::CancelScope& scope);
  // Takes over the connected socket `fd`, as it is.
  Connection(ring::Ring& ring, int fd);

  // The server's reply, which may be an error reply. An Error means that the connection is of no
  // use any more.
  coro::Task<Result<Reply>> command(Command command);
  // All `commands` at once; as many replies, in order.
  coro::Task<Result<std::vector<Reply>>> pipeline(std::vector<Command> commands);

  // The same of commands that append_command() has made `bytes` of.
  coro::Task<Result<std::vector<Reply>>> exchange(std::string bytes, size_t replies);

  // AUTH; an empty `user` is the default one.
  coro::Task<Result<Reply>> log_in(std::string user, std::string password);

  // For subscribers, where replies and messages come as they come: sends without reading …
  coro::Task<Result<void>> send(Command command);
  // … and reads the next of either. ETIMEDOUT at the deadline leaves the connection usable.
  coro::Task<Result<Reply>> receive(Instant deadline);

  // The server has ended it, or it has failed.
  bool ended() const { return stream_.ended(); }
  // `action` is called, inside the loop's turn, when bytes or the end arrive while nothing is
  // expected: for an idle connection that is its end. nullptr: no longer.
  void on_arrival(net::Stream::Action action, void* context);

  void stop() { stream_.stop(); }
  coro::Task<void> close();

 private:
  coro::Task<Result<void>> start(Endpoint endpoint);
  coro::Task<Result<void>> shake_hands(net::TlsFiles files, std::string host);
  coro::Task<Result<void>> send_bytes(std::string bytes);
  Result<std::string> sealed(std::string bytes);
  Result<void> take_input();
  coro::Task<Result<std::vector<Reply>>> receive_all(size_t count);

  ring::Ring& ring_;
  net::Stream stream_;
  std::unique_ptr<net::TlsSession> tls_;  // null: plain
  ReplyReader reader_;
};

}  // namespace fnkit::valkey
