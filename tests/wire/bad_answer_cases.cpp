// Answers that are no acceptable HTTP.
#include "wire/answer_cases.hpp"

#include "wire/http_cases.hpp"

namespace fnkit::test {
namespace {

using namespace std::literals;

std::vector<AnswerCase> badly_framed() {
  return {
      {"U01", "CL and TE",
       raw({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 6.3; nginx-tests proxy_duplicate_headers.t"},
      {"U02", "two different CL",
       raw({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!"}), Peer::stays,
       502, "", Reuse::no, "RFC 9112 6.3"},
      {"U03a", "CL negative", raw({"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"}), Peer::stays,
       502, "", Reuse::no, "RFC 9112 6.3"},
      {"U03b", "CL of 20 digits",
       raw({"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"}), Peer::stays, 502,
       "", Reuse::no, "RFC 9112 6.3"},
      {"U03c", "CL list", raw({"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nhi!"}), Peer::stays,
       502, "", Reuse::no, "RFC 9112 6.3"},
      {"U04a", "TE gzip", raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc"}),
       Peer::ends, 502, "", Reuse::no, "RFC 9112 6.1"},
      {"U04b", "TE chunked, gzip",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nabc"}), Peer::ends, 502, "",
       Reuse::no, "RFC 9112 6.1"},
      {"U04c", "TE gzip, chunked",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"}), Peer::stays,
       502, "", Reuse::no, "RFC 9112 6.1"},
      {"U04d", "two TE lines",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
            "chunked\r\n\r\n0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 6.1"},
      {"U05", "TE on HTTP/1.0",
       raw({"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}), Peer::stays, 502,
       "", Reuse::no, "RFC 9112 6.1"},
      {"U08a", "shorter than its CL", raw({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi"}),
       Peer::ends, 502, "", Reuse::no, "RFC 9112 8; nginx-tests proxy_unfinished.t"},
      {"U08b", "no last chunk",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"}), Peer::ends, 502,
       "", Reuse::no, "RFC 9112 8"},
      {"U08c", "half a head", raw({"HTTP/1.1 200 OK\r\nContent-Le"}), Peer::ends, 502, "",
       Reuse::no, "RFC 9112 8"},
      {"U08d", "no end of trailers",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n"}), Peer::ends, 502,
       "", Reuse::no, "RFC 9112 8"},
      {"U08e", "nothing", "", Peer::ends, 502, "", Reuse::no, "RFC 9112 8"},
      {"U09a", "chunk size 0x2",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nhi\r\n0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 7.1"},
      {"U09b", "chunk size +2",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nhi\r\n0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 7.1"},
      {"U09c", "chunk size overflow",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
            "chunked\r\n\r\n10000000000000002\r\nhi\r\n0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 7.1"},
      {"U09d", "chunk extension of 64 KiB",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;", repeat("a", 65536),
            "\r\nhi\r\n0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 7.1.1"},
  };
}

std::vector<AnswerCase> badly_begun() {
  return {
      {"U12", "1000 interim answers", repeat(kEarlyHints, 1000), Peer::stays, 502, "", Reuse::no,
       "policy: 16 are enough"},
      {"U12b", "only an interim answer", raw({"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"}),
       Peer::ends, 502, "", Reuse::no, "RFC 9112 8"},
      {"U13", "101",
       raw({"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9110 7.8"},
      {"U16a", "LF line ends", raw({"HTTP/1.1 200 OK\nContent-Length: 0\n\n"}), Peer::stays, 502,
       "", Reuse::no, "RFC 9112 2.2 (may accept; we refuse)"},
      {"U16b", "obs-fold", raw({"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 5.2"},
      {"U16c", "space before colon", raw({"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 5.1"},
      {"U16d", "NUL in a value",
       raw({"HTTP/1.1 200 OK\r\nX: a\000\r\nContent-Length: 0\r\n\r\n"sv}), Peer::stays, 502, "",
       Reuse::no, "RFC 9110 5.5"},
      {"U16e", "CR in a value", raw({"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 2.2"},
      {"U17a", "status 99", raw({"HTTP/1.1 99 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays, 502,
       "", Reuse::no, "RFC 9110 15"},
      {"U17b", "status 000", raw({"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays,
       502, "", Reuse::no, "RFC 9110 15"},
      {"U17c", "status 600", raw({"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays,
       502, "", Reuse::no, "RFC 9110 15"},
      {"U17d", "status 1000", raw({"HTTP/1.1 1000 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays,
       502, "", Reuse::no, "RFC 9110 15"},
      {"U17e", "status abc", raw({"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays,
       502, "", Reuse::no, "RFC 9110 15"},
      {"U17f", "status 099", raw({"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays,
       502, "", Reuse::no, "RFC 9110 15"},
      {"U17g", "status 20", raw({"HTTP/1.1 20  OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays, 502,
       "", Reuse::no, "RFC 9110 15"},
      {"U17h", "status 2000", raw({"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays,
       502, "", Reuse::no, "RFC 9110 15"},
      {"U17i", "HTTP/2.0", raw({"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays, 502,
       "", Reuse::no, "RFC 9112 2.3"},
      {"U17j", "HTTP/0.9", raw({"<html>hello</html>"}), Peer::ends, 502, "", Reuse::no,
       "RFC 9112 2.3"},
      {"U17k", "TLS alert", raw({"\025\003\001\000\002\002F"sv}), Peer::ends, 502, "", Reuse::no,
       "RFC 9112 4"},
      {"U17l", "http/1.1", raw({"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}), Peer::stays, 502,
       "", Reuse::no, "RFC 9112 2.3"},
      {"U17m", "another protocol", raw({"ICY 200 OK\r\n\r\n"}), Peer::ends, 502, "", Reuse::no,
       "RFC 9112 2.3"},
      {"U18a", "200 KiB of headers",
       raw({"HTTP/1.1 200 OK\r\n", repeat(raw({"X: ", repeat("y", 1019), "\r\n"}), 200), "\r\n"}),
       Peer::stays, 502, "", Reuse::no, "CONTRACT 5"},
      {"U18b", "101 header lines",
       raw({"HTTP/1.1 200 OK", repeat("\r\nX: y", 100), "\r\nContent-Length: 0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "CONTRACT 5"},
      {"U18c", "a line of 100 KiB",
       raw({"HTTP/1.1 200 OK\r\nX: ", repeat("y", 102400), "\r\n\r\n"}), Peer::stays, 502, "",
       Reuse::no, "CONTRACT 5"},
      {"U19a", "over the limit by CL", raw({"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "CONTRACT 5"},
      {"U19b", "over the limit by chunks",
       raw({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n", repeat("x", 65535),
            "\r\n2\r\n"}),
       Peer::stays, 502, "", Reuse::no, "CONTRACT 5"},
      {"U19c", "over the limit until the end", raw({"HTTP/1.1 200 OK\r\n\r\n", repeat("x", 65537)}),
       Peer::ends, 502, "", Reuse::no, "CONTRACT 5"},
      {"U23a", "reason of 4 KiB",
       raw({"HTTP/1.1 200 ", repeat("a", 4096), "\r\nContent-Length: 0\r\n\r\n"}), Peer::stays, 502,
       "", Reuse::no, "policy: 1 KiB"},
      {"U23f", "reason with NUL", raw({"HTTP/1.1 200 O\000K\r\nContent-Length: 0\r\n\r\n"sv}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 4"},
      {"V13", "an empty line before", raw({"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}),
       Peer::stays, 502, "", Reuse::no, "RFC 9112 2.2 (for requests only)"},
  };
}

}  // namespace

std::vector<AnswerCase> bad_answer_cases() {
  std::vector<AnswerCase> all = badly_framed();
  for (AnswerCase& more : badly_begun()) all.push_back(std::move(more));
  return all;
}

}  // namespace fnkit::test
