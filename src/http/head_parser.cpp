#include "http/head_parser.hpp"

#include <llhttp.h>

#include "fnkit/base/text.hpp"

namespace fnkit::http {
namespace {

using Checked = Result<void, ProtocolError>;

// The target of an absolute-form without a path: it stands nowhere in the message.
constexpr std::string_view kRoot = "/";

int on_url(llhttp_t* parser, const char* at, size_t length) {
  static_cast<Head*>(parser->data)->target = {at, length};
  return 0;
}

int on_header_field(llhttp_t* parser, const char* at, size_t length) {
  static_cast<Head*>(parser->data)->fields.push_back({{at, length}, {}});
  return 0;
}

// llhttp leaves OWS behind the value in it; RFC 9110 section 5.5 wants it off.
int on_header_value(llhttp_t* parser, const char* at, size_t length) {
  static_cast<Head*>(parser->data)->fields.back().value = trim({at, length});
  return 0;
}

// llhttp is done when the head is: bodies are read by MessageParser.
int on_headers_complete(llhttp_t*) { return HPE_PAUSED; }

llhttp_settings_t make_settings() {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = &on_url;
  settings.on_header_field = &on_header_field;
  settings.on_header_value = &on_header_value;
  settings.on_headers_complete = &on_headers_complete;
  return settings;
}

// Fills `head` but for framing. Yields llhttp's own reading of "keep-alive".
Checked run_llhttp(llhttp_type_t type, std::string_view text, Head& head) {
  static const llhttp_settings_t settings = make_settings();
  llhttp_t parser;
  llhttp_init(&parser, type, &settings);
  INVARIANT(parser.lenient_flags == 0);
  head.fields.clear();
  head.target = head.authority = {};
  parser.data = &head;
  const llhttp_errno_t error = llhttp_execute(&parser, text.data(), text.size());
  if (error == HPE_INVALID_METHOD) return ProtocolError{501, "unknown method"};
  if (error != HPE_PAUSED) return ProtocolError{400, llhttp_errno_name(error)};
  head.minor_version = parser.http_minor;
  head.status = parser.status_code;
  return {};
}

// Reads the fields that decide where the message ends. Transfer-Encoding is "chunked" to the letter
// or refused: every other reading is somebody's smuggling (RFC 9112 sections 6.1 and 11.2).
Checked read_framing(Head& head) {
  bool chunked = false;
  bool has_length = false;
  for (const HeaderField& field : head.fields) {
    if (equals_ignoring_case(field.name, "transfer-encoding")) {
      if (chunked || head.minor_version == 0 || !equals_ignoring_case(field.value, "chunked")) {
        return ProtocolError{400, "Transfer-Encoding must be exactly 'chunked', on HTTP/1.1"};
      }
      chunked = true;
    } else if (equals_ignoring_case(field.name, "content-length")) {
      const std::string_view text = field.value;
      const auto length = parse_decimal(text);
      if (has_length || !length || (text.size() > 1 && text.front() == '0')) {
        return ProtocolError{400, "malformed Content-Length"};
      }
      has_length = true;
      head.content_length = *length;
    }
  }
  if (chunked && has_length) return ProtocolError{400, "Content-Length beside Transfer-Encoding"};
  head.framing = chunked ? Framing::chunked : has_length ? Framing::length : Framing::none;
  if (head.framing == Framing::length && head.content_length == 0) head.framing = Framing::none;
  return {};
}

void read_keep_alive(Head& head) {
  bool close = false;
  bool keep = head.minor_version == 1;
  for (const HeaderField& field : head.fields) {
    if (!equals_ignoring_case(field.name, "connection")) continue;
    close = close || list_contains(field.value, "close");
    keep = keep || list_contains(field.value, "keep-alive");
  }
  head.keep_alive = keep && !close;
}

// uri-host [":" port] of RFC 9110 section 7.2; what it names is not looked up.
bool is_host(std::string_view host) {
  if (host.empty()) return false;
  size_t name_end = host.find(':');
  if (host.front() == '[') {
    name_end = host.find(']');
    if (name_end == std::string_view::npos || name_end == 1) return false;
    for (const char c : host.substr(1, name_end - 1)) {
      if (!is_digit(c) && !is_alpha(c) && c != ':' && c != '.') return false;
    }
    ++name_end;
  }
  const std::string_view name = host.substr(0, name_end);
  const std::string_view rest = host.substr(name.size());
  if (name.empty()) return false;
  for (const char c : name.front() == '[' ? std::string_view() : name) {
    const bool allowed = is_digit(c) || is_alpha(c) ||
                         std::string_view("-._~%!$&'()*+;=").find(c) != std::string_view::npos;
    if (!allowed) return false;
  }
  if (rest.empty()) return true;
  const auto port = parse_decimal(rest.substr(1));
  return rest.front() == ':' && (rest.size() == 1 || (port && *port <= 65535));
}

// RFC 9112 section 3.2: origin-form and "*" stay; of absolute-form the path is kept and its
// authority replaces Host's.
Checked read_target(Head& head) {
  if (head.method == "CONNECT") return ProtocolError{405, "CONNECT is for proxies"};
  if (head.target.front() == '/') return {};
  if (head.target == "*") {
    if (head.method == "OPTIONS") return {};
    return ProtocolError{400, "'*' is a target for OPTIONS only"};
  }
  const size_t scheme_end = head.target.find("://");
  const std::string_view scheme = head.target.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos ||
      !(equals_ignoring_case(scheme, "http") || equals_ignoring_case(scheme, "https"))) {
    return ProtocolError{400, "malformed target"};
  }
  const std::string_view rest = head.target.substr(scheme_end + 3);
  const size_t path = rest.find_first_of("/?");
  head.authority = rest.substr(0, path);
  if (!is_host(head.authority)) return ProtocolError{400, "malformed authority in target"};
  head.target = path == std::string_view::npos ? kRoot : rest.substr(path);
  if (head.target.front() == '?') return ProtocolError{400, "malformed target"};
  return {};
}

// Fields of which a second one would leave open which counts.
Checked check_singletons(Head& head) {
  static constexpr std::string_view kSingletons[] = {"host", "authorization", "content-type",
                                                     "expect"};
  for (const std::string_view name : kSingletons) {
    unsigned count = 0;
    for (const HeaderField& field : head.fields) count += equals_ignoring_case(field.name, name);
    if (count > 1) return ProtocolError{400, "a header that must be single stands twice"};
  }
  const auto host = find_header(head.fields, "host");
  if (!host && head.minor_version == 1) return ProtocolError{400, "Host is missing"};
  if (host && !is_host(*host)) return ProtocolError{400, "malformed Host"};
  if (host && head.authority.empty()) head.authority = *host;
  return {};
}

Checked read_expect(Head& head) {
  head.expects_continue = false;
  const auto expect = find_header(head.fields, "expect");
  if (!expect || head.minor_version == 0) return {};
  if (!equals_ignoring_case(*expect, "100-continue")) {
    return ProtocolError{417, "the only expectation met here is 100-continue"};
  }
  head.expects_continue = true;
  return {};
}

}  // namespace

