// Answers that are taken.
#include "wire/answer_cases.hpp"

#include "wire/http_cases.hpp"

namespace fnkit::test {
namespace {

using namespace std::literals;

std::vector<AnswerCase> interim_and_bodiless() {
  return {
      {"U06a", "until the connection ends", raw({"HTTP/1.1 200 OK\r\n\r\nall of it"}), Peer::ends,
       200, "all of it", Reuse::no, "RFC 9112 6.3 item 8"},
      {"U06b", "until the end, nothing", raw({"HTTP/1.1 200 OK\r\n\r\n"}), Peer::ends, 200, "",
       Reuse::no, "RFC 9112 6.3 item 8"},
      {"U10a", "204 with CL and bytes",
       raw({"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi"}), Peer::stays, 204, "",
       Reuse::no, "RFC 9112 6.3 item 1"},
      {"U10b", "304 with CL", raw({"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n"}),
       Peer::stays, 304, "", Reuse::yes, "RFC 9112 6.3 item 1"},
      {"U10c", "204", raw({"HTTP/1.1 204 No Content\r\n\r\n"}), Peer::stays, 204, "", Reuse::yes,
       "RFC 9112 6.3 item 1"},
      {"U10d", "304 with a huge CL",
       raw({"HTTP/1.1 304 Not Modified\r\nContent-Length: 99999999999\r\n\r\n"}), Peer::stays, 304,
       "", Reuse::yes, "RFC 9112 6.3 item 1"},
      {"U11a", "100, 103, 200",
       raw({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 "
            "200 OK\r\nContent-Length: 2\r\n\r\nhi"}),
       Peer::stays, 200, "hi", Reuse::yes, "RFC 9110 15.2"},
      {"U11b", "16 interim answers",
       repeat(kEarlyHints, 16) + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Peer::stays, 200,
       "hi", Reuse::yes, "RFC 9110 15.2"},
      {"U11c", "103 with a length",
       raw({"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 "
            "OK\r\nContent-Length: 2\r\n\r\nhi"}),
       Peer::stays, 200, "hi", Reuse::yes, "RFC 9112 6.3 item 1"},
      {"V03", "to HEAD with CL", raw({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}), Peer::stays,
       200, "", Reuse::yes, "RFC 9112 6.3 item 1", Asked::head},
      {"V04", "to HEAD with TE", raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}),
       Peer::stays, 200, "", Reuse::yes, "RFC 9112 6.3 item 1", Asked::head},
      {"V05", "to HEAD with neither", raw({"HTTP/1.1 200 OK\r\n\r\n"}), Peer::stays, 200, "",
       Reuse::yes, "RFC 9112 6.3 item 1", Asked::head},
      {"V06", "to HEAD with a body all the same",
       raw({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}), Peer::stays, 200, "", Reuse::no,
       "RFC 9112 6.3 item 1", Asked::head},
  };
}

std::vector<AnswerCase> ordinary() {
  return {
      {"U14", "two answers",
       raw({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: "
            "2\r\n\r\nhi"}),
       Peer::stays, 200, "hi", Reuse::no, "RFC 9112 9.2"},
      {"U18d", "100 header lines",
       raw({"HTTP/1.1 200 OK", repeat("\r\nX: y", 99), "\r\nContent-Length: 0\r\n\r\n"}),
       Peer::stays, 200, "", Reuse::yes, "CONTRACT 5"},
      {"U19d", "the limit to the byte",
       raw({"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n", repeat("x", 65536)}), Peer::stays,
       200, repeat("x", 65536), Reuse::yes, "CONTRACT 5"},
      {"U21a", "close, and bytes behind",
       raw({"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi!"}), Peer::stays,
       200, "hi", Reuse::no, "RFC 9112 9.6"},
      {"U21b", "Connection: close",
       raw({"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"}), Peer::stays,
       200, "hi", Reuse::no, "RFC 9112 9.6"},
      {"U22", "headers that mean nothing here",
       raw({"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nConnection: X-A\r\nX-A: 1\r\nServer: "
            "x\r\nLocation: /\r\nContent-Length: 2\r\n\r\nhi"}),
       Peer::stays, 200, "hi", Reuse::yes, "CONTRACT 3"},
      {"U23b", "reason of 1000 bytes",
       raw({"HTTP/1.1 200 ", repeat("a", 1000), "\r\nContent-Length: 0\r\n\r\n"}), Peer::stays, 200,
       "", Reuse::yes, "RFC 9112 4"},
      {"U23c", "reason empty", raw({"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi"}), Peer::stays,
       200, "hi", Reuse::yes, "RFC 9112 4"},
      {"U23d", "no reason, no space", raw({"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi"}),
       Peer::stays, 200, "hi", Reuse::yes, "nginx, curl"},
      {"U23e", "reason 8-bit", raw({"HTTP/1.1 404 Gibt\344s ned\r\nContent-Length: 2\r\n\r\nhi"}),
       Peer::stays, 404, "hi", Reuse::yes, "RFC 9112 4 (obs-text)"},
      {"V01", "chunked",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n4;x=y\r\n "
            "you\r\n0\r\nX: y\r\n\r\n"}),
       Peer::stays, 200, "hi you", Reuse::yes, "RFC 9112 7.1"},
      {"V02", "chunked, nothing",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}), Peer::stays, 200,
       "", Reuse::yes, "RFC 9112 7.1"},
      {"V07", "HTTP/1.0 with CL", raw({"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"}),
       Peer::stays, 200, "hi", Reuse::no, "RFC 9112 9.3"},
      {"V08", "HTTP/1.0 keep-alive",
       raw({"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"}),
       Peer::stays, 200, "hi", Reuse::yes, "RFC 9112 C.2.2; ab, wrk"},
      {"V09", "CL 0", raw({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays, 200, "",
       Reuse::yes, "RFC 9112 6.3"},
      {"V10", "3xx", raw({"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"}),
       Peer::stays, 302, "", Reuse::yes, "RFC 9110 15.4.3"},
      {"V11", "599", raw({"HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nhi"}), Peer::stays, 599,
       "hi", Reuse::yes, "RFC 9110 15"},
      {"V12", "complete, then the end", raw({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}),
       Peer::ends, 200, "hi", Reuse::yes, "RFC 9112 9.3"},
  };
}

}  // namespace

std::vector<AnswerCase> answer_cases() {
  std::vector<AnswerCase> all = interim_and_bodiless();
  for (AnswerCase& more : ordinary()) all.push_back(std::move(more));
  return all;
}

}  // namespace fnkit::test
