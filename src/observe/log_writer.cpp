#include "fnkit/observe/log_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <mutex>

#include "fnkit/base/check.hpp"
#include "fnkit/base/time.hpp"

namespace fnkit::observe {
namespace {

// A pipe and a terminal are opened anew: O_NONBLOCK belongs to the open file description, which
// `fd` shares with other programs that would not expect it. Where that is not possible, what polls
// writable takes a piece of PIPE_BUF bytes without waiting, unless another program was faster.
int own_descriptor(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    const int own = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) return own;
  }
  return ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

}  // namespace

// What the thread does with a line. The line is ready: no formatter has a part in it.
class LogWriter::Output final : public spdlog::sinks::sink {
 public:
  explicit Output(int fd) : fd_(own_descriptor(fd)), ending_(::eventfd(0, EFD_CLOEXEC)) {
    INVARIANT(ending_ >= 0);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() override {
    if (fd_ >= 0) ::close(fd_);
    ::close(ending_);
  }

  void log(const spdlog::details::log_msg& message) override {
    std::string_view rest(message.payload.data(), message.payload.size());
    while (!rest.empty()) {
      if (!wait_for_room()) return lose(1);
      const ssize_t written = ::write(fd_, rest.data(), std::min<size_t>(rest.size(), PIPE_BUF));
      if (written > 0) {
        rest.remove_prefix(static_cast<size_t>(written));
      } else if (written == 0 || (errno != EAGAIN && errno != EINTR)) {
        return lose(1);
      }
    }
  }

  void flush() override {
    const std::lock_guard lock(mutex_);
    ++flushes_;
    flushed_.notify_all();
  }

  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  uint64_t flushes() {
    const std::lock_guard lock(mutex_);
    return flushes_;
  }

  void wait_for_flush_after(uint64_t before) {
    std::unique_lock lock(mutex_);
    flushed_.wait_for(lock, kPatience, [&] { return flushes_ != before; });
  }

  // From now on the thread waits for room until `deadline` only.
  void end_by(Instant deadline) {
    deadline_.store(deadline.time_since_epoch().count(), std::memory_order_release);
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(ending_, &one, sizeof one);
  }

  void lose(uint64_t lines) { lost_.fetch_add(lines, std::memory_order_relaxed); }
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  // False when there will be none. An error is room too: write(2) says which.
  bool wait_for_room() {
    if (fd_ < 0) return false;
    while (true) {
      const Instant deadline{Duration(deadline_.load(std::memory_order_acquire))};
      const bool ending = deadline != kNever;
      const Duration left = ending ? deadline - std::chrono::steady_clock::now() : Duration::zero();
      const auto whole = std::chrono::ceil<std::chrono::milliseconds>(left).count();
      const int milliseconds = ending ? static_cast<int>(std::max<int64_t>(whole, 0)) : -1;
      std::array<pollfd, 2> both{{{fd_, POLLOUT, 0}, {ending_, POLLIN, 0}}};
      ::poll(both.data(), ending ? 1 : 2, milliseconds);
      if (both[0].revents != 0) return true;
      if (ending && milliseconds == 0) return false;
    }
  }

  const int fd_;
  const int ending_;
  std::atomic<Duration::rep> deadline_ = kNever.time_since_epoch().count();
  std::atomic<uint64_t> lost_ = 0;
  std::mutex mutex_;
  std::condition_variable flushed_;
  uint64_t flushes_ = 0;
};

// In this order: the pool goes first, and with it the thread; the logger ends where it began.
struct LogWriter::Spdlog {
  std::shared_ptr<spdlog::async_logger> logger;
  std::shared_ptr<spdlog::details::thread_pool> pool;
};

LogWriter::LogWriter(int fd)
    : output_(std::make_shared<Output>(fd)), spdlog_(std::make_unique<Spdlog>()) {
  spdlog_->pool = std::make_shared<spdlog::details::thread_pool>(kLinesMax, 1);
  spdlog_->logger = std::make_shared<spdlog::async_logger>(
      "", output_, spdlog_->pool, spdlog::async_overflow_policy::overrun_oldest);
  // Its own would print to stderr, and wait there.
  spdlog_->logger->set_error_handler([this](const std::string&) { output_->lose(1); });
}

LogWriter::~LogWriter() { close(); }

void LogWriter::write(std::string_view line) {
  if (!spdlog_) return output_->lose(1);
  spdlog_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void LogWriter::flush() {
  if (!spdlog_) return;
  const uint64_t before = output_->flushes();
  spdlog_->logger->flush();
  output_->wait_for_flush_after(before);
}

void LogWriter::close() {
  if (!spdlog_) return;
  output_->end_by(std::chrono::steady_clock::now() + kPatience);
  output_->lose(spdlog_->pool->overrun_counter());
  spdlog_.reset();  // joins the thread
}

uint64_t LogWriter::dropped() const {
  return output_->lost() + (spdlog_ ? spdlog_->pool->overrun_counter() : 0);
}

}  // namespace fnkit::observe
