#include "store/valkey_values.hpp"

namespace fnkit::store {
namespace {

constexpr std::string_view kPageNames = "1000";

// One byte more than may be, to tell the difference. GETRANGE and not GET or MGET: a value may have
// half a GiB, and MGET would call a value of another type missing.
valkey::Command get_command(const std::string& name) {
  return {"GETRANGE", key_of(name), "0", std::to_string(pipeline::kConfigBytesMax)};
}

Result<Reading> reading_of(valkey::Reply& reply) {
  if (reply.kind == valkey::Reply::Kind::nil) return Reading();
  if (reply.kind == valkey::Reply::Kind::text) {
    if (reply.text.size() > pipeline::kConfigBytesMax) return too_large();
    return Reading{Reading::Kind::config, std::move(reply.text)};
  }
  if (reply.is_error("WRONGTYPE")) {
    return Reading{Reading::Kind::unreadable, "its key holds something that is no string"};
  }
  if (reply.is_error()) return Error{valkey::explain(reply.text)};
  return Error{"it answers a reading with something that is no string"};
}

bool is_empty(const Reading& reading) {
  return reading.kind == Reading::Kind::config && reading.text.empty();
}

// GETRANGE yields "" for a key that is missing and for one that holds "". GET tells which, and by
// one look: EXISTS beside it would be a second one, and of a key that goes between the two an empty
// value would be made that nobody ever stored. A value that came since is not half a GiB, or ends
// the connection (ReplyReader::kReplyBytesMax), and is read by GETRANGE on the next one.
coro::Task<Result<void>> tell_absent(valkey::Connection& connection,
                                     const std::vector<std::string>& names,
                                     std::vector<Reading>& readings) {
  std::vector<valkey::Command> commands;
  std::vector<size_t> places;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!is_empty(readings[i])) continue;
    places.push_back(i);
    commands.push_back({"GET", key_of(names[i])});
  }
  if (places.empty()) co_return Result<void>();
  Result<std::vector<valkey::Reply>> replies = co_await connection.pipeline(std::move(commands));
  if (!replies) co_return replies.error();
  for (size_t i = 0; i < places.size(); ++i) {
    Result<Reading> reading = reading_of((*replies)[i]);
    if (!reading) co_return reading.error();
    readings[places[i]] = std::move(*reading);
  }
  co_return Result<void>();
}

}  // namespace

std::string key_of(std::string_view name) {
  std::string key(kKeyPrefix);
  key += name;
  return key;
}

coro::Task<Result<Page>> scan_page(valkey::Connection& connection, std::string cursor) {
  valkey::Command scan = {"SCAN",  std::move(cursor),      "MATCH", std::string(kKeyPrefix) + "*",
                          "COUNT", std::string(kPageNames)};
  Result<valkey::Reply> reply = co_await connection.command(std::move(scan));
  if (!reply) co_return reply.error();
  if (reply->is_error()) co_return Error{valkey::explain(reply->text)};
  if (reply->elements.size() != 2) co_return Error{"it answers SCAN with something else"};
  Page page;
  page.cursor = std::move(reply->elements[0].text);
  for (const valkey::Reply& key : reply->elements[1].elements) {
    const std::string_view text = key.text;
    if (text.substr(0, kKeyPrefix.size()) != kKeyPrefix) continue;
    page.names.emplace_back(text.substr(kKeyPrefix.size()));
  }
  co_return page;
}

coro::Task<Result<std::vector<Reading>>> read_values(valkey::Connection& connection,
                                                     std::vector<std::string> names) {
  std::vector<Reading> readings;
  if (names.empty()) co_return readings;
  std::vector<valkey::Command> commands;
  for (const std::string& name : names) commands.push_back(get_command(name));
  Result<std::vector<valkey::Reply>> replies = co_await connection.pipeline(std::move(commands));
  if (!replies) co_return replies.error();
  for (valkey::Reply& reply : *replies) {
    Result<Reading> reading = reading_of(reply);
    if (!reading) co_return reading.error();
    readings.push_back(std::move(*reading));
  }
  Result<void> told = co_await tell_absent(connection, names, readings);
  if (!told) co_return told.error();
  co_return readings;
}

}  // namespace fnkit::store
