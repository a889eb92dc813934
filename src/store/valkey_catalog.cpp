#include "store/valkey_catalog.hpp"

#include <algorithm>
#include <set>

namespace fnkit::store {
namespace {

Stored stored(std::string name, Reading reading) {
  const bool readable = reading.kind == Reading::Kind::config;
  Stored made{std::move(name), {}, {}};
  (readable ? made.config : made.unreadable) = std::move(reading.text);
  return made;
}

}  // namespace

coro::Task<Result<std::vector<Stored>>> ValkeyCatalog::list() {
  Result<void> connected = co_await connect();
  if (!connected) co_return connected.error();
  Result<std::vector<std::string>> all = co_await names();
  if (!all) co_return failed(all.error());
  std::vector<Stored> found;
  for (size_t begin = 0; begin < all->size(); begin += kBatchNames) {
    const size_t end = std::min(begin + kBatchNames, all->size());
    std::vector<std::string> batch(all->begin() + static_cast<ptrdiff_t>(begin),
                                   all->begin() + static_cast<ptrdiff_t>(end));
    Result<std::vector<Reading>> readings = co_await read_values(*connection_, batch);
    if (!readings) co_return failed(readings.error());
    for (size_t i = 0; i < batch.size(); ++i) {
      if ((*readings)[i].kind == Reading::Kind::absent) continue;  // gone since it was listed
      found.push_back(stored(std::move(batch[i]), std::move((*readings)[i])));
    }
  }
  co_return found;
}

coro::Task<Result<std::vector<std::string>>> ValkeyCatalog::names() {
  std::set<std::string> all;
  std::string cursor = "0";
  do {
    Result<Page> page = co_await scan_page(*connection_, cursor);
    if (!page) co_return page.error();
    cursor = std::move(page->cursor);
    all.insert(page->names.begin(), page->names.end());
  } while (cursor != "0");
  co_return std::vector<std::string>(all.begin(), all.end());
}

coro::Task<Result<std::optional<Stored>>> ValkeyCatalog::get(std::string name) {
  Result<void> connected = co_await connect();
  if (!connected) co_return connected.error();
  std::vector<std::string> one;
  one.push_back(name);
  Result<std::vector<Reading>> readings = co_await read_values(*connection_, std::move(one));
  if (!readings) co_return failed(readings.error());
  Reading& reading = readings->front();
  if (reading.kind == Reading::Kind::absent) co_return std::optional<Stored>();
  co_return std::optional<Stored>(stored(std::move(name), std::move(reading)));
}

coro::Task<Result<void>> ValkeyCatalog::put(std::string name, std::string config) {
  valkey::Command set = {"SET", key_of(name), std::move(config)};
  Result<valkey::Reply> reply = co_await change(std::move(set));
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

coro::Task<Result<bool>> ValkeyCatalog::remove(std::string name) {
  valkey::Command del = {"DEL", key_of(name)};
  Result<valkey::Reply> reply = co_await change(std::move(del));
  if (!reply) co_return reply.error();
  co_return reply->integer > 0;
}

coro::Task<Result<valkey::Reply>> ValkeyCatalog::change(valkey::Command command) {
  Result<void> connected = co_await connect();
  if (!connected) co_return connected.error();
  Result<valkey::Reply> reply = co_await connection_->command(std::move(command));
  if (!reply) co_return failed(reply.error());
  if (reply->is_error()) co_return failed(Error{valkey::explain(reply->text)});
  co_return reply;
}

coro::Task<Result<void>> ValkeyCatalog::connect() {
  if (connection_ && !connection_->ended()) co_return Result<void>();
  co_await close();
  Result<valkey::Endpoint> server = co_await servers_.find(scope_);
  if (!server) co_return failed(server.error());
  Result<std::unique_ptr<valkey::Connection>> opened =
      co_await servers_.connect(std::move(*server), scope_);
  if (!opened) co_return failed(opened.error());
  connection_ = std::move(*opened);
  co_return Result<void>();
}

coro::Task<void> ValkeyCatalog::close() {
  co_await servers_.close();
  if (connection_ == nullptr) co_return;
  co_await connection_->close();
  connection_.reset();
}

Error ValkeyCatalog::failed(const Error& why) const {
  return Error{servers_.location().to_text() + ": " + why.message, why.code};
}

}  // namespace fnkit::store
