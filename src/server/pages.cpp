#include "fnkit/server/pages.hpp"

#include <algorithm>

#include "fnkit/base/text.hpp"

namespace fnkit::server {
namespace {

http::Response text_page(int status, std::string_view text) {
  http::Response response = http::json_response(status, text);
  response.content_type = "text/plain";
  return response;
}

http::Response readiness(const Health& health) {
  if (health.draining) return text_page(503, "draining\n");
  if (!health.loaded) {
    http::Response response = text_page(503, "the pipelines have not been loaded yet\n");
    response.extra_headers = http::kRetryAfter;
    return response;
  }
  return text_page(200, "OK");
}

// "[+]what: how" where it is well, "[-]…" where it is not, as Kubernetes' pages have it.
void append_line(std::string& page, bool well, std::string_view what, std::string_view how) {
  page += well ? "[+]" : "[-]";
  page += what;
  page += ": ";
  for (const char c : how) page += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  page += '\n';
}

std::string age(Instant since, Instant now) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now - since);
  const auto tenths = std::to_string(milliseconds.count() / 100 % 10);
  return std::to_string(milliseconds.count() / 1000) + "." + tenths + " s ago";
}

void append_store(std::string& page, const Health& health) {
  const store::FollowerStatus& store = *health.store;
  append_line(page, store.connected, "store",
              store.connected ? "changes by " + store.changes_by : store.trouble);
  append_line(page, store.compared_at.has_value(), "last full comparison",
              store.compared_at ? age(*store.compared_at, health.now) : "never");
  append_line(page, store.invalid == 0, "pipelines",
              std::to_string(store.pipelines) + ", invalid " + std::to_string(store.invalid));
  for (const store::FollowerStatus::Invalid& each : store.some_invalid) {
    append_line(page, false, "pipeline " + each.name, each.why);
  }
}

http::Response verbose_readiness(const Health& health) {
  http::Response short_answer = readiness(health);
  std::string page;
  append_line(page, !health.draining, "server", health.draining ? "draining" : "serving");
  if (health.store != nullptr) append_store(page, health);
  const bool ready = short_answer.status == 200;
  page += ready ? "ready\n" : "not ready\n";
  http::Response response = text_page(short_answer.status, page);
  response.extra_headers = short_answer.extra_headers;
  return response;
}

bool asks_for_details(std::string_view target) {
  const std::string_view query = target.substr(std::min(target.size(), path_of(target).size() + 1));
  for (const std::string_view each : split(query, '&')) {
    if (each.substr(0, each.find('=')) == "verbose") return true;
  }
  return false;
}

}  // namespace

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::optional<http::Response> health_page(const http::Request& request, std::string_view path,
                                          const Health& health) {
  const bool live = path == "/health" || path == "/livez";
  if (!live && path != "/readyz" && path != "/") return std::nullopt;
  if (auto refused = refuse_other_methods(request)) return refused;
  if (live) return text_page(200, "OK");
  if (path == "/readyz") {
    const bool verbose = health.details && asks_for_details(request.target);
    return verbose ? verbose_readiness(health) : readiness(health);
  }
  return http::json_response(
      200, R"({"service":"fnkit-orchestrator","version":")" FNKIT_VERSION R"("})");
}

bool is_observed(std::string_view path) {
  constexpr std::string_view kObserve = "/observe";
  return path == "/metrics" || path == kObserve ||
         (path.substr(0, kObserve.size()) == kObserve && path[kObserve.size()] == '/');
}

std::optional<http::Response> refuse_other_methods(const http::Request& request) {
  if (request.method == "GET" || request.method == "HEAD") return std::nullopt;
  http::Response response = request.method == "OPTIONS"
                                ? http::Response{204, {}, {}, {}, false}
                                : http::error_response(405, "Method not allowed");
  response.extra_headers = "allow: GET, HEAD, OPTIONS\r\n";
  return response;
}

}  // namespace fnkit::server
