#include "fnkit/ring/operation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace fnkit {
namespace {

using ring::Operation;
using ring::SendMode;

std::string left_of(const Operation& operation) {
  std::string left;
  for (unsigned i = 0; i < operation.part_count; ++i) {
    left.append(static_cast<const char*>(operation.parts[i].iov_base), operation.parts[i].iov_len);
    left += '|';
  }
  return left;
}

TEST(OperationTest, ASendDropsEmptyPartsAndWhatHasLeft) {
  const std::array<std::string_view, 6> parts{"", "abc", "", "d", "efgh", ""};
  Operation operation;
  operation.send(3, parts, SendMode::silent, Duration::max());
  EXPECT_EQ(left_of(operation), "abc|d|efgh|");
  EXPECT_EQ(operation.advance(0), 8U);
  EXPECT_EQ(left_of(operation), "abc|d|efgh|");
  EXPECT_EQ(operation.advance(2), 6U);
  EXPECT_EQ(left_of(operation), "c|d|efgh|");
  EXPECT_EQ(operation.advance(1), 5U) << "a cut at the border of two parts";
  EXPECT_EQ(left_of(operation), "d|efgh|");
  EXPECT_EQ(operation.advance(4), 1U);
  EXPECT_EQ(left_of(operation), "h|");
  EXPECT_EQ(operation.advance(1), 0U);
}

TEST(OperationDeathTest, ASendOfNothingOrOfTooManyPartsIsRefused) {
  Operation operation;
  const std::array<std::string_view, 1> nothing{""};
  EXPECT_DEATH(operation.send(3, nothing, SendMode::silent, Duration::max()), "REQUIRE");
  const std::array<std::string_view, 5> many{"a", "b", "c", "d", "e"};
  EXPECT_DEATH(operation.send(3, many, SendMode::silent, Duration::max()), "REQUIRE");
}

}  // namespace
}  // namespace fnkit
