#include "fnkit/coro/task.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "fnkit/base/result.hpp"
#include "fnkit/coro/event.hpp"
#include "fnkit/coro/task_group.hpp"
#include "support/counted.hpp"

namespace fnkit {
namespace {

using coro::Event;
using coro::ReadyQueue;
using coro::Task;
using coro::TaskGroup;
using test::Counted;

void run(Task<void> task) {
  TaskGroup group;
  group.spawn(std::move(task));
  ReadyQueue::of_thread().run_all();
  EXPECT_EQ(group.running(), 0U);
}

class TaskTest : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(coro::frames_alive(), 0U);
    EXPECT_EQ(Counted::alive(), 0);
  }
};

Task<int> note_and_return(std::string& story, int value) {
  story += "ran ";
  co_return value;
}

Task<void> call_late(std::string& story) {
  Task<int> task = note_and_return(story, 7);
  story += "made ";
  const int value = co_await task;
  story += std::to_string(value);
}

TEST_F(TaskTest, RunsWhenAwaitedAndNotBefore) {
  std::string story;
  run(call_late(story));
  EXPECT_EQ(story, "made ran 7");
}

TEST_F(TaskTest, ATaskThatIsNeverAwaitedNeverRuns) {
  std::string story;
  { const Task<int> unused = note_and_return(story, 1); }
  EXPECT_EQ(story, "");
}

struct Large {
  std::array<uint64_t, 1000> words{};
};

Task<std::unique_ptr<int>> give_unique(Event& event) {
  co_await event.wait();
  co_return std::make_unique<int>(42);
}
Task<std::string> give_string(Event& event, std::string text) {
  co_await event.wait();
  text += " and more than fits into a small string";
  co_return text;
}
Task<Large> give_large(Event& event) {
  Large large;
  large.words.fill(5);
  co_await event.wait();
  co_return large;
}
Task<Result<Counted>> give_result(Event& event, bool well) {
  co_await event.wait();
  if (!well) co_return Error{"no luck", 5};
  co_return Counted(9);
}

Task<void> take_all(Event& event, bool& done) {
  const std::unique_ptr<int> unique = co_await give_unique(event);
  EXPECT_EQ(*unique, 42);
  std::string argument = "an argument that fits no small string either";
  const std::string text = co_await give_string(event, argument);
  EXPECT_EQ(text, argument + " and more than fits into a small string");
  const Large large = co_await give_large(event);
  EXPECT_EQ(large.words[999], 5U);
  Result<Counted> good = co_await give_result(event, true);
  EXPECT_EQ(good->value(), 9);
  Result<Counted> bad = co_await give_result(event, false);
  EXPECT_EQ(bad.error().message, "no luck");
  done = true;
}

TEST_F(TaskTest, ValuesOfEveryKindComeBack) {
  for (const bool at_once : {true, false}) {
    Event event;
    if (at_once) event.set();
    bool done = false;
    TaskGroup group;
    group.spawn(take_all(event, done));
    EXPECT_EQ(done, at_once);
    event.set();
    ReadyQueue::of_thread().run_all();
    EXPECT_TRUE(done);
  }
}

Task<Counted> pass_through(Counted by_value, Event& event) {
  const Counted local(by_value.value() + 1);
  co_await event.wait();
  co_return Counted(local.value() + 1);
}

Task<void> nest(Event& event, int depth, int& seen) {
  const Counted local(depth);
  Counted argument(depth);
  Task<Counted> task = pass_through(std::move(argument), event);
  const Counted result = co_await task;
  EXPECT_EQ(result.value(), depth + 2);
  EXPECT_EQ(local.value(), depth);
  ++seen;
  if (depth > 0) co_await nest(event, depth - 1, seen);
}

TEST_F(TaskTest, EveryObjectDiesOnce) {
  for (const bool at_once : {true, false}) {
    Event event;
    if (at_once) event.set();
    int seen = 0;
    TaskGroup group;
    group.spawn(nest(event, 200, seen));
    event.set();
    ReadyQueue::of_thread().run_all();
    EXPECT_EQ(seen, 201);
    EXPECT_EQ(group.running(), 0U);
    EXPECT_EQ(Counted::alive(), 0);
  }
}

Task<void> wait_until_set(Event& event) { co_await event.wait(); }
Task<void> await_twice(Event& event) {
  Task<void> task = wait_until_set(event);
  co_await task;
  co_await task;
}

TEST(TaskDeathTest, IsAwaitedOnce) {
  EXPECT_DEATH(
      {
        Event event;
        event.set();
        TaskGroup group;
        group.spawn(await_twice(event));
      },
      "REQUIRE\\(!promise.continuation\\)");
}

Task<void> throwing() {
  throw 1;
  co_return;
}

TEST(TaskDeathTest, AnExceptionEndsTheProcess) {
  EXPECT_DEATH(
      {
        TaskGroup group;
        group.spawn(throwing());
      },
      "");
}

}  // namespace
}  // namespace fnkit
