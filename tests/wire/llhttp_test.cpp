// What this library does with no word from us; that none is said, tests/tidy sees to.
#include <gtest/gtest.h>
#include <llhttp.h>

namespace fnkit {
namespace {

TEST(LlhttpTest, ParsersBeginWithoutLeniency) {
  for (const llhttp_type_t kind : {HTTP_REQUEST, HTTP_RESPONSE}) {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    llhttp_t parser;
    llhttp_init(&parser, kind, &settings);
    EXPECT_EQ(parser.lenient_flags, 0);
  }
}

}  // namespace
}  // namespace fnkit
