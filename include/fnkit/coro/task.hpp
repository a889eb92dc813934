// A lazy coroutine that is awaited exactly once.
//
// 1. Calling a coroutine function runs nothing; `co_await task` runs it and yields what it
// returned.
// 2. It ends only by returning: a frame is never destroyed while suspended. To end something, stop
//    what it waits for, let the await return its error, let the frames unwind.
// 3. Errors are values; an exception that leaves a task ends the process.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "fnkit/base/check.hpp"
#include "fnkit/coro/frame_pool.hpp"

namespace fnkit::coro {

template <class T>
class Task;

namespace detail {

struct PromiseBase : PooledFrame {
  std::coroutine_handle<> continuation;
  bool finished = false;
  bool awaiter_suspended = false;

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      PromiseBase& promise = self.promise();
      promise.finished = true;
      if (!promise.awaiter_suspended) return std::noop_coroutine();
      return promise.continuation;
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() noexcept {}
};

}  // namespace detail

// Owns its frame. Movable until awaited.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (!frame_) return;
    INVARIANT(frame_.promise().finished || !frame_.promise().continuation);  // never suspended
    frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  // Runs the task here and suspends only where it did not finish: a loop over tasks that finish at
  // once uses no stack, also where the compiler makes no tail calls (g++ at -O0).
  bool await_suspend(std::coroutine_handle<> awaiting) noexcept {
    promise_type& promise = frame_.promise();
    REQUIRE(!promise.continuation);
    promise.continuation = awaiting;
    frame_.resume();
    promise.awaiter_suspended = !promise.finished;
    return promise.awaiter_suspended;
  }
  T await_resume() { return frame_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace detail
}  // namespace fnkit::coro
