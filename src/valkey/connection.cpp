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
      co_await resolver.resolve(endpoint.server.host, endpoint.server.port, deadline, scope);
  if (!resolved) co_return resolved.error();
  Result<int> fd = Error{"'" + endpoint.server.host + "' has no address"};
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
  Result<void> started = co_await connection->start(std::move(endpoint));
  if (started) co_return connection;
  co_await connection->close();
  co_return started.error();
}

Connection::Connection(ring::Ring& ring, int fd) : ring_(ring), stream_(ring, fd) {}

coro::Task<Result<void>> Connection::start(Endpoint endpoint) {
  if (endpoint.tls) {
    Result<void> shaken = co_await shake_hands(*endpoint.tls, endpoint.server.host);
    if (!shaken) co_return shaken;
  }
  if (!endpoint.user.empty() || !endpoint.password.empty()) {
    Result<Reply> welcome = co_await log_in(endpoint.user, endpoint.password);
    if (!welcome) co_return welcome.error();
    if (welcome->is_error()) co_return Error{explain(welcome->text)};
  }
  if (endpoint.database != 0) {
    Command select = {"SELECT", std::to_string(endpoint.database)};
    Result<Reply> selected = co_await command(std::move(select));
    if (!selected) co_return selected.error();
    if (selected->is_error()) co_return Error{explain(selected->text)};
  }
  co_return Result<void>();
}

coro::Task<Result<void>> Connection::shake_hands(net::TlsFiles files, std::string host) {
  Result<std::shared_ptr<const net::TlsContext>> context = net::TlsContext::load(files);
  if (!context) co_return context.error();
  tls_ = std::make_unique<net::TlsSession>(**context, host);
  const Instant deadline = later(ring_.now(), kSilenceMax);
  while (true) {
    Result<void> step = tls_->handshake();
    std::string output = tls_->take_output();
    if (!output.empty()) {
      Result<void> sent = co_await send_bytes(std::move(output));
      if (step && !sent) co_return sent;
    }
    if (!step || tls_->established()) co_return step;
    Result<size_t> received = co_await stream_.receive(deadline);
    if (!received) co_return plain(received.error());
    if (*received == 0) co_return plain(Error{"", ECONNRESET});
    tls_->feed(stream_.input().view());
    stream_.input().clear();
  }
}

coro::Task<Result<Reply>> Connection::log_in(std::string user, std::string password) {
  Command auth = {"AUTH"};
  if (!user.empty()) auth.push_back(std::move(user));
  auth.push_back(std::move(password));
  co_return co_await command(std::move(auth));
}

coro::Task<Result<Reply>> Connection::command(Command command) {
  std::vector<Command> one;
  one.push_back(std::move(command));
  Result<std::vector<Reply>> replies = co_await pipeline(std::move(one));
  if (!replies) co_return replies.error();
  co_return std::move(replies->front());
}

coro::Task<Result<std::vector<Reply>>> Connection::pipeline(std::vector<Command> commands) {
  std::string plain_bytes;
  for (const Command& command : commands) append_command(plain_bytes, command);
  co_return co_await exchange(std::move(plain_bytes), commands.size());
}

coro::Task<Result<std::vector<Reply>>> Connection::exchange(std::string plain_bytes, size_t count) {
  Result<std::string> bytes = sealed(std::move(plain_bytes));
  if (!bytes) co_return bytes.error();
  const std::string_view parts[] = {*bytes};
  stream_.start_send(parts, ring::SendMode::silent, kSilenceMax);
  Result<std::vector<Reply>> replies = co_await receive_all(count);
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
  std::string plain_bytes;
  append_command(plain_bytes, command);
  Result<std::string> bytes = sealed(std::move(plain_bytes));
  if (!bytes) co_return bytes.error();
  co_return co_await send_bytes(std::move(*bytes));
}

coro::Task<Result<void>> Connection::send_bytes(std::string bytes) {
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
    Result<void> taken = take_input();
    if (!taken) co_return taken.error();
  }
}

// What goes over the wire for `bytes`.
Result<std::string> Connection::sealed(std::string bytes) {
  if (tls_ == nullptr) return bytes;
  if (Result<void> written = tls_->write(bytes); !written) return written.error();
  return tls_->take_output();
}

Result<void> Connection::take_input() {
  if (tls_ == nullptr) {
    reader_.feed(stream_.input().view());
  } else {
    tls_->feed(stream_.input().view());
    Result<std::string> bytes = tls_->read();
    if (!bytes) return plain(bytes.error());
    reader_.feed(*bytes);
  }
  stream_.input().clear();
  return {};
}

void Connection::on_arrival(net::Stream::Action action, void* context) {
  stream_.on_arrival(action, context);
}

coro::Task<void> Connection::close() { co_await stream_.close(); }

}  // namespace fnkit::valkey
