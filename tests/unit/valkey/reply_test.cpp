#include <gtest/gtest.h>

#include "fnkit/valkey/reply.hpp"

namespace fnkit::valkey {
namespace {

using Kind = Reply::Kind;

// The protocol's own examples (the RESP2 page of Valkey's documentation), and what subscribers see.
std::string conversation() {
  std::string text =
      "+OK\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
  text += ":-1000\r\n$-1\r\n$0\r\n\r\n*0\r\n*2\r\n$5\r\nhello\r\n$8\r\n";
  text += std::string("wo\0\r\n\r\nd\r\n", 10);
  text += "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*-1\r\n";
  text += "*2\r\n*1\r\n:1\r\n*2\r\n+a\r\n*0\r\n";
  return text;
}

void take_all(ReplyReader& reader, std::vector<Reply>& replies) {
  while (true) {
    Result<std::optional<Reply>> reply = reader.next();
    ASSERT_TRUE(reply) << reply.error().message;
    if (!*reply) return;
    replies.push_back(std::move(**reply));
  }
}

void expect_conversation(const std::vector<Reply>& replies) {
  ASSERT_EQ(replies.size(), 9U);
  EXPECT_EQ(replies[0].kind, Kind::status);
  EXPECT_EQ(replies[0].text, "OK");
  EXPECT_TRUE(replies[1].is_error("WRONGTYPE"));
  EXPECT_FALSE(replies[1].is_error("WRONG"));
  EXPECT_EQ(replies[2].kind, Kind::integer);
  EXPECT_EQ(replies[2].integer, -1000);
  EXPECT_EQ(replies[3].kind, Kind::nil);
  EXPECT_EQ(replies[4].kind, Kind::text);
  EXPECT_EQ(replies[4].text, "");
  EXPECT_EQ(replies[5].kind, Kind::array);
  EXPECT_TRUE(replies[5].elements.empty());
  ASSERT_EQ(replies[6].elements.size(), 2U);
  EXPECT_EQ(replies[6].elements[0].text, "hello");
  EXPECT_EQ(replies[6].elements[1].text, std::string("wo\0\r\n\r\nd", 8));
  ASSERT_EQ(replies[7].elements.size(), 3U);
  EXPECT_EQ(replies[7].elements[2].kind, Kind::nil);
  ASSERT_EQ(replies[8].elements.size(), 2U);
  EXPECT_EQ(replies[8].elements[0].elements[0].integer, 1);
  EXPECT_EQ(replies[8].elements[1].elements[0].text, "a");
  EXPECT_EQ(replies[8].elements[1].elements[1].kind, Kind::array);
}

TEST(ReplyReader, YieldsTheSameRepliesWhereverTheBytesAreCut) {
  const std::string bytes = conversation();
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    ReplyReader reader;
    std::vector<Reply> replies;
    reader.feed(std::string_view(bytes).substr(0, cut));
    take_all(reader, replies);
    reader.feed(std::string_view(bytes).substr(cut));
    take_all(reader, replies);
    expect_conversation(replies);
  }
}

TEST(ReplyReader, YieldsTheSameRepliesByteForByte) {
  ReplyReader reader;
  std::vector<Reply> replies;
  for (const char byte : conversation()) {
    reader.feed({&byte, 1});
    take_all(reader, replies);
  }
  expect_conversation(replies);
}

TEST(ReplyReader, OtherProtocolsAreAnError) {
  for (const char* bytes : {"HTTP/1.1 400 Bad Request\r\n", "?\r\n", "$-7\r\n", ":1x\r\n"}) {
    ReplyReader reader;
    reader.feed(bytes);
    Result<std::optional<Reply>> reply = reader.next();
    ASSERT_FALSE(reply) << bytes;
    EXPECT_NE(reply.error().message.find("protocol"), std::string::npos);
  }
}

TEST(ReplyReader, AReplyThatIsCutOffLeavesNothingBehind) {
  ReplyReader reader;
  reader.feed("*3\r\n$1\r\na\r\n*2\r\n:1\r\n");
  Result<std::optional<Reply>> reply = reader.next();
  ASSERT_TRUE(reply);
  EXPECT_FALSE(*reply);
}

TEST(ReplyReader, AnnouncedElementsCostNothingBeforeTheyCome) {
  ReplyReader reader;
  reader.feed("*2147483647\r\n$1\r\na\r\n");
  Result<std::optional<Reply>> reply = reader.next();
  EXPECT_TRUE(!reply || !*reply);
}

TEST(ReplyReader, AReplyWithoutEndIsAnError) {
  ReplyReader reader;
  reader.feed("$536870912\r\n");
  const std::string piece(1024 * 1024, 'x');
  bool refused = false;
  for (int i = 0; i < 64 && !refused; ++i) {
    reader.feed(piece);
    refused = !reader.next();
  }
  EXPECT_TRUE(refused);
}

TEST(Command, HoldsAnyBytes) {
  std::string out = "before ";
  append_command(out, {"AUTH", std::string("\0\r\n \xff", 5), ""});
  EXPECT_EQ(out,
            "before *3\r\n$4\r\nAUTH\r\n$5\r\n" + std::string("\0\r\n \xff", 5) + "\r\n$0\r\n\r\n");
}

TEST(Explain, SaysWhatTheServerMeans) {
  EXPECT_EQ(explain("NOAUTH Authentication required."),
            "it asks for a password (NOAUTH Authentication required.)");
  EXPECT_EQ(explain("LOADING Valkey is loading the dataset in memory"),
            "it is still loading its data (LOADING Valkey is loading the dataset in memory)");
  EXPECT_NE(explain("MOVED 3999 127.0.0.1:6381").find("cluster mode, which is not supported"),
            std::string::npos);
  EXPECT_NE(explain("READONLY You can't write").find("read-only replica"), std::string::npos);
  EXPECT_EQ(explain("ERR something\nelse"), "it says: ERR something else");
}

}  // namespace
}  // namespace fnkit::valkey
