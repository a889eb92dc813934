// Header lines.
#include "wire/http_cases.hpp"

namespace fnkit::test {

using namespace std::literals;

std::vector<RequestCase> header_cases() {
  return {
      {"C01", "obs-fold", get({"X: a\r\n b\r\n\r\n"}), "400", After::close, "RFC 9112 5.2"},
      {"C02", "space before colon", get({"X : y\r\n\r\n"}), "400", After::close, "RFC 9112 5.1"},
      {"C03", "tab before colon", get({"X\t: y\r\n\r\n"}), "400", After::close, "RFC 9112 5.1"},
      {"C04", "no colon", get({"NoColon\r\n\r\n"}), "400", After::close, "RFC 9112 5"},
      {"C05", "empty name", get({": y\r\n\r\n"}), "400", After::close, "RFC 9110 5.1"},
      {"C06", "8-bit in name", get({"X-\353b: y\r\n\r\n"}), "400", After::close, "RFC 9110 5.1"},
      {"C07", "control byte in name", get({"X\001: y\r\n\r\n"}), "400", After::close,
       "RFC 9110 5.1"},
      {"C08", "space in name", get({"Content Length: 9\r\n\r\n"}), "400", After::close,
       "RFC 9110 5.1"},
      {"C09", "NUL in value", get({"X: a\000b\r\n\r\n"sv}), "400", After::close, "RFC 9110 5.5"},
      {"C10", "bare CR in value", get({"X: a\rb\r\n\r\n"}), "400", After::close, "RFC 9112 2.2"},
      {"C11", "control byte in value", get({"X: a\001b\r\n\r\n"}), "400", After::close,
       "RFC 9110 5.5"},
      {"C12", "DEL in value", get({"X: a\177b\r\n\r\n"}), "400", After::close, "RFC 9110 5.5"},
      {"C13", "8-bit in value", get({"X: \351\r\n\r\n"}), "200", After::keep,
       "RFC 9110 5.5 (obs-text)"},
      {"C14", "LF-terminated header", raw({"GET /livez HTTP/1.1\r\nHost: t\nX: y\r\n\r\n"}), "400",
       After::close, "RFC 9112 2.2"},
      {"C15", "empty values, OWS only", get({"X:\r\nY: \t \r\nAuthorization:\r\n\r\n"}), "200",
       After::keep, "RFC 9110 5.5; curl"},
      {"C16", "CRLF LF ends headers", get({"\n"}), "400", After::close, "RFC 9112 2.2"},
      {"C17", "space before the first header",
       raw({"GET /livez HTTP/1.1\r\n X: y\r\nHost: t\r\n\r\n"}), "400", After::close,
       "RFC 9112 2.2"},
      {"C18", "whitespace line before headers",
       raw({"GET /livez HTTP/1.1\r\n \r\nHost: t\r\n\r\n"}), "400", After::close, "RFC 9112 2.2"},
      {"C19", "CR CR LF ends a line", get({"X: y\r\r\n\r\n"}), "400", After::close, "RFC 9112 2.2"},
      {"C20", "duplicate Authorization",
       get({"Authorization: Bearer BAD\r\nAuthorization: Bearer GOOD\r\n\r\n"}), "400 or 401",
       After::close, "RFC 9110 5.3, 11.6.2"},
      {"C21", "duplicate Content-Type", get({"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"}),
       "400", After::close, "RFC 9110 5.3"},
      {"C22", "101 headers", get({repeat("X: y\r\n", 101), "\r\n"}), "431", After::close,
       "RFC 9110 5.4; RFC 6585 5"},
      {"C23", "100 header lines", get({repeat("X: y\r\n", 99), "\r\n"}), "200", After::keep,
       "CONTRACT 5"},
      {"C24", "header name 100 KiB", get({repeat("X", 102400), ": y\r\n\r\n"}), "431 or 400",
       After::close, "RFC 9110 5.4"},
      {"C25", "header value of 100 KiB", get({"X: ", repeat("y", 102400), "\r\n\r\n"}), "431",
       After::close, "RFC 9110 5.4"},
      {"C26", "head of 16 KiB", get({"X: ", repeat("y", 16347), "\r\n\r\n"}), "200", After::keep,
       "CONTRACT 5"},
      {"C27", "head of 16 KiB and a byte", get({"X: ", repeat("y", 16348), "\r\n\r\n"}), "431",
       After::close, "CONTRACT 5"},
      {"C28", "header name of symbols", get({"!#$%&'*+-.^_`|~: y\r\n\r\n"}), "200", After::keep,
       "RFC 9110 5.6.2"},
  };
}

}  // namespace fnkit::test
