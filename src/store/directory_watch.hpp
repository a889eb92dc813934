// What changes in a directory, told by the kernel (inotify).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/coro/cancellation.hpp"
#include "fnkit/net/stream.hpp"

namespace fnkit::store {

// What happened since the last look.
struct DirectoryNews {
  std::vector<std::string> names;  // of pipelines whose files may have changed
  bool everything = false;         // any of them may have
  bool gone = false;               // this directory is not at its path any more

  bool empty() const { return names.empty() && !everything && !gone; }
};

// Ended by ending wait(): nothing of it is in the kernel then.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(ring::Ring& ring) : ring_(ring) {}
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  ~DirectoryWatch();

  // From now on changes are noted by the kernel.
  Result<void> open(const std::string& directory);

  // Until something has changed, `until` has come or `scope` is cancelled; then what there is.
  coro::Task<DirectoryNews> wait(Instant until, coro::CancelScope& scope);

 private:
  void read_events(DirectoryNews& news);
  void take(uint32_t mask, std::string_view file, DirectoryNews& news) const;
  bool is_link(std::string_view file) const;

  ring::Ring& ring_;
  std::string directory_;
  int fd_ = -1;
};

}  // namespace fnkit::store