void Head::rebase(std::ptrdiff_t distance) {
  if (distance == 0) return;
  const auto move = [distance](std::string_view& view) {
    view = {view.data() + distance, view.size()};
  };
  if (!method.empty()) move(method);
  if (!target.empty() && target.data() != kRoot.data()) move(target);
  if (!authority.empty()) move(authority);
  for (HeaderField& field : fields) {
    move(field.name);
    move(field.value);
  }
}

Result<void, ProtocolError> parse_request_head(std::string_view text, Head& head) {
  head.method = text.substr(0, text.find(' '));
  if (Checked r = run_llhttp(HTTP_REQUEST, text, head); !r) return r;
  if (Checked r = read_target(head); !r) return r;
  if (Checked r = check_singletons(head); !r) return r;
  if (Checked r = read_expect(head); !r) return r;
  read_keep_alive(head);
  return read_framing(head);
}

Result<void, ProtocolError> parse_response_head(std::string_view text, bool to_head_request,
                                                Head& head) {
  if (Checked r = run_llhttp(HTTP_RESPONSE, text, head); !r) return r;
  read_keep_alive(head);
  bool until_close = true;
  for (const HeaderField& field : head.fields) {
    until_close = until_close && !equals_ignoring_case(field.name, "content-length") &&
                  !equals_ignoring_case(field.name, "transfer-encoding");
  }
  if (Checked r = read_framing(head); !r) return r;
  const bool bodiless =
      to_head_request || head.status < 200 || head.status == 204 || head.status == 304;
  if (bodiless) {
    head.framing = Framing::none;
  } else if (until_close) {
    head.framing = Framing::until_close;
    head.keep_alive = false;
  }
  return {};
}

}  // namespace fnkit::http
