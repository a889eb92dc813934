// Host, expectations, upgrades, and what becomes of the connection.
#include "wire/http_cases.hpp"

namespace fnkit::test {

using namespace std::literals;

std::vector<RequestCase> host_cases() {
  return {
      {"E01", "Host missing", raw({"GET /livez HTTP/1.1\r\n\r\n"}), "400", After::close,
       "RFC 9112 3.2"},
      {"E02", "Host empty", raw({"GET /livez HTTP/1.1\r\nHost:\r\n\r\n"}), "400", After::close,
       "policy: there is always a name here"},
      {"E03", "Host two equal", get({"Host: t\r\n\r\n"}), "400", After::close, "RFC 9112 3.2"},
      {"E04", "Host two different", get({"Host: u\r\n\r\n"}), "400", After::close, "RFC 9112 3.2"},
      {"E05", "Host list", raw({"GET /livez HTTP/1.1\r\nHost: t, u\r\n\r\n"}), "400", After::close,
       "RFC 9112 3.2"},
      {"E06", "Host with user", raw({"GET /livez HTTP/1.1\r\nHost: a@t\r\n\r\n"}), "400",
       After::close, "RFC 9112 3.2"},
      {"E07", "Host path", raw({"GET /livez HTTP/1.1\r\nHost: t/p\r\n\r\n"}), "400", After::close,
       "RFC 9112 3.2"},
      {"E08", "Host with port", raw({"GET /livez HTTP/1.1\r\nHost: t:8080\r\n\r\n"}), "200",
       After::keep, "RFC 9112 3.2"},
      {"E09", "Host two ports", raw({"GET /livez HTTP/1.1\r\nHost: t:80:80\r\n\r\n"}), "400",
       After::close, "RFC 9112 3.2"},
      {"E10", "Host IPv6", raw({"GET /livez HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"}), "200",
       After::keep, "RFC 3986 3.2.2"},
      {"E11", "HTTP/1.0 without Host", raw({"GET /livez HTTP/1.0\r\n\r\n"}), "200", After::close,
       "RFC 9112 3.2"},
      {"E12", "Host with OWS behind", raw({"GET /livez HTTP/1.1\r\nHost: t \t\r\n\r\n"}), "200",
       After::keep, "RFC 9110 5.5"},
      {"E13", "Host port letters", raw({"GET /livez HTTP/1.1\r\nHost: t:http\r\n\r\n"}), "400",
       After::close, "RFC 9112 3.2"},
      {"E14", "Host IPv6 without end", raw({"GET /livez HTTP/1.1\r\nHost: [::1\r\n\r\n"}), "400",
       After::close, "RFC 3986 3.2.2"},
      {"E15", "Host empty brackets", raw({"GET /livez HTTP/1.1\r\nHost: []\r\n\r\n"}), "400",
       After::close, "RFC 3986 3.2.2"},
      {"E16", "Host port only", raw({"GET /livez HTTP/1.1\r\nHost: :80\r\n\r\n"}), "400",
       After::close, "RFC 9112 3.2"},
      {"E17", "Host with a space", raw({"GET /livez HTTP/1.1\r\nHost: t u\r\n\r\n"}), "400",
       After::close, "RFC 9112 3.2"},
  };
}

std::vector<RequestCase> connection_cases() {
  return {
      {"F02", "Expect + body already sent",
       post({"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"}), "200", After::keep,
       "RFC 9110 10.1.1"},
      {"F04", "Expect, bad token", post({"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"}),
       "401", After::close, "RFC 9110 10.1.1, 11.6.1", Asks::for_token},
      {"F05", "Expect on HTTP/1.0",
       raw({"POST /orchestrate/echo HTTP/1.0\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: "
            "5\r\n\r\nhello"}),
       "200", After::close, "RFC 9110 10.1.1"},
      {"F06", "unknown Expect", post({"Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"}), "417",
       After::close, "RFC 9110 10.1.1"},
      {"F08", "GET with CL body, then GET",
       get({"Content-Length: 5\r\n\r\nhelloGET /livez HTTP/1.1\r\nHost: t\r\n\r\n"}), "200 200",
       After::keep, "RFC 9110 9.3.1; 9112 9.3"},
      {"F09", "Upgrade with a body, then GET",
       post({"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhelloGET "
             "/livez HTTP/1.1\r\nHost: t\r\n\r\n"}),
       "200 200", After::keep, "RFC 9110 7.8"},
      {"F10", "Upgrade: websocket",
       get({"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /livez HTTP/1.1\r\nHost: "
            "t\r\n\r\n"}),
       "200 200", After::keep, "RFC 9110 7.8"},
      {"F11", "Upgrade: h2c",
       get({"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
            "AAMAAABkAAQAAP__\r\n\r\n"}),
       "200", After::keep, "RFC 9110 7.8"},
      {"F12", "Connection: close then 2nd request",
       get({"Connection: close\r\n\r\nGET /livez HTTP/1.1\r\nHost: t\r\n\r\n"}), "200",
       After::close, "RFC 9112 9.6"},
      {"F13", "good request, then a bad one", get({"\r\nGET\r\n\r\n"}), "200 400", After::close,
       "RFC 9112 2.2"},
      {"F14", "2 pipelined POSTs",
       post({"Content-Length: 5\r\n\r\nhelloPOST /orchestrate/echo HTTP/1.1\r\nHost: "
             "t\r\nContent-Length: 5\r\n\r\nworld"}),
       "200 200", After::keep, "RFC 9112 9.3.2"},
      {"F15", "5 pipelined GETs",
       get({"\r\nGET /livez HTTP/1.1\r\nHost: t\r\n\r\nGET /livez HTTP/1.1\r\nHost: t\r\n\r\nGET "
            "/livez HTTP/1.1\r\nHost: t\r\n\r\nGET /livez HTTP/1.1\r\nHost: t\r\n\r\n"}),
       "200 200 200 200 200", After::keep, "RFC 9112 9.3.2"},
      {"F16", "Connection: keep-alive + close lines",
       get({"Connection: keep-alive\r\nConnection: close\r\n\r\n"}), "200", After::close,
       "RFC 9112 9.3"},
      {"F17", "HTTP/1.0 keep-alive", raw({"GET /livez HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"}),
       "200", After::keep, "RFC 9112 C.2.2"},
      {"F18", "Max-Forwards: 0 with OPTIONS",
       raw({"OPTIONS /livez HTTP/1.1\r\nHost: t\r\nMax-Forwards: 0\r\n\r\n"}), "204", After::keep,
       "RFC 9110 7.6.2"},
      {"F19", "Connection: close in a list", get({"Connection: x, CLOSE ,y\r\n\r\n"}), "200",
       After::close, "RFC 9110 7.6.1"},
      {"F20", "HTTP/1.0, then a second request",
       raw({"GET /livez HTTP/1.0\r\n\r\nGET /livez HTTP/1.1\r\nHost: t\r\n\r\n"}), "200",
       After::close, "RFC 9112 9.3"},
  };
}

}  // namespace fnkit::test
