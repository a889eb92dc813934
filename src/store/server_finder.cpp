#include "fnkit/store/server_finder.hpp"

#include <algorithm>
#include <cerrno>

#include "fnkit/base/text.hpp"

namespace fnkit::store {
namespace {

using Opened = Result<std::unique_ptr<valkey::Connection>>;

void stop_connection(void* connection) { static_cast<valkey::Connection*>(connection)->stop(); }

// Of `CLUSTER INFO`: how many primaries share the keys; nothing where it is no cluster.
std::optional<uint64_t> cluster_size(const valkey::Reply& info) {
  constexpr std::string_view kSize = "cluster_size:";
  const size_t at = info.is_error() ? std::string::npos : info.text.find(kSize);
  if (at == std::string::npos) return std::nullopt;
  const std::string_view rest = std::string_view(info.text).substr(at + kSize.size());
  return parse_decimal(rest.substr(0, rest.find_first_of("\r\n")));
}

}  // namespace

valkey::Endpoint ServerFinder::endpoint_of(net::HostPort server) const {
  REQUIRE(location_.kind != Location::Kind::directory);
  return {std::move(server),  location_.path,     location_.user,
          location_.password, location_.database, location_.tls};
}

coro::Task<Result<valkey::Endpoint>> ServerFinder::find(coro::CancelScope& scope) {
  if (location_.kind == Location::Kind::unix_socket) co_return endpoint_of({});
  if (!may_move()) co_return endpoint_of(location_.hosts.front());
  Error why;
  for (size_t tried = 0; tried < location_.hosts.size(); ++tried) {
    const std::string asked = location_.hosts[turn_].to_text();
    Result<valkey::Endpoint> found = co_await ask(scope);
    if (found) co_return found;
    why = Error{"Sentinel " + asked + ": " + found.error().message, found.error().code};
    co_await close();
    if (scope.cancelled()) break;
    turn_ = (turn_ + 1) % location_.hosts.size();
  }
  co_return why;
}

coro::Task<Result<valkey::Endpoint>> ServerFinder::ask(coro::CancelScope& scope) {
  if (sentinel_ == nullptr || sentinel_->ended()) {
    co_await close();
    valkey::Endpoint endpoint;
    endpoint.server = location_.hosts[turn_];
    endpoint.tls = location_.tls;
    Opened opened = co_await valkey::Connection::open(ring_, resolver_, endpoint, scope);
    if (!opened) co_return opened.error();
    sentinel_ = std::move(*opened);
  }
  coro::CancelHook hook(&stop_connection, sentinel_.get());
  scope.add(hook);
  Result<valkey::Reply> primary = co_await ask_for_primary();
  if (!primary) co_return primary.error();
  if (primary->is_error()) co_return Error{valkey::explain(primary->text)};
  if (primary->elements.size() != 2) {
    co_return Error{"it knows no primary named '" + location_.primary + "'"};
  }
  const auto port = parse_decimal(primary->elements[1].text);
  if (!port || *port > 65535) co_return Error{"it tells of a primary without a port"};
  co_return endpoint_of({primary->elements[0].text, static_cast<uint16_t>(*port)});
}

coro::Task<Result<valkey::Reply>> ServerFinder::ask_for_primary() {
  const valkey::Command question = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", location_.primary};
  Result<valkey::Reply> primary = co_await sentinel_->command(question);
  if (!primary || !primary->is_error("NOAUTH") || location_.password.empty()) co_return primary;
  Result<valkey::Reply> welcome = co_await sentinel_->log_in(location_.user, location_.password);
  if (!welcome || welcome->is_error()) co_return welcome;
  co_return co_await sentinel_->command(question);
}

coro::Task<Result<std::unique_ptr<valkey::Connection>>> ServerFinder::connect(
    valkey::Endpoint endpoint, coro::CancelScope& scope) {
  Opened opened = co_await valkey::Connection::open(ring_, resolver_, std::move(endpoint), scope);
  if (!opened) co_return opened;
  coro::CancelHook hook(&stop_connection, opened->get());
  scope.add(hook);
  Result<void> usable = co_await check(**opened);
  if (usable) co_return opened;
  co_await (*opened)->close();
  co_return usable.error();
}

// A user who may not ask is taken at the word of the address.
coro::Task<Result<void>> ServerFinder::check(valkey::Connection& connection) {
  std::vector<valkey::Command> questions = {{"CLUSTER", "INFO"}, {"ROLE"}};
  Result<std::vector<valkey::Reply>> replies = co_await connection.pipeline(std::move(questions));
  if (!replies) co_return replies.error();
  if (cluster_size((*replies)[0]).value_or(0) > 1) {
    co_return Error{"it runs in cluster mode, which is not supported"};
  }
  const valkey::Reply& role = (*replies)[1];
  const bool told = !role.elements.empty();
  if (may_move() && told && role.elements[0].text != "master") {
    co_return Error{"the primary that the Sentinels tell of is none (yet): its role is '" +
                    role.elements[0].text + "'"};
  }
  co_return Result<void>();
}

coro::Task<void> ServerFinder::close() {
  if (sentinel_ == nullptr) co_return;
  co_await sentinel_->close();
  sentinel_.reset();
}

}  // namespace fnkit::store
