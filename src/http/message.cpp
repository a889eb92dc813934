#include "fnkit/http/message.hpp"

#include <algorithm>
#include <iterator>

#include "fnkit/base/text.hpp"

namespace fnkit::http {

std::optional<std::string_view> find_header(std::span<const HeaderField> fields,
                                            std::string_view name) {
  for (const HeaderField& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::vector<HeaderField> end_to_end(std::span<const HeaderField> fields) {
  static constexpr std::string_view kHopByHop[] = {"connection",
                                                   "keep-alive",
                                                   "proxy-authenticate",
                                                   "proxy-authorization",
                                                   "proxy-connection",
                                                   "te",
                                                   "trailer",
                                                   "transfer-encoding",
                                                   "upgrade"};
  const auto is_listed = [](std::string_view name) {
    return std::any_of(std::begin(kHopByHop), std::end(kHopByHop),
                       [=](std::string_view each) { return equals_ignoring_case(each, name); });
  };
  const auto is_named = [fields](std::string_view name) {
    return std::any_of(fields.begin(), fields.end(), [=](const HeaderField& field) {
      return equals_ignoring_case(field.name, "connection") && list_contains(field.value, name);
    });
  };
  std::vector<HeaderField> kept;
  for (const HeaderField& field : fields) {
    if (!is_listed(field.name) && !is_named(field.name)) kept.push_back(field);
  }
  return kept;
}

Body Body::copy_of(std::string_view text) {
  Body body;
  body.storage.append(text);
  body.bytes = body.storage.view();
  return body;
}

Response json_response(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = Body::copy_of(text);
  return response;
}

Response error_response(int status, std::string_view message) {
  std::string text = R"({"error":")";
  text += message;
  text += "\"}";
  return json_response(status, text);
}

Response retry_later(std::string_view message) {
  Response response = error_response(503, message);
  response.extra_headers = kRetryAfter;
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 425: return "Too Early";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 508: return "Loop Detected";
    default: return "Unknown";
  }
}

}  // namespace fnkit::http
