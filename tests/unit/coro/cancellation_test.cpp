#include "fnkit/coro/cancellation.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "fnkit/coro/event.hpp"
#include "fnkit/coro/task_group.hpp"

namespace fnkit {
namespace {

using coro::CancelHook;
using coro::CancelScope;
using coro::Event;
using coro::ReadyQueue;
using coro::Task;
using coro::TaskGroup;

void count(void* context) { ++*static_cast<int*>(context); }

TEST(CancelScopeTest, FiresEachHookOnce) {
  CancelScope scope;
  int fired = 0;
  CancelHook one(&count, &fired);
  CancelHook two(&count, &fired);
  scope.add(one);
  scope.add(two);
  EXPECT_FALSE(scope.cancelled());
  scope.cancel();
  scope.cancel();
  EXPECT_TRUE(scope.cancelled());
  EXPECT_EQ(fired, 2);
}

TEST(CancelScopeTest, FiresAtOnceWhereItIsTooLateAndNeverForWhatHasEnded) {
  CancelScope scope;
  int fired = 0;
  {
    CancelHook ended(&count, &fired);
    scope.add(ended);
  }
  scope.cancel();
  EXPECT_EQ(fired, 0);
  CancelHook late(&count, &fired);
  scope.add(late);
  EXPECT_EQ(fired, 1);
}

TEST(CancelScopeTest, CancelsInwardsAndNotOutwards) {
  CancelScope outer;
  CancelScope left(outer);
  CancelScope right(outer);
  CancelScope deepest(left);
  int fired = 0;
  CancelHook hook(&count, &fired);
  deepest.add(hook);
  right.cancel();
  EXPECT_FALSE(outer.cancelled());
  EXPECT_FALSE(left.cancelled());
  outer.cancel();
  EXPECT_TRUE(left.cancelled());
  EXPECT_TRUE(deepest.cancelled());
  EXPECT_EQ(fired, 1);
  CancelScope born_late(deepest);
  EXPECT_TRUE(born_late.cancelled());
}

struct Pair {
  std::optional<CancelHook> mine;
  std::optional<CancelHook> other;
  int fired = 0;
};

void end_other(void* context) {
  auto& pair = *static_cast<Pair*>(context);
  ++pair.fired;
  pair.other.reset();
}

TEST(CancelScopeTest, AHookMayEndAnother) {
  CancelScope scope;
  Pair pair;
  pair.mine.emplace(&end_other, &pair);
  pair.other.emplace(&count, &pair.fired);
  scope.add(*pair.mine);
  scope.add(*pair.other);
  scope.cancel();
  EXPECT_EQ(pair.fired, 1);
}

void set_event(void* event) { static_cast<Event*>(event)->set(); }

Task<void> work(CancelScope& outer, int depth, std::string& story) {
  CancelScope scope(outer);
  if (depth > 0) {
    co_await work(scope, depth - 1, story);
  } else {
    Event stopped;
    CancelHook hook(&set_event, &stopped);
    scope.add(hook);
    co_await stopped.wait();
  }
  story += scope.cancelled() ? 'c' : '-';
}

TEST(CancelScopeTest, TasksInNestedScopesUnwindByThemselves) {
  CancelScope scope;
  std::string story;
  TaskGroup group;
  for (int i = 0; i < 3; ++i) group.spawn(work(scope, 4, story));
  ReadyQueue::of_thread().run_all();
  EXPECT_EQ(story, "");
  scope.cancel();
  EXPECT_EQ(story, "") << "cancel() resumes nobody itself";
  ReadyQueue::of_thread().run_all();
  EXPECT_EQ(story, std::string(15, 'c'));
  EXPECT_EQ(group.running(), 0U);
  EXPECT_EQ(coro::frames_alive(), 0U);
}

}  // namespace
}  // namespace fnkit
