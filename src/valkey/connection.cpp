#include "fnkit/valkey/connection.hpp"

#include <cerrno>

#include "fnkit/net/connect.hpp"

namespace fnkit::valkey {
namespace {

Error plain(const Error& error) {
  if (error.code == ETIMEDOUT) return Error{"it does not answer", ETIMEDOUT};
  if (error.code == ECONNRESET || error.code == EPIPE) {
    return Error{"it closed the connection", error.code};
  }
  return error;
}

void stop_connection(void* connection) { static_cast<Connection*>(connection)->stop(); }

// The first of the endpoint's addresses that can be connected to.
coro::Task<Result<int>> connect_to(ring::Ring& ring, net::Resolver& resolver, Endpoint endpoint,
                                   coro::CancelScope& scope) {
  const Instant deadline = later(ring.now(), Connection::kSilenceMax);
  if (!endpoint.path.empty()) {
    Result<net::Address> address = net::Address::parse("unix:" + endpoint.path);
    if (!address) co_return address.error();
    co_return co_await net::connect(ring, *address, deadline, scope);
  }
  Result<net::Resolved> resolved =
      co_await resolver.resolve(endpoint.host, endpoint.port, deadline, scope);
  if (!resolved) co_return resolved.error();
  Result<int> fd = Error{"'" + endpoint.host + "' has no address"};
  for (const net::Address& address : resolved->addresses) {
    fd = co_await net::connect(ring, address, deadline, scope);
    if (fd || fd.error().code == ETIMEDOUT || scope.cancelled()) break;
  }
  co_return fd;
}

}  // namespace

coro::Task<Result<std::unique_ptr<Connection>>> Connection::open(ring::Ring& ring,
                                                                 net::Resolver& resolver,
                                                                 Endpoint endpoint,
                                                                 coro::CancelScope& scope) {
  Result<int> fd = co_await connect_to(ring, resolver, endpoint, scope);
  if (!fd) co_return fd.error();
  auto connection = std::make_unique<Connection>(ring, *fd);
  coro::CancelHook hook(&stop_connection, connection.get());
  scope.add(hook);
  Result<void> logged_in = co_await connection->log_in(std::move(endpoint));
  if (logged_in) co_return connection;
  co_await connection->close();
  co_return logged_in.error();
}

Connection::Connection(ring::Ring& ring, int fd) : ring_(ring), stream_(ring, fd) {}

coro::Task<Result<void>> Connection::log_in(Endpoint endpoint) {
  std::vector<Command> commands;
  if (!endpoint.user.empty()) {
    commands.push_back({"AUTH", endpoint.user, endpoint.password});
  } else if (!endpoint.password.empty()) {
    commands.push_back({"AUTH", endpoint.password});
  }
  if (endpoint.database != 0) commands.push_back({"SELECT", std::to_string(endpoint.database)});
  for (Command& next : commands) {
    Result<Reply> reply = co_await command(std::move(next));
    if (!reply) co_return reply.error();
    if (reply->is_error()) co_return Error{explain(reply->text)};
  }
  co_return Result<void>();
}

coro::Task<Result<Reply>> Connection::command(Command command) {
  std::vector<Command> one;
  one.push_back(std::move(command));
  Result<std::vector<Reply>> replies = co_await pipeline(std::move(one));
  if (!replies) co_return replies.error();
  co_return std::move(replies->front());
}

coro::Task<Result<std::vector<Reply>>> Connection::pipeline(std::vector<Command> commands) {
  std::string bytes;
  for (const Command& command : commands) append_command(bytes, command);
  const std::string_view parts[] = {bytes};
  stream_.start_send(parts, ring::SendMode::silent, kSilenceMax);
  Result<std::vector<Reply>> replies = co_await receive_all(commands.size());
  if (!replies) stream_.stop();
  Result<void> sent = co_await stream_.sent();  // before `bytes` go
  co_return replies;
}

coro::Task<Result<std::vector<Reply>>> Connection::receive_all(size_t count) {
  std::vector<Reply> replies;
  replies.reserve(count);
  while (replies.size() < count) {
    Result<Reply> reply = co_await receive(later(ring_.now(), kSilenceMax));
    if (!reply) co_return reply.error();
    replies.push_back(std::move(*reply));
  }
  co_return replies;
}

coro::Task<Result<void>> Connection::send(Command command) {
  std::string bytes;
  append_command(bytes, command);
  const std::string_view parts[] = {bytes};
  stream_.start_send(parts, ring::SendMode::prompt, kSilenceMax);
  Result<void> sent = co_await stream_.sent();
  if (!sent) co_return plain(sent.error());
  co_return sent;
}

coro::Task<Result<Reply>> Connection::receive(Instant deadline) {
  while (true) {
    Result<std::optional<Reply>> reply = reader_.next();
    if (!reply) co_return reply.error();
    if (*reply) co_return std::move(**reply);
    Result<size_t> received = co_await stream_.receive(deadline);
    if (!received) co_return plain(received.error());
    if (*received == 0) co_return plain(Error{"", ECONNRESET});
    reader_.feed(stream_.input().view());
    stream_.input().clear();
  }
}

void Connection::on_arrival(net::Stream::Action action, void* context) {
  stream_.on_arrival(action, context);
}

coro::Task<void> Connection::close() { co_await stream_.close(); }

}  // namespace fnkit::valkey
