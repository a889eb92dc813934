// Lines to a descriptor, written by a thread of their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

namespace fnkit::observe {

// Nobody who writes a line waits for whoever reads the descriptor: a line goes to a queue of
// kLinesMax, from which the oldest falls when it is full. Nor does the end wait: what a pipe or a
// terminal that nobody reads does not take within kPatience is lost.
//
// The thread writes only what the descriptor has room for, at most PIPE_BUF (4096) bytes at once: a
// line up to that comes whole through a pipe that others write to as well. Lines that fail to be
// written (EPIPE, ENOSPC) are lost, later ones are tried. SIGPIPE must be ignored. The thread has
// the signal mask of whoever makes the writer.
class LogWriter {
 public:
  static constexpr size_t kLinesMax = 2048;
  static constexpr std::chrono::milliseconds kPatience{200};

  // `fd` stays the caller's and is used by way of a duplicate.
  explicit LogWriter(int fd);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Any thread. `line` is copied; it brings its own newline.
  void write(std::string_view line);

  // Waits until the lines before are written or lost, kPatience at most. Any thread.
  void flush();

  // Writes what is left and ends the thread, in kPatience at most. No other call may be in
  // progress; a line after it is lost. Done by the destructor where it was not before.
  void close();

  // Lines that were not written: overrun, failed, or left at the end. Any thread.
  uint64_t dropped() const;

 private:
  class Output;
  struct Spdlog;
  std::shared_ptr<Output> output_;
  std::unique_ptr<Spdlog> spdlog_;  // nullptr once closed
};

}  // namespace fnkit::observe
