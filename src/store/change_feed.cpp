#include "store/change_feed.hpp"

#include <cerrno>

#include "store/valkey_values.hpp"

namespace fnkit::store {
namespace {

constexpr Duration kPingInterval = std::chrono::seconds(1);
constexpr std::string_view kInvalidations = "__redis__:invalidate";
constexpr std::string_view kSetting = "notify-keyspace-events";

bool has_prefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// An answer that says nothing of what is allowed: the server will be asked again, as otherwise a
// session that began while a script ran would be left without notifications for as long as it
// lasts.
bool is_not_now(const valkey::Reply& reply) {
  for (const std::string_view code : {"BUSY", "LOADING", "MASTERDOWN", "NOAUTH"}) {
    if (reply.is_error(code)) return true;
  }
  return false;
}

Error not_now(const valkey::Reply& reply) { return Error{valkey::explain(reply.text)}; }

}  // namespace

std::string missing_flags(std::string_view flags) {
  std::string missing;
  const bool all_classes = flags.find('A') != std::string_view::npos;
  for (const char wanted : std::string_view("K$gxe")) {
    if (flags.find(wanted) != std::string_view::npos) continue;
    if (wanted != 'K' && all_classes) continue;  // 'A' is every class, but no channel
    missing += wanted;
  }
  return missing;
}

ChangeFeed::ChangeFeed(ring::Ring& ring, valkey::Connection& subscriber, unsigned database,
                       DirtyKeys& dirty, net::Bell& bell)
    : ring_(ring),
      subscriber_(subscriber),
      channel_prefix_("__keyspace@" + std::to_string(database) + "__:"),
      dirty_(dirty),
      bell_(bell) {}

coro::Task<Result<void>> ChangeFeed::set_up(valkey::Connection& reader) {
  Result<void> asked = co_await ask_for_notifications(reader);
  if (!asked) co_return asked;
  // A subscribed RESP2 connection takes no other commands, so its number is asked for before.
  valkey::Command ask_id = {"CLIENT", "ID"};
  Result<valkey::Reply> id = co_await subscriber_.command(std::move(ask_id));
  if (!id) co_return id.error();
  if (is_not_now(*id)) co_return not_now(*id);
  Result<void> subscribed = co_await subscribe();
  if (!subscribed) co_return subscribed;
  if (!tracking_ || id->kind != valkey::Reply::Kind::integer) {
    tracking_ = false;
    co_return Result<void>();
  }
  co_return co_await track(reader, std::to_string(id->integer));
}

// The setting belongs to the whole server: what others have set stays.
coro::Task<Result<void>> ChangeFeed::ask_for_notifications(valkey::Connection& reader) {
  valkey::Command get = {"CONFIG", "GET", std::string(kSetting)};
  Result<valkey::Reply> setting = co_await reader.command(std::move(get));
  if (!setting) co_return setting.error();
  if (is_not_now(*setting)) co_return not_now(*setting);
  keyspace_ = false;
  if (setting->elements.size() != 2) co_return Result<void>();
  const std::string flags = setting->elements[1].text;
  const std::string missing = missing_flags(flags);
  if (missing.empty()) {
    keyspace_ = true;
    co_return Result<void>();
  }
  valkey::Command set = {"CONFIG", "SET", std::string(kSetting), flags + missing};
  Result<valkey::Reply> done = co_await reader.command(std::move(set));
  if (!done) co_return done.error();
  if (is_not_now(*done)) co_return not_now(*done);
  keyspace_ = !done->is_error();
  co_return Result<void>();
}

coro::Task<Result<void>> ChangeFeed::subscribe() {
  // Also where CONFIG is refused: somebody else may have turned notifications on.
  valkey::Command keys = {"PSUBSCRIBE", channel_prefix_ + std::string(kKeyPrefix) + "*"};
  valkey::Command invalidations = {"SUBSCRIBE", std::string(kInvalidations)};
  Result<void> sent = co_await subscriber_.send(std::move(keys));
  if (!sent) co_return sent;
  Result<bool> keys_allowed = co_await subscription_answer("psubscribe");
  if (!keys_allowed) co_return keys_allowed.error();
  subscribed_ = *keys_allowed;
  sent = co_await subscriber_.send(std::move(invalidations));
  if (!sent) co_return sent;
  Result<bool> invalidations_allowed = co_await subscription_answer("subscribe");
  if (!invalidations_allowed) co_return invalidations_allowed.error();
  tracking_ = *invalidations_allowed;
  co_return Result<void>();
}

// Messages may come before the answer.
coro::Task<Result<bool>> ChangeFeed::subscription_answer(std::string_view kind) {
  while (true) {
    const Instant deadline = later(ring_.now(), valkey::Connection::kSilenceMax);
    Result<valkey::Reply> reply = co_await subscriber_.receive(deadline);
    if (!reply) co_return reply.error();
    if (is_not_now(*reply)) co_return not_now(*reply);
    if (reply->is_error()) co_return false;
    if (!reply->elements.empty() && reply->elements[0].text == kind) co_return true;
    take(*reply);
  }
}

coro::Task<Result<void>> ChangeFeed::track(valkey::Connection& reader, std::string client_id) {
  valkey::Command on = {"CLIENT",  "TRACKING", "ON",     "REDIRECT",
                        client_id, "BCAST",    "PREFIX", std::string(kKeyPrefix)};
  Result<valkey::Reply> reply = co_await reader.command(std::move(on));
  if (!reply) co_return reply.error();
  if (is_not_now(*reply)) co_return not_now(*reply);
  tracking_ = !reply->is_error();
  co_return Result<void>();
}

coro::Task<Error> ChangeFeed::listen() {
  Instant heard = ring_.now();
  Instant next_ping = heard;
  while (true) {
    const Instant dead_at = later(heard, valkey::Connection::kSilenceMax);
    Result<valkey::Reply> message = co_await subscriber_.receive(std::min(next_ping, dead_at));
    const Instant now = ring_.now();
    if (message) {
      heard = now;
      if (take(*message)) bell_.ring();
    } else if (message.error().code != ETIMEDOUT || now >= dead_at) {
      co_return message.error();
    } else {
      next_ping = later(now, kPingInterval);
      valkey::Command ping = {"PING"};
      Result<void> sent = co_await subscriber_.send(std::move(ping));
      if (!sent) co_return sent.error();
    }
  }
}

// True where it made something dirty.
bool ChangeFeed::take(const valkey::Reply& message) {
  const std::vector<valkey::Reply>& parts = message.elements;
  if (parts.size() == 4 && parts[0].text == "pmessage") {
    const std::string_view channel = parts[2].text;
    if (!has_prefix(channel, channel_prefix_)) return false;
    mark(channel.substr(channel_prefix_.size()));
    return true;
  }
  if (parts.size() != 3 || parts[0].text != "message" || parts[1].text != kInvalidations) {
    return false;  // an answer to PING
  }
  // No list: FLUSHALL or FLUSHDB.
  if (parts[2].kind != valkey::Reply::Kind::array) dirty_.mark_everything();
  for (const valkey::Reply& key : parts[2].elements) mark(key.text);
  return true;
}

void ChangeFeed::mark(std::string_view key) {
  if (!has_prefix(key, kKeyPrefix)) return;
  dirty_.mark(std::string(key.substr(kKeyPrefix.size())));
}

}  // namespace fnkit::store
