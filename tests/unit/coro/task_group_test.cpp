#include "fnkit/coro/task_group.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace fnkit {
namespace {

using coro::Event;
using coro::ReadyQueue;
using coro::Task;
using coro::TaskGroup;

Task<void> wait_for(Event& event) { co_await event.wait(); }

Task<void> join_and_note(TaskGroup& group, bool& joined) {
  co_await group.join();
  joined = true;
}

TEST(TaskGroupTest, JoinWaitsForTheLastTask) {
  std::deque<Event> events(3);
  TaskGroup group;
  TaskGroup joiners;
  bool joined = false;
  for (Event& event : events) group.spawn(wait_for(event));
  joiners.spawn(join_and_note(group, joined));
  for (Event& event : events) {
    EXPECT_FALSE(joined);
    event.set();
    ReadyQueue::of_thread().run_all();
  }
  EXPECT_TRUE(joined);
  EXPECT_EQ(coro::frames_alive(), 0U);
}

TEST(TaskGroupTest, JoiningAnEmptyGroupIsDoneAtOnceAndAgainLater) {
  TaskGroup group;
  TaskGroup joiners;
  for (int round = 0; round < 3; ++round) {
    bool joined = false;
    joiners.spawn(join_and_note(group, joined));
    EXPECT_TRUE(joined);
    Event event;
    group.spawn(wait_for(event));
    joined = false;
    joiners.spawn(join_and_note(group, joined));
    EXPECT_FALSE(joined);
    event.set();
    ReadyQueue::of_thread().run_all();
    EXPECT_TRUE(joined);
  }
}

TEST(TaskGroupTest, ATaskSpawnedWhileTheGroupJoinsIsJoinedToo) {
  Event first;
  Event second;
  TaskGroup group;
  TaskGroup joiners;
  bool joined = false;
  group.spawn(wait_for(first));
  joiners.spawn(join_and_note(group, joined));
  first.set();
  ReadyQueue::of_thread().run_batch();  // the task ends, its joiner is ready but has not run
  ASSERT_FALSE(joined);
  group.spawn(wait_for(second));
  ReadyQueue::of_thread().run_all();
  EXPECT_FALSE(joined);
  second.set();
  ReadyQueue::of_thread().run_all();
  EXPECT_TRUE(joined);
}

TEST(TaskGroupDeathTest, MustBeEmptyAtItsEnd) {
  EXPECT_DEATH(
      {
        Event event;
        {
          TaskGroup group;
          group.spawn(wait_for(event));
        }
      },
      "REQUIRE\\(running_ == 0\\)");
}

}  // namespace
}  // namespace fnkit
