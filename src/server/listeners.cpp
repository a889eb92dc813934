#include "server/listeners.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "fnkit/base/text.hpp"

namespace fnkit::server {
namespace {

constexpr int kFirstPassed = 3;  // SD_LISTEN_FDS_START
constexpr uint64_t kPassedMax = 1024;

std::string taken_from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  std::string text = value == nullptr ? "" : value;
  unsetenv(variable);
  return text;
}

// The part of `names` ("a:b:c") of this number; empty where there is none.
std::string_view name_of(std::string_view names, size_t number) {
  for (size_t i = 0; i < number; ++i) {
    const size_t colon = names.find(':');
    if (colon == names.npos) return {};
    names.remove_prefix(colon + 1);
  }
  return names.substr(0, names.find(':'));
}

Result<void> add(int fd, const net::Address& address, Listeners& listeners) {
  listeners.addresses.push_back(address);
  listeners.of_worker.front().push_back(fd);
  for (size_t i = 1; i < listeners.of_worker.size(); ++i) {
    // A Unix socket cannot be bound twice, a passed one should not be: the accept queue is shared.
    const bool shared = listeners.passed || address.is_unix();
    Result<int> further =
        shared ? Result<int>(::dup(fd)) : net::open_listener(address, net::ListenAs::further);
    if (!further) return further.error();
    listeners.of_worker[i].push_back(*further);
  }
  return {};
}

Result<void> listen_on(const net::Address& address, net::ListenAs as, Listeners& listeners) {
  Result<int> first = net::open_listener(address, as);
  if (!first) return first.error();
  Result<net::Address> bound = net::Address::of_socket(*first);
  if (!bound) return bound.error();
  return add(*first, *bound, listeners);
}

Result<void> take_passed(uint64_t count, std::string_view names, Listeners& listeners) {
  listeners.passed = true;
  for (size_t i = 0; i < count; ++i) {
    const int fd = kFirstPassed + static_cast<int>(i);
    const std::string_view name = name_of(names, i);
    Result<net::Address> address = net::adopt_listener(fd);
    if (!address) {
      return Error{"descriptor " + std::to_string(fd) + " of LISTEN_FDS " +
                   address.error().message};
    }
    if (name == "admin") {
      listeners.admin = fd;
    } else if (Result<void> added = add(fd, *address, listeners); !added) {
      return added.error();
    }
  }
  if (listeners.addresses.empty()) return Error{"LISTEN_FDS passes nothing but the admin listener"};
  return {};
}

// How many descriptors are passed to this process and nobody else.
Result<uint64_t> count_passed() {
  const std::string count = taken_from_environment("LISTEN_FDS");
  const std::string pid = taken_from_environment("LISTEN_PID");
  if (count.empty() || pid != std::to_string(::getpid())) return uint64_t{0};
  const auto number = parse_decimal(count);
  if (!number || *number > kPassedMax) return Error{"LISTEN_FDS '" + count + "' is no such number"};
  return *number;
}

}  // namespace

Result<Listeners> open_listeners(const Settings& settings) {
  Listeners listeners;
  listeners.of_worker.resize(settings.cpus.size());
  const auto as = settings.predecessor > 0 ? net::ListenAs::further : net::ListenAs::sole;
  const std::string names = taken_from_environment("LISTEN_FDNAMES");
  Result<uint64_t> passed = count_passed();
  if (!passed) return passed.error();
  if (*passed > 0) {
    if (Result<void> taken = take_passed(*passed, names, listeners); !taken) return taken.error();
  } else {
    for (const net::Address& address : settings.listen) {
      if (Result<void> opened = listen_on(address, as, listeners); !opened) return opened.error();
    }
  }
  if (settings.admin_listen && listeners.admin < 0) {
    Result<int> admin = net::open_listener(*settings.admin_listen, as);
    if (!admin) return admin.error();
    listeners.admin = *admin;
  }
  return listeners;
}

}  // namespace fnkit::server
