// What g++ 12 is known to get wrong (temporaries and arguments around co_await destroyed twice, no
// tail calls at -O0), and what everything above relies on.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "fnkit/base/random.hpp"
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

// How far apart the stack was where it was looked at.
struct Stack {
  uintptr_t lowest = UINTPTR_MAX;
  uintptr_t highest = 0;
  // __builtin_frame_address and not the address of a local: ASan may keep locals elsewhere, and a
  // coroutine keeps them in its frame.
  [[gnu::noinline]] void look() {
    const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    lowest = std::min(lowest, here);
    highest = std::max(highest, here);
  }
  uintptr_t used() const { return highest - lowest; }
};
constexpr uintptr_t kStackMax = 16 * 1024;
constexpr int kOften = 1'000'000;

Task<int> at_once(Stack& stack, int value) {
  stack.look();
  co_return value;
}

Task<int> at_once_below(Stack& stack, int value) {
  const int result = co_await at_once(stack, value);
  co_return result;
}

Task<void> loop_at_once(Stack& stack, int64_t& sum) {
  for (int i = 0; i < kOften; ++i) {
    const int value = co_await at_once_below(stack, i);
    sum += value;
  }
}

TEST(TaskTortureTest, AMillionTasksThatFinishAtOnceUseNoStack) {
  Stack stack;
  int64_t sum = 0;
  TaskGroup group;
  group.spawn(loop_at_once(stack, sum));
  EXPECT_EQ(group.running(), 0U);
  EXPECT_EQ(sum, int64_t{kOften} * (kOften - 1) / 2);
  EXPECT_LT(stack.used(), kStackMax);
  EXPECT_EQ(coro::frames_alive(), 0U);
}

Task<void> wait_once(Stack& stack, Event& event) {
  event.reset();
  event.set();
  co_await event.wait();
  stack.look();
}

Task<void> loop_over_set_events(Stack& stack) {
  Event event;
  for (int i = 0; i < kOften; ++i) co_await wait_once(stack, event);
}

TEST(TaskTortureTest, AMillionEventsThatAreSetUseNoStack) {
  Stack stack;
  TaskGroup group;
  group.spawn(loop_over_set_events(stack));
  EXPECT_EQ(group.running(), 0U);
  EXPECT_LT(stack.used(), kStackMax);
}

// Waits really, three frames deep, and then does much at once after each.
Task<void> wait_deep(Stack& stack, Event& event, int depth) {
  if (depth > 0) {
    co_await wait_deep(stack, event, depth - 1);
  } else {
    co_await event.wait();
  }
  stack.look();
}

Task<void> loop_waiting(Stack& stack, Event& event, int rounds, int& done) {
  for (; done < rounds; ++done) {
    event.reset();
    co_await wait_deep(stack, event, 3);
    for (int i = 0; i < 100; ++i) {
      const int value = co_await at_once(stack, i);
      EXPECT_EQ(value, i);
    }
  }
}

TEST(TaskTortureTest, ALongLoopThatWaitsUsesNoStack) {
  constexpr int kRounds = 20'000;
  Stack stack;
  Event event;
  int done = 0;
  TaskGroup group;
  group.spawn(loop_waiting(stack, event, kRounds, done));
  while (group.running() > 0) {
    event.set();
    ReadyQueue::of_thread().run_batch();
  }
  EXPECT_EQ(done, kRounds);
  EXPECT_LT(stack.used(), 2 * kStackMax);
  EXPECT_EQ(coro::frames_alive(), 0U);
}

// --- an error and a shutdown at every await point

enum class Fate { well, fails, shut_down };

// Decides what happens at each point, and whether the point waits for it or has it at once.
struct Script {
  int failing_point = -1;
  Fate fate = Fate::well;
  uint64_t waiting_points = 0;  // a bit a point
  int points = 0;
  bool shutting_down = false;
  Event event;
};

Task<Result<Counted>> point(Script& script, Counted argument) {
  const int here = script.points++;
  const Counted local(here);
  if (((script.waiting_points >> (here % 64)) & 1) != 0) {
    script.event.reset();
    co_await script.event.wait();
  }
  if (here == script.failing_point && script.fate == Fate::shut_down) script.shutting_down = true;
  if (script.shutting_down) co_return Error{"shut down", ECANCELED};
  if (here == script.failing_point && script.fate == Fate::fails) co_return Error{"failed", EIO};
  co_return Counted(argument.value() + local.value());
}

