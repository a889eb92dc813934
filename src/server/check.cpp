#include "fnkit/server/check.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "fnkit/net/listener.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::server {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);

void check_listener(const net::Address& address, CheckResult& result) {
  Result<int> fd = net::open_listener(address, net::ListenAs::sole);
  if (fd) {
    ::close(*fd);
    if (address.is_unix()) ::unlink(address.to_text().substr(5).c_str());
  } else if (fd.error().code == EADDRINUSE) {
    result.remarks.push_back(fd.error().message + ", perhaps by the server that runs");
  } else {
    result.problems.push_back(fd.error().message);
  }
}

void check_file(const store::Location& store, CheckResult& result) {
  struct stat file {};
  const bool wants_directory = store.kind == store::Location::Kind::directory;
  if (::stat(store.path.c_str(), &file) != 0) {
    result.problems.push_back("--cache-url: " + Error::from_errno(errno, store.path).message);
  } else if (wants_directory ? !S_ISDIR(file.st_mode) : !S_ISSOCK(file.st_mode)) {
    result.problems.push_back("--cache-url: " + store.path + " is no " +
                              (wants_directory ? "directory" : "socket"));
  }
}

// Of several Sentinels one is enough.
coro::Task<void> check_hosts(ring::Ring& ring, const Settings& settings, CheckResult& result) {
  net::Resolver resolver(ring, settings.dns);
  coro::CancelScope scope;
  std::string why;
  bool found = false;
  for (const net::HostPort& each : settings.store.hosts) {
    Result<net::Resolved> resolved =
        co_await resolver.resolve(each.host, each.port, later(ring.now(), kPatience), scope);
    found = found || resolved;
    if (!resolved) why = resolved.error().message;
  }
  if (!found) result.problems.push_back("--cache-url: " + why);
  co_await resolver.close();
}

}  // namespace

CheckResult check(const Settings& settings) {
  CheckResult result;
  auto ring = ring::make_kernel_ring();
  if (!ring) {
    result.forbidden = true;
    result.problems.push_back("io_uring is not available: " + ring.error().reason);
    return result;
  }
  for (const net::Address& address : settings.listen) check_listener(address, result);
  if (settings.admin_listen) check_listener(*settings.admin_listen, result);
  if (settings.store.hosts.empty()) {
    check_file(settings.store, result);
  } else {
    (*ring)->run(check_hosts(**ring, settings, result));
  }
  return result;
}

}  // namespace fnkit::server
