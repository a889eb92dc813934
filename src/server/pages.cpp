#include "fnkit/server/pages.hpp"

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

}  // namespace

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::optional<http::Response> health_page(const http::Request& request, std::string_view path,
                                          const Health& health) {
  const bool live = path == "/health" || path == "/livez";
  if (!live && path != "/readyz" && path != "/") return std::nullopt;
  if (request.method == "GET" || request.method == "HEAD") {
    if (live) return text_page(200, "OK");
    if (path == "/readyz") return readiness(health);
    return http::json_response(
        200, R"({"service":"fnkit-orchestrator","version":")" FNKIT_VERSION R"("})");
  }
  http::Response response = request.method == "OPTIONS"
                                ? http::Response{204, {}, {}, {}, false}
                                : http::error_response(405, "Method not allowed");
  response.extra_headers = "allow: GET, HEAD, OPTIONS\r\n";
  return response;
}

}  // namespace fnkit::server
