#include "server/router.hpp"

#include "fnkit/base/text.hpp"
#include "fnkit/json/quote.hpp"
#include "fnkit/pipeline/plan.hpp"

namespace fnkit::server {
namespace {

constexpr std::string_view kPrefix = "/orchestrate";

http::Response not_found() { return http::error_response(404, "Not found"); }

http::Response outside_its_root() {
  return http::error_response(400, "The path must not contain '..'");
}

http::Response unauthorized() {
  http::Response response =
      http::error_response(401, "Unauthorized - Invalid or missing Bearer token");
  response.extra_headers = "www-authenticate: Bearer\r\n";
  return response;
}

// {"error":"<what>: <name>"[,"detail":…]} where `name` may be any bytes.
http::Response named_error(int status, std::string_view what, std::string_view name,
                           std::string_view detail) {
  std::string message(what);
  message += ": ";
  message += name;
  std::string text = R"({"error":)";
  json::append_quoted(text, message);
  if (!detail.empty()) {
    text += R"(,"detail":)";
    json::append_quoted(text, detail);
  }
  text += '}';
  return http::json_response(status, text);
}

// RFC 3986 section 2.1; what is no escape stays as it is.
std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// A step's function must not be led out of its own paths by "..", however it is written.
bool leaves_its_root(std::string_view path) {
  if (path.find("..") == std::string_view::npos && path.find('%') == std::string_view::npos) {
    return false;
  }
  const std::string decoded = percent_decode(path);
  for (const std::string_view segment : split(decoded, '/')) {
    if (segment == "..") return true;
  }
  return false;
}

// /<function>[/path]. Whoever calls chooses the name; with a dot it could be any of the internet's.
Route route_to_function(std::string_view path, std::string_view query) {
  const size_t slash = path.find('/', 1);
  const std::string_view name = path.substr(1, slash == path.npos ? slash : slash - 1);
  const bool is_function = pipeline::check_step_name(name) && name.find('.') == name.npos;
  if (!is_function) return Route::answered(not_found());
  Route route;
  if (slash != path.npos) route.step_path = path.substr(slash);
  route.step_query = query;
  if (leaves_its_root(route.step_path)) {
    return Route::answered(outside_its_root());
  }
  route.to = Route::To::function;
  route.function = name;
  return route;
}

Route route_to_pipeline(std::string_view path, std::string_view query,
                        const store::Snapshot* pipelines) {
  const std::string_view rest = path.substr(std::min(path.size(), kPrefix.size() + 1));
  const size_t slash = rest.find('/');
  const std::string_view written = rest.substr(0, slash);
  if (written.empty()) return Route::answered(http::error_response(400, "Pipeline name missing"));
  if (pipelines == nullptr) return Route::answered(http::retry_later("Pipeline store unavailable"));
  Route route;
  if (slash != std::string_view::npos) route.step_path = rest.substr(slash);
  route.step_query = query;
  if (leaves_its_root(route.step_path)) {
    return Route::answered(outside_its_root());
  }
  const bool escaped = written.find('%') != std::string_view::npos;
  const std::string decoded = escaped ? percent_decode(written) : std::string();
  const std::string_view name = escaped ? std::string_view(decoded) : written;
  const store::Entry* entry = pipelines->find(name);
  if (entry == nullptr) return Route::answered(named_error(404, "Pipeline not found", name, {}));
  if (entry->plan == nullptr) {
    return Route::answered(named_error(500, "Pipeline config invalid", name, entry->invalid));
  }
  route.to = Route::To::pipeline;
  route.entry = entry;
  return route;
}

}  // namespace

Route Route::answered(http::Response response) {
  Route route;
  route.answer = std::move(response);
  return route;
}

Route route(const http::Request& request, const Tokens& tokens, const store::Snapshot* pipelines,
            Health health, Others others) {
  const std::string_view path = path_of(request.target);
  const std::string_view query = request.target.substr(path.size());
  const bool accepted = tokens.accept(request.header("authorization"));
  health.details = accepted;
  if (auto page = health_page(request, path, health)) return Route::answered(std::move(*page));
  if (!accepted) return Route::answered(unauthorized());
  if (is_observed(path)) {
    if (auto refused = refuse_other_methods(request)) return Route::answered(std::move(*refused));
    Route route;
    route.to = Route::To::page;
    return route;
  }
  const bool orchestrate = path.substr(0, kPrefix.size()) == kPrefix &&
                           (path.size() == kPrefix.size() || path[kPrefix.size()] == '/');
  if (orchestrate) return route_to_pipeline(path, query, pipelines);
  if (others == Others::pass_to_functions && path.front() == '/') {
    return route_to_function(path, query);
  }
  return Route::answered(not_found());
}

}  // namespace fnkit::server