Task<Result<std::string>> inner(Script& script, Counted argument) {
  std::string text = "a text that is too long for the small string";
  Counted first_argument(argument.value());
  Result<Counted> first = co_await point(script, std::move(first_argument));
  if (!first) co_return first.error();
  for (int i = 0; i < 3; ++i) {
    const Counted in_loop(i);
    Result<Counted> each = co_await point(script, in_loop);
    if (!each) co_return each.error();
    text += std::to_string(each->value());
  }
  co_return text;
}

Task<Result<size_t>> outer(Script& script) {
  std::vector<std::string> texts;
  for (int i = 0; i < 3; ++i) {
    Counted argument(i);
    Result<std::string> text = co_await inner(script, argument);
    if (!text) {
      const Counted cleaning_up(1);
      Result<Counted> cleaned = co_await point(script, cleaning_up);  // waits while unwinding, too
      if (!cleaned) co_return text.error();
      co_return Error{"after " + text.error().message, text.error().code};
    }
    texts.push_back(std::move(text).value());
  }
  co_return texts.size();
}

Task<void> run_script(Script& script, Result<size_t>& result) { result = co_await outer(script); }

Result<size_t> play(Script& script) {
  Result<size_t> result = Error{"did not end"};
  TaskGroup group;
  group.spawn(run_script(script, result));
  while (group.running() > 0) {
    script.event.set();
    ReadyQueue::of_thread().run_batch();
  }
  return result;
}

TEST(TaskTortureTest, AnErrorAndAShutdownAtEveryAwaitPoint) {
  constexpr int kPoints = 12;
  Random random(1);
  for (int round = 0; round < 50; ++round) {
    for (int failing = 0; failing < kPoints; ++failing) {
      for (const Fate fate : {Fate::well, Fate::fails, Fate::shut_down}) {
        Script script;
        script.failing_point = failing;
        script.fate = fate;
        script.waiting_points = round == 0 ? 0 : round == 1 ? UINT64_MAX : random.next();
        Result<size_t> result = play(script);
        ASSERT_EQ(static_cast<bool>(result), fate == Fate::well);
        if (fate == Fate::well) {
          ASSERT_EQ(script.points, kPoints);
        } else {
          ASSERT_EQ(script.points, failing + 2) << "the failing point, then the clean-up";
          ASSERT_EQ(result.error().message, fate == Fate::fails ? "after failed" : "shut down");
        }
        ASSERT_EQ(Counted::alive(), 0) << "point " << failing << ", round " << round;
        ASSERT_EQ(coro::frames_alive(), 0U);
      }
    }
  }
}

// --- many at once

struct Crowd {
  std::deque<Event> events;
  size_t done = 0;
};

Task<Counted> wait_in_crowd(Crowd& crowd, size_t from, size_t count) {
  const Counted local(static_cast<int>(from));
  for (size_t i = 0; i < count; ++i) {
    Event& event = crowd.events[from + i];
    co_await event.wait();
  }
  co_return local;
}

Task<void> member(Crowd& crowd, size_t from, size_t count) {
  const Counted counted = co_await wait_in_crowd(crowd, from, count);
  EXPECT_EQ(counted.value(), static_cast<int>(from));
  ++crowd.done;
}

TEST(TaskTortureTest, ManyTasksWakeInAnyOrder) {
  constexpr size_t kMembers = 2000;
  constexpr size_t kEach = 5;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Random random(seed);
    Crowd crowd;
    crowd.events.resize(kMembers * kEach);
    TaskGroup group;
    for (size_t i = 0; i < kMembers; ++i) group.spawn(member(crowd, i * kEach, kEach));
    EXPECT_EQ(group.running(), kMembers);
    std::vector<size_t> order(crowd.events.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    for (const size_t which : order) {
      crowd.events[which].set();
      if (random.chance(30)) ReadyQueue::of_thread().run_batch();
    }
    ReadyQueue::of_thread().run_all();
    EXPECT_EQ(crowd.done, kMembers);
    EXPECT_EQ(group.running(), 0U);
    EXPECT_EQ(coro::frames_alive(), 0U);
    EXPECT_EQ(Counted::alive(), 0);
  }
}

}  // namespace
}  // namespace fnkit
