#include "wire/server_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "fnkit/coro/frame_pool.hpp"

namespace fnkit::test {
namespace {

constexpr Duration kPatient = std::chrono::hours(1);

}  // namespace

void Caller::start_reading() { tasks_.spawn(read()); }

void Caller::say(std::string bytes) {
  if (!bytes.empty()) to_say_.push_back(std::move(bytes));
  if (!sending_) tasks_.spawn(send());
}

void Caller::say_no_more() {
  no_more_ = true;
  if (!sending_) tasks_.spawn(send());
}

coro::Task<void> Caller::read() {
  while (true) {
    Result<size_t> received = co_await stream_.receive(kNever);
    heard_ += stream_.input().view();
    stream_.input().clear();
    if (received && *received > 0) continue;
    ended_ = true;
    broken_ = !received && !left_;
    break;
  }
}

coro::Task<void> Caller::send() {
  sending_ = true;
  bool failed = false;
  while (!to_say_.empty() && !failed) {
    const std::string_view front = to_say_.front();
    stream_.start_send({&front, 1}, ring::SendMode::prompt, kPatient);
    Result<void> sent = co_await stream_.sent();
    failed = !sent;
    to_say_.pop_front();
  }
  if (no_more_ && !failed) ring_.shut_down_sending(fd_);
  sending_ = false;
}

coro::Task<void> Caller::close() {
  left_ = true;
  stream_.stop();
  co_await tasks_.join();
  co_await stream_.close();
}

ServerWorld::ServerWorld(uint64_t seed, FaultPlan plan) : ring(seed, plan), ids_(seed) {}

ServerWorld::~ServerWorld() {
  for (auto& caller : callers_) tasks_.spawn(caller->close());
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (served_[i]) continue;
    servers_[i]->abandon();
    servers_[i]->abandon();
  }
  while (tasks_.running() > 0) ring.turn();
  servers_.clear();
  callers_.clear();
  EXPECT_EQ(coro::frames_alive(), 0U) << "a coroutine has not ended";
  EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U) << "memory of messages has not come back";
}

Caller& ServerWorld::connect_deaf() {
  const auto [near, far] = ring.connected_pair();
  callers_.push_back(std::make_unique<Caller>(ring, near));
  servers_.push_back(std::make_unique<http::ServerConnection>(ring, far, handler, options, ids_));
  served_.push_back(false);
  tasks_.spawn(serve(servers_.size() - 1));
  return *callers_.back();
}

Caller& ServerWorld::connect() {
  Caller& caller = connect_deaf();
  caller.start_reading();
  return caller;
}

coro::Task<void> ServerWorld::serve(size_t index) {
  co_await servers_[index]->serve();
  served_[index] = true;
}

void ServerWorld::leave(Caller& caller) {
  const auto found = std::find_if(callers_.begin(), callers_.end(),
                                  [&](const auto& held) { return held.get() == &caller; });
  coro::TaskGroup leaving;
  leaving.spawn(caller.close());
  while (leaving.running() > 0) ring.turn();
  callers_.erase(found);
}

}  // namespace fnkit::test
