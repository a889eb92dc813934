#include "fnkit/coro/event.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "fnkit/coro/task_group.hpp"

namespace fnkit {
namespace {

using coro::Event;
using coro::ReadyQueue;
using coro::Task;
using coro::TaskGroup;

Task<void> wait_and_note(Event& event, std::string& story, char name) {
  co_await event.wait();
  story += name;
}

TEST(EventTest, ResumesThroughTheReadyQueueInOrder) {
  Event a;
  Event b;
  std::string story;
  TaskGroup group;
  group.spawn(wait_and_note(a, story, 'a'));
  group.spawn(wait_and_note(b, story, 'b'));
  b.set();
  a.set();
  b.set();
  EXPECT_EQ(story, "") << "set() resumes nobody itself";
  ReadyQueue::of_thread().run_all();
  EXPECT_EQ(story, "ba");
}

TEST(EventTest, GoesThroughWhenSetAndWaitsAgainAfterReset) {
  Event event;
  std::string story;
  TaskGroup group;
  event.set();
  group.spawn(wait_and_note(event, story, '1'));
  EXPECT_EQ(story, "1");
  event.reset();
  group.spawn(wait_and_note(event, story, '2'));
  ReadyQueue::of_thread().run_all();
  EXPECT_EQ(story, "1");
  event.set();
  ReadyQueue::of_thread().run_all();
  EXPECT_EQ(story, "12");
}

Task<void> wait_and_wake(Event& mine, Event& next, std::string& story, char name) {
  co_await mine.wait();
  story += name;
  next.set();
}

TEST(ReadyQueueTest, ABatchIsWhatWasReadyWhenItBegan) {
  Event a;
  Event b;
  Event c;
  std::string story;
  TaskGroup group;
  group.spawn(wait_and_wake(a, b, story, 'a'));
  group.spawn(wait_and_wake(b, c, story, 'b'));
  a.set();
  ReadyQueue::of_thread().run_batch();
  EXPECT_EQ(story, "a");
  EXPECT_FALSE(ReadyQueue::of_thread().empty());
  ReadyQueue::of_thread().run_batch();
  EXPECT_EQ(story, "ab");
  EXPECT_TRUE(ReadyQueue::of_thread().empty());
}

TEST(EventDeathTest, HasOneWaiter) {
  EXPECT_DEATH(
      {
        Event event;
        std::string story;
        TaskGroup group;
        group.spawn(wait_and_note(event, story, 'a'));
        group.spawn(wait_and_note(event, story, 'b'));
      },
      "REQUIRE");
}

TEST(EventDeathTest, ForgettingAWaiterIsFound) {
  EXPECT_DEATH(
      {
        auto event = std::make_unique<Event>();
        std::string story;
        TaskGroup group;
        group.spawn(wait_and_note(*event, story, 'a'));
        event->set();
        event.reset();
      },
      "REQUIRE\\(!handle\\)");
}

}  // namespace
}  // namespace fnkit
