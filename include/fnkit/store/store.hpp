// Where pipelines are kept: Valkey, or a directory of files. CONTRACT sections 1 and 4.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fnkit/coro/task.hpp"
#include "fnkit/net/resolver.hpp"
#include "fnkit/net/tls.hpp"
#include "fnkit/store/snapshot.hpp"

namespace fnkit::store {

// A parsed CACHE_URL, where user, password and primary may be percent-encoded:
// - redis://[user[:password]@]host[:port][/db], valkey:// the same; by TLS rediss:// and valkeys://
// - redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/primary[/db], with the other
//   schemes as well: where Sentinels are, and the name of the primary they watch. User and password
//   are the primary's; a Sentinel that asks for them gets them too.
// - unix:///path[?db=N], file:///dir
struct Location {
  enum class Kind { tcp, sentinel, unix_socket, directory };
  Kind kind = Kind::tcp;
  std::string scheme;                // as it was written, in lower case
  std::vector<net::HostPort> hosts;  // tcp: one; sentinel: at least one
  std::string primary;               // sentinel
  std::string path;                  // unix_socket, directory
  std::string user;                  // empty: the default user
  std::string password;
  unsigned database = 0;
  std::optional<net::TlsFiles> tls;  // nothing: plain; which files is for others to say

  // For messages: the URL without its password.
  std::string to_text() const;
};
// The error names the part that is wrong, never the password.
Result<Location> parse_location(std::string_view url);

// One stored value, as `ls` and `show` need it.
struct Stored {
  std::string name;
  std::string config;      // as it is stored
  std::string unreadable;  // why there is no config (a wrong type); else empty
};

// Managing what is stored, for the commands. Each call connects where needed, and fails with one
// sentence that names the store and what went wrong. Nothing is retried.
class Catalog {
 public:
  virtual ~Catalog() = default;
  virtual coro::Task<Result<std::vector<Stored>>> list() = 0;  // by name
  virtual coro::Task<Result<std::optional<Stored>>> get(std::string name) = 0;
  virtual coro::Task<Result<void>> put(std::string name, std::string config) = 0;
  virtual coro::Task<Result<bool>> remove(std::string name) = 0;  // false: there was none
  // Ends what is open; await it before the ring goes.
  virtual coro::Task<void> close() = 0;
};
std::unique_ptr<Catalog> make_catalog(const Location& location, ring::Ring& ring,
                                      net::Resolver& resolver);

struct FollowerOptions {
  Duration refresh_interval = std::chrono::seconds(30);  // everything is read again and compared
  uint64_t random_seed = 1;                              // for the jitter of reconnections
};

// How changes reach us, for readyz?verbose.
struct FollowerStatus {
  bool loaded = false;     // everything has been read at least once
  bool connected = false;  // the store answers now
  std::string changes_by;  // "keyspace notifications and tracking", "tracking", "polling", …
  std::string trouble;     // why it does not answer; empty where it does
  std::optional<Instant> compared_at;  // when everything was last read and compared
  size_t pipelines = 0;
  size_t invalid = 0;

  // Of those that are invalid, the first by name.
  static constexpr size_t kSomeInvalidMax = 20;
  struct Invalid {
    std::string name;
    std::string why;
  };
  std::vector<Invalid> some_invalid;
};

// Follows the store: publishes a snapshot once everything has been read, and a new one whenever
// something in it changed (an unchanged reading publishes nothing). A value that is invalid leaves
// the last good plan in force. Logs changes of its own state. While the store is away it keeps
// trying, with growing jittered waits, for ever.
class Follower {
 public:
  virtual ~Follower() = default;
  // Runs until stop(); then ends soon.
  virtual coro::Task<void> run() = 0;
  virtual void stop() = 0;
  virtual const FollowerStatus& status() const = 0;
};
// `sink` and the others must outlive it.
std::unique_ptr<Follower> make_follower(const Location& location, ring::Ring& ring,
                                        net::Resolver& resolver, SnapshotSink& sink,
                                        const FollowerOptions& options);

}  // namespace fnkit::store
