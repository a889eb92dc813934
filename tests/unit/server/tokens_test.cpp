// Bearer tokens: CONTRACT section 2, HTTP.md section 10.
#include "fnkit/server/tokens.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace fnkit {
namespace {

using server::Tokens;

TEST(TokensTest, WithoutATokenEverybodyMayCall) {
  EXPECT_TRUE(Tokens().open_mode());
  EXPECT_TRUE(Tokens().accept(std::nullopt));
  EXPECT_TRUE(Tokens().accept("Basic x"));
}

TEST(TokensTest, OnlyTheTokenItselfIsAccepted) {
  const Tokens tokens({"Secret-1"});
  EXPECT_FALSE(tokens.open_mode());
  for (const char* value :
       {"Bearer Secret-1", "bearer Secret-1", "BEARER Secret-1", "Bearer   Secret-1"}) {
    EXPECT_TRUE(tokens.accept(value)) << value;
  }
  for (const char* value :
       {"Bearer secret-1", "Bearer Secret-2", "Bearer xecret-1", "Bearer Secret-", "Bearer Secret",
        "Bearer Secret-11", "Bearer Secret-1Secret-1", "Bearer", "Bearer ", "", "Secret-1",
        "BearerSecret-1", "Basic Secret-1", "Bearer Secret-1, x", "Bearer\tSecret-1"}) {
    EXPECT_FALSE(tokens.accept(value)) << value;
  }
  EXPECT_FALSE(tokens.accept(std::nullopt));
  EXPECT_FALSE(tokens.accept("Bearer " + std::string(8192, 'S')));
}

TEST(TokensTest, AnyOfSeveralIsAccepted) {
  const Tokens tokens({"old", "newer"});
  EXPECT_TRUE(tokens.accept("Bearer old"));
  EXPECT_TRUE(tokens.accept("Bearer newer"));
  EXPECT_FALSE(tokens.accept("Bearer oldnewer"));
}

class TokenFileTest : public testing::Test {
 protected:
  ~TokenFileTest() override { ::unlink(path_.c_str()); }
  std::string read(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    Result<Tokens> tokens = Tokens::read_file(path_);
    if (!tokens) return tokens.error().message;
    std::string accepted;
    for (const char* name : {"one", "two", ""}) {
      if (tokens->accept("Bearer " + std::string(name))) accepted += std::string(name) + " ";
    }
    return accepted;
  }
  const std::string path_ = testing::TempDir() + "fnkit-tokens-" + std::to_string(getpid());
};

TEST_F(TokenFileTest, ATokenALineSpacesAndEmptyLinesAside) {
  EXPECT_EQ(read("one"), "one ");
  EXPECT_EQ(read("one\n"), "one ");
  EXPECT_EQ(read("\n  one\t\r\n\n two \n"), "one two ");
}

TEST_F(TokenFileTest, AFileWithoutATokenWouldOpenWhatWasMeantToBeClosed) {
  for (const char* content : {"", "\n", " \r\n\t\n"}) {
    EXPECT_EQ(read(content).find("holds no token. Two ways out: "), 0u);
  }
}

TEST_F(TokenFileTest, AFileThatCannotBeReadSaysWhy) {
  Result<Tokens> missing = Tokens::read_file(path_ + "-none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "cannot be read: No such file or directory");
  Result<Tokens> directory = Tokens::read_file("/tmp");
  ASSERT_FALSE(directory);
  EXPECT_TRUE(directory.error().message.starts_with("cannot be read")) << directory.error().message;
}

}  // namespace
}  // namespace fnkit
