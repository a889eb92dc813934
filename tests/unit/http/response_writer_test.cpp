// Heads of answers, to the byte where the byte is ours to choose.
#include "http/response_writer.hpp"

#include <gtest/gtest.h>

#include "fnkit/http/message.hpp"

namespace fnkit {
namespace {

using http::append_head;
using http::ResponseHead;

std::string head_of(const ResponseHead& head) {
  std::string text;
  append_head(text, head);
  const size_t date = text.find("\r\ndate: ");
  if (date != std::string::npos) text.erase(date, text.find("\r\n", date + 2) - date);
  return text;
}

TEST(ResponseWriterTest, AKeptAnswerSaysNothingAboutTheConnection) {
  EXPECT_EQ(head_of({200, "a/b", "", "id", 5, true, 1}),
            "HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-length: 5\r\n"
            "x-request-id: id\r\n\r\n");
}

TEST(ResponseWriterTest, TheLastAnswerSaysClose) {
  EXPECT_EQ(head_of({503, "", "retry-after: 1\r\n", "id", 0, false, 1}),
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nx-request-id: id\r\n"
            "retry-after: 1\r\nconnection: close\r\n\r\n");
}

TEST(ResponseWriterTest, NoContentAndNotModifiedHaveNoLength) {
  for (const int status : {204, 304}) {
    EXPECT_EQ(head_of({status, "", "", "id", 0, true, 1}).find("content-length"), std::string::npos)
        << status << " has a length (RFC 9110 section 8.6)";
  }
}

TEST(ResponseWriterTest, AnUnknownStatusHasAReasonAllTheSame) {
  EXPECT_EQ(head_of({299, "", "", "id", 0, true, 1}).substr(0, 24), "HTTP/1.1 299 Unknown\r\nco");
}

// IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT": RFC 9110 section 5.6.7.
TEST(ResponseWriterTest, TheDateIsFixed) {
  const std::string date(http::date_now());
  ASSERT_EQ(date.size(), 29U) << date;
  const std::string shape = "Aaa, 00 Aaa 0000 00:00:00 GMT";
  for (size_t i = 0; i < shape.size(); ++i) {
    const char c = date[i];
    const bool digit = c >= '0' && c <= '9';
    const bool upper = c >= 'A' && c <= 'Z';
    const bool lower = c >= 'a' && c <= 'z';
    const char kind = digit ? '0' : upper && i < 25 ? 'A' : lower ? 'a' : c;
    EXPECT_EQ(kind, shape[i]) << "at " << i << " of " << date;
  }
}

}  // namespace
}  // namespace fnkit
