#include "fnkit/json/writer.hpp"

#include <gtest/gtest.h>

#include "fnkit/json/validate.hpp"

namespace fnkit {
namespace {

TEST(WriterTest, CommasAndQuotesAreSet) {
  json::Writer json;
  json.begin_object().member("text", "a\"b").member("number", 3).member("fraction", 0.25);
  json.member("yes", true).key("nothing").null().key("list").begin_array();
  json.value(1).value("x").begin_array().end_array().begin_object().end_object().end_array();
  json.key("raw").raw("1.0").member(std::string("last"), std::string("\xff")).end_object();
  EXPECT_EQ(json.text(), R"({"text":"a\"b","number":3,"fraction":0.25,"yes":true,"nothing":null,)"
                         R"("list":[1,"x",[],{}],"raw":1.0,"last":"�"})");
  EXPECT_TRUE(json::is_valid(json.text()));
}

TEST(WriterTest, NumbersKeepTheirValue) {
  json::Writer json;
  json.begin_array().value(UINT64_MAX).value(-1).value(1e300).value(0.1).end_array();
  EXPECT_EQ(json.text(), "[18446744073709551615,-1,1e+300,0.1]");
}

}  // namespace
}  // namespace fnkit
