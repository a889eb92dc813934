#include "fnkit/net/stream.hpp"

#include <cerrno>
#include <utility>

namespace fnkit::net {

Stream::Stream(ring::Ring& ring, int fd, size_t read_ahead_max)
    : ring_(ring),
      fd_(fd),
      read_ahead_max_(read_ahead_max),
      receive_timer_(&receive_timed_out, this),
      rearm_([](void* self) { static_cast<Stream*>(self)->go_on_receiving(); }, this) {
  receive_.handler = &receive_completed;
  receive_.owner = this;
  send_.handler = &send_completed;
  send_.owner = this;
  arm();
}

Stream::~Stream() { REQUIRE(fd_ < 0 && !reader_.handle); }

void Stream::arm() {
  receive_ended_.reset();
  if (has_direct_room()) {
    receive_.receive_into(fd_, {input_.data() + input_.size(), input_.room()});
  } else {
    receive_.receive(fd_);
  }
  ring_.submit(receive_);
}

// Somebody who sends without being read must not fill the memory: it is paused until it is.
bool Stream::is_wanted() const { return reader_.handle || input_.size() <= read_ahead_max_; }

bool Stream::has_direct_room() const {
  const bool allowed =
      direct_ == Direct::always || (direct_ == Direct::to_reader && reader_.handle);
  return allowed && input_.room() >= kDirectBytesMin;
}

void Stream::wait_for_news(std::coroutine_handle<> handle, Instant deadline) {
  REQUIRE(!reader_.handle);
  reader_.handle = handle;
  timed_out_ = false;
  if (deadline != kNever) ring_.timers().arm(receive_timer_, deadline);
  if (!receive_.submitted) arm();  // it was paused
}

Result<size_t> Stream::take_news() {
  reader_.handle = nullptr;
  receive_timer_.unlink();
  if (arrived_ > 0) return std::exchange(arrived_, 0);
  if (stopped_) return Error::from_errno(ECANCELED, "receive");
  if (end_ == End::end_of_stream) return size_t{0};
  if (end_ == End::failed) return Error::from_errno(error_, "receive");
  INVARIANT(timed_out_);
  return Error::from_errno(ETIMEDOUT, "receive");
}

void Stream::tell_reader() {
  if (reader_.handle) {
    if (!reader_.linked()) coro::ReadyQueue::of_thread().post(reader_);
  } else if (arrival_action_ != nullptr) {
    arrival_action_(arrival_context_);
  }
}

void Stream::receive_completed(ring::Operation& operation) {
  static_cast<Stream*>(operation.owner)->received();
}

void Stream::received() {
  const bool bytes_came = receive_.result > 0;
  if (bytes_came) {
    take_bytes();
  } else if (receive_.result == 0) {
    end_ = End::end_of_stream;
  } else if (receive_.result != -ECANCELED) {
    end_ = End::failed;
    error_ = -receive_.result;
  }
  // A reader goes on before whoever waits to close, and so before this stream may be destroyed. An
  // arrival action comes last, because it may itself be what closes and destroys.
  const bool reading = static_cast<bool>(reader_.handle);
  if (reading && (bytes_came || ended() || stopped_)) tell_reader();
  if (!receive_.submitted) receive_ended();
  if (!reading && (bytes_came || ended())) tell_reader();
}

void Stream::take_bytes() {
  if (receive_.verb == ring::Verb::receive_into) {
    input_.commit(static_cast<size_t>(receive_.result));
  } else {
    input_.append(receive_.data);
  }
  arrived_ += static_cast<size_t>(receive_.result);
  // How it goes on instead is seen to when it has ended.
  if (has_direct_room() || !is_wanted()) ring_.cancel(receive_);
}

// Whether it goes on, and where to, is known at the end of the turn: what has come is read then.
void Stream::receive_ended() {
  receive_ended_.set();
  ring_.defer_to_departure(rearm_);
}

void Stream::go_on_receiving() {
  if (is_wanted() && !receive_.submitted && !stopped_ && !ended()) arm();
}

void Stream::receive_timed_out(void* context) {
  auto& self = *static_cast<Stream*>(context);
  if (self.reader_.linked()) return;  // it came in time after all
  self.timed_out_ = true;
  coro::ReadyQueue::of_thread().post(self.reader_);
}

void Stream::stop_waiting() {
  if (reader_.handle) receive_timed_out(this);
}

void Stream::on_arrival(Action action, void* context) {
  arrival_action_ = action;
  arrival_context_ = context;
}

void Stream::on_sent(Action action, void* context) {
  sent_action_ = action;
  sent_context_ = context;
}

void Stream::send_completed(ring::Operation& operation) {
  auto& self = *static_cast<Stream*>(operation.owner);
  if (operation.waiter.handle) {
    if (!operation.waiter.linked()) coro::ReadyQueue::of_thread().post(operation.waiter);
  } else if (self.sent_action_ != nullptr) {
    self.sent_action_(self.sent_context_);
  }
}

void Stream::start_send(std::span<const std::string_view> parts, ring::SendMode mode,
                        Duration stall_max) {
  send_.send(fd_, parts, mode, stall_max);
  ring_.submit(send_);
  if (stopped_) ring_.cancel(send_);
}

Result<void> Stream::SendAwaiter::await_resume() {
  const int32_t result = inner.await_resume();
  if (result < 0) return Error::from_errno(-result, "send");
  return {};
}

void Stream::stop() {
  if (std::exchange(stopped_, true)) return;
  arrival_action_ = nullptr;
  ring_.cancel(receive_);
  ring_.cancel(send_);
  if (!receive_.submitted && reader_.handle) tell_reader();
}

coro::Task<void> Stream::close() {
  stop();
  sent_action_ = nullptr;
  if (receive_.submitted) co_await receive_ended_.wait();
  if (send_.submitted) co_await send_.completed();
  ring_.close(std::exchange(fd_, -1));
}

coro::Task<void> Stream::linger_and_close(Duration patience) {
  ring_.shut_down_sending(fd_);
  const Instant until = later(ring_.now(), patience);
  while (!ended()) {
    const bool filling = receive_.submitted && receive_.verb == ring::Verb::receive_into;
    if (!filling) input_.clear();
    Result<size_t> received = co_await receive(until);
    if (!received || *received == 0) break;
  }
  co_await close();
}

}  // namespace fnkit::net
