#include "store/directory_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "store/directory_files.hpp"

namespace fnkit::store {
namespace {

// IN_CREATE only for links, which are complete when they appear; a new file is read when its writer
// has closed it.
constexpr uint32_t kWatched = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                              IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

void cancel_operation(void* context) {
  auto& operation = *static_cast<ring::Operation*>(context);
  operation.ring->cancel(operation);
}

}  // namespace

DirectoryWatch::~DirectoryWatch() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> DirectoryWatch::open(const std::string& directory) {
  REQUIRE(fd_ < 0);
  directory_ = directory;
  fd_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd_ < 0) return Error::from_errno(errno, "changes cannot be watched");
  if (::inotify_add_watch(fd_, directory.c_str(), kWatched) < 0) {
    return Error::from_errno(errno, "the directory cannot be watched");
  }
  return {};
}

// Polls, then reads with the system call: a read on the ring would occupy a kernel thread, as
// inotify knows no asynchronous reading.
coro::Task<DirectoryNews> DirectoryWatch::wait(Instant until, coro::CancelScope& scope) {
  ring::Operation ready;
  ready.poll(fd_, POLLIN);
  ring_.submit(ready, until);
  coro::CancelHook hook(&cancel_operation, &ready);
  scope.add(hook);
  [[maybe_unused]] const int32_t result = co_await ready.completed();
  DirectoryNews news;
  read_events(news);
  co_return news;
}

void DirectoryWatch::read_events(DirectoryNews& news) {
  alignas(inotify_event) std::array<char, 16 * 1024> bytes;
  while (true) {
    const ssize_t count = ::read(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    size_t at = 0;
    while (at < static_cast<size_t>(count)) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const char* file = bytes.data() + at + sizeof event;
      take(event.mask, {file, event.len == 0 ? 0 : ::strnlen(file, event.len)}, news);
      at += sizeof event + event.len;
    }
  }
}

void DirectoryWatch::take(uint32_t mask, std::string_view file, DirectoryNews& news) const {
  if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0) {
    news.gone = true;
    return;
  }
  if ((mask & IN_Q_OVERFLOW) != 0) {
    news.everything = true;
    return;
  }
  auto name = name_of_file(file);
  if (name && ((mask & IN_CREATE) == 0 || is_link(file))) {
    news.names.push_back(std::move(*name));
  } else if (!name && (mask & IN_MOVED_TO) != 0) {
    // Kubernetes mounts a ConfigMap as links through "..data", and changes them all by renaming
    // that one.
    news.everything = true;
  }
}

bool DirectoryWatch::is_link(std::string_view file) const {
  struct stat found {};
  const std::string path = directory_ + "/" + std::string(file);
  return ::lstat(path.c_str(), &found) == 0 && (S_ISLNK(found.st_mode) || found.st_nlink > 1);
}

}  // namespace fnkit::store
