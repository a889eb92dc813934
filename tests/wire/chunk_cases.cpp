// The chunked coding.
#include "wire/http_cases.hpp"

namespace fnkit::test {

using namespace std::literals;

std::vector<RequestCase> chunk_cases() {
  return {
      {"B01", "LF after the chunk size", chunked({"5\nhello\r\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1, erratum 7633"},
      {"B02", "LF after chunk data", chunked({"5\r\nhello\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1, erratum 7633"},
      {"B03", "LF after the last size", chunked({"5\r\nhello\r\n0\n\r\n"}), "400", After::close,
       "RFC 9112 7.1, erratum 7633"},
      {"B05", "CR alone after the size", chunked({"5\rhello\r\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1"},
      {"B14", "size hex prefix", chunked({"0x5\r\nhello\r\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1"},
      {"B15", "size with a plus", chunked({"+5\r\nhello\r\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1"},
      {"B16", "size negative", chunked({"-1\r\nhello\r\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1"},
      {"B18", "size leading space", chunked({" 5\r\nhello\r\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1"},
      {"B19", "size missing", chunked({"\r\nhello\r\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1"},
      {"B20", "size overflow", chunked({"FFFFFFFFFFFFFFFF0\r\nhello\r\n0\r\n\r\n"}), "400",
       After::close, "RFC 9112 7.1"},
      {"B21", "size with leading zeros", chunked({"0005\r\nhello\r\n000\r\n\r\n"}), "200",
       After::keep, "RFC 9112 7.1 (1*HEXDIG); curl"},
      {"B22", "size 2^64-1", chunked({"FFFFFFFFFFFFFFFF\r\nhello"}), "413", After::close,
       "RFC 9112 7.1"},
      {"B23", "size of 17 digits", chunked({"00000000000000005\r\nhello\r\n0\r\n\r\n"}), "400",
       After::close, "policy: a size line is bounded"},
      {"B24", "no CRLF after data", chunked({"5\r\nhello0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1"},
      {"B25", "size letters that are not hex", chunked({"5g\r\nhello\r\n0\r\n\r\n"}), "400",
       After::close, "RFC 9112 7.1"},
      {"B26", "upper-case hex", chunked({"A\r\nhelloworld\r\n0\r\n\r\n"}), "200", After::keep,
       "RFC 9112 7.1"},
      {"B33", "no last chunk, then FIN", chunked({"5\r\nhello\r\n"}), "400 or silence",
       After::close, "RFC 9112 8", Asks::for_end},
      {"B34", "1-byte chunks x 1 MiB", chunked({repeat("1\r\na\r\n", 40), "0\r\n\r\n"}), "200",
       After::keep, "RFC 9112 7.1"},
      {"B35", "lower-case hex", chunked({"a\r\nhelloworld\r\n0\r\n\r\n"}), "200", After::keep,
       "RFC 9112 7.1"},
      {"B40", "size just over the body limit", chunked({"1000001\r\n"}), "413", After::close,
       "RFC 9110 15.5.14"},
  };
}

std::vector<RequestCase> chunk_extension_cases() {
  return {
      {"B06", "bare \";\"", chunked({"5;\r\nhello\r\n0\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1.1"},
      {"B07", "quoted extension", chunked({"5;a=\"b \\\" c\"\r\nhello\r\n0\r\n\r\n"}), "200",
       After::keep, "RFC 9112 7.1.1"},
      {"B08", "valid extension", chunked({"5;a=b\r\nhello\r\n0\r\n\r\n"}), "200", After::keep,
       "RFC 9112 7.1.1"},
      {"B09", "extension without value", chunked({"5;a\r\nhello\r\n0;b\r\n\r\n"}), "200",
       After::keep, "RFC 9112 7.1.1"},
      {"B10", "bad token in extension", chunked({"5;b[=x\r\nhello\r\n0\r\n\r\n"}), "400",
       After::close, "RFC 9112 7.1.1"},
      {"B11", "extension with empty value", chunked({"5;a=\r\nhello\r\n0\r\n\r\n"}), "400",
       After::close, "RFC 9112 7.1.1"},
      {"B12", "NUL inside extension", chunked({"5;\000\r\nhello\r\n0\r\n\r\n"sv}), "400",
       After::close, "RFC 9112 7.1.1"},
      {"B13", "extension of 5000 bytes",
       chunked({"5;", repeat("a", 5000), "\r\nhello\r\n0\r\n\r\n"}), "400", After::close,
       "CVE-2024-22019"},
      {"B17", "quoted extension without its end", chunked({"5;a=\"b\r\nhello\r\n0\r\n\r\n"}), "400",
       After::close, "RFC 9112 7.1.1"},
  };
}

std::vector<RequestCase> trailer_cases() {
  return {
      {"B04", "LF ends trailers", chunked({"0\r\n\n"}), "400", After::close, "RFC 9112 7.1.2"},
      {"B27", "trailer", chunked({"5\r\nhello\r\n0\r\nX-Checksum: 1\r\n\r\n"}), "200", After::keep,
       "RFC 9112 7.1.2"},
      {"B28", "trailer Content-Length", chunked({"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n"}),
       "200 or 400", After::either, "RFC 9110 6.5.1"},
      {"B29", "trailer Transfer-Encoding",
       chunked({"5\r\nhello\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n"}), "200 or 400", After::either,
       "RFC 9110 6.5.1"},
      {"B30", "trailer Authorization",
       chunked({"5\r\nhello\r\n0\r\nAuthorization: Bearer GOOD\r\n\r\n"}), "401", After::either,
       "RFC 9110 6.5.1", Asks::for_token},
      {"B31", "trailer Host", chunked({"5\r\nhello\r\n0\r\nHost: u\r\n\r\n"}), "200 or 400",
       After::either, "RFC 9110 6.5.1"},
      {"B32", "trailer obs-fold", chunked({"0\r\nX: a\r\n b\r\n\r\n"}), "400", After::close,
       "RFC 9112 5.2"},
      {"B36", "trailer without colon", chunked({"0\r\nNoColon\r\n\r\n"}), "400", After::close,
       "RFC 9112 7.1.2"},
      {"B37", "trailers over the head limit", chunked({"0\r\nX: ", repeat("a", 17000), "\r\n\r\n"}),
       "431", After::close, "RFC 9110 5.4"},
      {"B38", "trailer line without end", chunked({"0\r\nX: ", repeat("a", 17000)}), "431",
       After::close, "RFC 9110 5.4"},
      {"B39", "101 trailers", chunked({"0", repeat("\r\nX: y", 101), "\r\n\r\n"}), "431",
       After::close, "RFC 9110 5.4"},
  };
}

}  // namespace fnkit::test
