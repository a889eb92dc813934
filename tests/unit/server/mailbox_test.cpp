// From the control thread to a worker: the newest counts.
#include "fnkit/server/mailbox.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace fnkit {
namespace {

using server::Mailbox;

TEST(MailboxTest, TheNewestIsTakenOnce) {
  Mailbox<int> mailbox;
  EXPECT_EQ(mailbox.take(), nullptr);
  mailbox.put(std::make_shared<const int>(1));
  mailbox.put(std::make_shared<const int>(2));
  const auto taken = mailbox.take();
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(*taken, 2);
  EXPECT_EQ(mailbox.take(), nullptr);
}

TEST(MailboxTest, WhatIsNotTakenOrSkippedIsFreed) {
  const auto value = std::make_shared<const int>(1);
  {
    Mailbox<int> mailbox;
    mailbox.put(value);
    mailbox.put(value);
    EXPECT_EQ(value.use_count(), 2);
  }
  EXPECT_EQ(value.use_count(), 1);
}

TEST(MailboxTest, AReaderOnAnotherThreadSeesThemInOrderAndTheLast) {
  constexpr int kLast = 20'000;
  Mailbox<int> mailbox;
  std::thread writer([&] {
    for (int i = 1; i <= kLast; ++i) mailbox.put(std::make_shared<const int>(i));
  });
  int seen = 0;
  bool in_order = true;
  while (seen < kLast) {
    if (const auto taken = mailbox.take()) {
      in_order = in_order && *taken > seen;
      seen = *taken;
    }
  }
  writer.join();
  EXPECT_TRUE(in_order);
}

}  // namespace
}  // namespace fnkit
