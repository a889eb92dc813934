#include "server/observe_pages.hpp"

#include <algorithm>

#include "fnkit/base/text.hpp"
#include "fnkit/json/validate.hpp"
#include "fnkit/json/writer.hpp"
#include "fnkit/server/pages.hpp"

namespace fnkit::server {
namespace {

using valkey::Command;
using valkey::Reply;
using Replies = Result<std::vector<Reply>>;

constexpr uint64_t kCountDefault = 50;
constexpr std::string_view kNamesAtOnce = "1000";

std::string_view query_of(std::string_view target) {
  return target.substr(std::min(target.size(), path_of(target).size() + 1));
}

// ?count=N, as far as there are so many.
Result<uint64_t> count_of(std::string_view target) {
  uint64_t count = kCountDefault;
  for (const std::string_view each : split(query_of(target), '&')) {
    constexpr std::string_view kKey = "count=";
    if (each.substr(0, kKey.size()) != kKey) continue;
    const auto number = parse_decimal(each.substr(kKey.size()));
    if (!number || *number == 0) return Error{"count is a number from 1 to 1000"};
    count = *number;
  }
  return std::min<uint64_t>(count, observe::TraceLog::kNewest);
}

// Somebody else may have put in anything; what is no JSON is shown as text.
void add_stored(json::Writer& page, std::string_view stored) {
  if (json::is_valid(stored)) {
    page.raw(stored);
  } else {
    page.value(stored);
  }
}

Page json_page(const json::Writer& json) {
  Page page;
  page.body = json.text();
  return page;
}

Page records_page(std::string_view member, const std::vector<std::string>& records) {
  json::Writer page;
  page.begin_object().member("count", records.size()).key(member).begin_array();
  for (const std::string& record : records) add_stored(page, record);
  page.end_array().end_object();
  return json_page(page);
}

Page html_page() {
  Page page;
  page.content_type = "text/html; charset=utf-8";
  page.extra_headers =
      "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; "
      "form-action 'none'; frame-ancestors 'none'\r\n"
      "x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n";
  page.body = observe_page();
  return page;
}

Page unknown_page() {
  Page page;
  page.status = 404;
  page.body =
      R"({"error":"Unknown observe endpoint","available":["status","traces","events","metrics"]})";
  return page;
}

std::vector<std::string> texts_of(const Reply& array) {
  std::vector<std::string> texts;
  for (const Reply& each : array.elements) texts.push_back(each.text);
  return texts;
}

}  // namespace

http::Response Page::to_response() const {
  http::Response response;
  response.status = status;
  response.content_type = content_type;
  response.extra_headers = extra_headers + "cache-control: no-store\r\n";
  response.body = http::Body::copy_of(body);
  return response;
}

Page Page::error(int status, std::string_view message) {
  json::Writer json;
  json.begin_object().member("error", message).end_object();
  Page page = json_page(json);
  page.status = status;
  return page;
}

coro::Task<Page> ObservePages::answer(std::string target) {
  const std::string_view path = path_of(target);
  observatory_.gather();
  if (path == "/observe/") co_return html_page();
  if (path == "/observe/live") co_return Page{200, "application/json", {}, live_json(observatory_)};
  if (path == "/metrics") {
    co_return Page{200, "text/plain; version=0.0.4; charset=utf-8", {}, metrics_text(observatory_)};
  }
  if (path == "/observe" || path == "/observe/status") co_return co_await status();
  if (path == "/observe/traces") co_return co_await records(observe::kTracesKey, "traces", target);
  if (path == "/observe/events") co_return co_await records(observe::kEventsKey, "events", target);
  if (path == "/observe/metrics") co_return co_await metrics();
  co_return unknown_page();
}

coro::Task<Page> ObservePages::records(std::string_view key, std::string_view member,
                                       std::string target) {
  Result<uint64_t> count = count_of(target);
  if (!count) co_return Page::error(400, count.error().message);
  std::vector<Command> questions = {{"LRANGE", std::string(key), "0", std::to_string(*count - 1)}};
  Replies stored = co_await ask_store(std::move(questions));
  if (stored) co_return records_page(member, texts_of(stored->front()));
  const auto own = key == observe::kTracesKey
                       ? observatory_.traces().newest(*count, observe::WallClock::of_system())
                       : observatory_.journal().recent(*count);
  co_return records_page(member, own);
}

coro::Task<Page> ObservePages::metrics() {
  Result<std::string> stored = co_await stored_metrics();
  Page page;
  page.body = stored ? *stored : own_metrics();
  co_return page;
}

coro::Task<Page> ObservePages::status() {
  std::vector<Command> questions = {{"GET", std::string(observe::kStartedKey)},
                                    {"LLEN", std::string(observe::kTracesKey)},
                                    {"LLEN", std::string(observe::kEventsKey)}};
  Replies stored = co_await ask_store(std::move(questions));
  Result<std::string> containers = co_await stored_metrics();
  json::Writer page;
  page.begin_object().member("service", "fnkit-orchestrator").key("started");
  if (stored && (*stored)[0].kind == Reply::Kind::text) {
    page.value((*stored)[0].text);
  } else {
    page.value(observe::WallClock::of_system().iso(observatory_.started()));
  }
  const auto own_traces = std::min<uint64_t>(observatory_.traces().recorded(), 1000);
  page.member("traces", stored ? static_cast<uint64_t>((*stored)[1].integer) : own_traces);
  const auto own_events = std::min<uint64_t>(observatory_.journal().recorded(), 1000);
  page.member("events", stored ? static_cast<uint64_t>((*stored)[2].integer) : own_events);
  page.member("pipelines", observatory_.store_status().pipelines);
  page.key("containers").raw(containers ? *containers : own_metrics()).end_object();
  co_return json_page(page);
}

// A connection for each page: pages are few, and one that is kept would need somebody to watch it.
coro::Task<Replies> ObservePages::ask_store(std::vector<Command> questions) {
  if (!observatory_.in_store()) co_return Error{"nothing is recorded there"};
  store::ServerFinder servers(ring_, resolver_, observatory_.settings().store);
  Result<valkey::Endpoint> endpoint = co_await servers.find(never_);
  co_await servers.close();
  if (!endpoint) co_return endpoint.error();
  Result<std::unique_ptr<valkey::Connection>> connection =
      co_await servers.connect(std::move(*endpoint), never_);
  if (!connection) co_return connection.error();
  Replies replies = co_await (*connection)->pipeline(std::move(questions));
  co_await (*connection)->close();
  if (!replies) co_return replies;
  for (const Reply& reply : *replies) {
    if (reply.is_error()) co_return Error{valkey::explain(reply.text)};
  }
  co_return replies;
}

// {"<step>":{…},…} of all instances.
coro::Task<Result<std::string>> ObservePages::stored_metrics() {
  std::vector<std::string> keys;
  std::string cursor = "0";
  const std::string pattern = std::string(observe::kMetricsPrefix) + "*";
  do {
    std::vector<Command> scan = {
        {"SCAN", cursor, "MATCH", pattern, "COUNT", std::string(kNamesAtOnce)}};
    Replies page = co_await ask_store(std::move(scan));
    if (!page) co_return page.error();
    if (page->front().elements.size() != 2)
      co_return Error{"SCAN was answered with something else"};
    cursor = page->front().elements[0].text;
    for (std::string& key : texts_of(page->front().elements[1])) keys.push_back(std::move(key));
  } while (cursor != "0");
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  json::Writer json;
  json.begin_object();
  if (!keys.empty()) {
    Command read = {"MGET"};
    read.insert(read.end(), keys.begin(), keys.end());
    std::vector<Command> questions;
    questions.push_back(std::move(read));
    Replies values = co_await ask_store(std::move(questions));
    if (!values) co_return values.error();
    for (size_t i = 0; i < keys.size() && i < values->front().elements.size(); ++i) {
      const Reply& value = values->front().elements[i];
      if (value.kind != Reply::Kind::text) continue;
      json.key(std::string_view(keys[i]).substr(observe::kMetricsPrefix.size()));
      add_stored(json, value.text);
    }
  }
  json.end_object();
  co_return json.text();
}

std::string ObservePages::own_metrics() const {
  const auto clock = observe::WallClock::of_system();
  json::Writer json;
  json.begin_object();
  for (const auto& [step, total] : observatory_.totals().steps) {
    if (total.calls() == 0) continue;
    json.key(step).raw(observe::to_metrics_json(observe::activity_of(total, clock)));
  }
  json.end_object();
  return json.text();
}

}  // namespace fnkit::server
