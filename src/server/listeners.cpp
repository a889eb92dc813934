#include "server/listeners.hpp"

#include <unistd.h>

#include <algorithm>
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

struct Passed {
  int fd;
  std::string name;
  net::Address address;
};

// Every core listens on its own: the kernel shares connections out.
Result<void> add(std::vector<int> sockets, const net::Address& address, Listeners& listeners) {
  const size_t workers = listeners.of_worker.size();
  while (sockets.size() < workers) {
    // A Unix socket cannot be bound twice, a passed one should not be: the accept queue is shared.
    const bool shared = listeners.passed || address.is_unix();
    Result<int> further = shared ? Result<int>(::dup(sockets.front()))
                                 : net::open_listener(address, net::ListenAs::further);
    if (!further) return further.error();
    sockets.push_back(*further);
  }
  listeners.addresses.push_back(address);
  for (size_t i = 0; i < sockets.size(); ++i) {
    listeners.of_worker[i % workers].push_back(sockets[i]);
  }
  return {};
}

Result<std::vector<Passed>> adopt(uint64_t count, std::string_view names) {
  std::vector<Passed> passed;
  for (size_t i = 0; i < count; ++i) {
    const int fd = kFirstPassed + static_cast<int>(i);
    Result<net::Address> address = net::adopt_listener(fd);
    if (!address) {
      return Error{"descriptor " + std::to_string(fd) + " of LISTEN_FDS " +
                   address.error().message};
    }
    passed.push_back({fd, std::string(name_of(names, i)), *address});
  }
  return passed;
}

bool is_kept(const Passed& socket) { return socket.name == kept_name(socket.address); }

// Takes the kept sockets of `address` out of `passed`; none where there are none.
std::vector<int> take_kept(const net::Address& address, std::vector<Passed>& passed) {
  std::vector<int> sockets;
  std::erase_if(passed, [&](const Passed& each) {
    const bool ours = is_kept(each) && each.address.to_text() == address.to_text();
    if (ours) {
      net::end_hand_over(each.fd);
      sockets.push_back(each.fd);
    }
    return ours;
  });
  return sockets;
}

// What is still kept of addresses that are no longer listened on.
void let_go_of_kept(std::vector<Passed>& passed, Listeners& listeners) {
  std::erase_if(passed, [&](const Passed& each) {
    if (!is_kept(each)) return false;
    ::close(each.fd);
    listeners.no_longer_kept.push_back(each.name);
    return true;
  });
}

Result<void> take_passed(const std::vector<Passed>& passed, Listeners& listeners) {
  listeners.passed = true;
  for (const Passed& socket : passed) {
    if (socket.name == "admin") {
      listeners.admin = socket.fd;
    } else if (Result<void> added = add({socket.fd}, socket.address, listeners); !added) {
      return added;
    }
  }
  if (listeners.addresses.empty()) return Error{"LISTEN_FDS passes nothing but the admin listener"};
  return {};
}

Result<void> listen_on(const net::Address& address, net::ListenAs as, std::vector<Passed>& passed,
                       Listeners& listeners) {
  if (std::vector<int> kept = take_kept(address, passed); !kept.empty()) {
    return add(std::move(kept), address, listeners);
  }
  Result<int> first = net::open_listener(address, as);
  if (!first) return first.error();
  Result<net::Address> bound = net::Address::of_socket(*first);
  if (!bound) return bound.error();
  return add({*first}, *bound, listeners);
}

Result<void> listen_for_admin(const net::Address& address, net::ListenAs as,
                              std::vector<Passed>& passed, Listeners& listeners) {
  const std::vector<int> kept = take_kept(address, passed);
  Result<int> admin = kept.empty() ? net::open_listener(address, as) : Result<int>(kept.front());
  if (!admin) return admin.error();
  listeners.admin = *admin;
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

std::string kept_name(const net::Address& address) {
  std::string name = "kept-" + address.to_text();
  std::replace(name.begin(), name.end(), ':', '-');  // which separates names
  return name;
}

Result<Listeners> open_listeners(const Settings& settings) {
  Listeners listeners;
  listeners.of_worker.resize(settings.cpus.size());
  const auto as = settings.predecessor > 0 ? net::ListenAs::further : net::ListenAs::sole;
  const std::string names = taken_from_environment("LISTEN_FDNAMES");
  Result<uint64_t> count = count_passed();
  if (!count) return count.error();
  Result<std::vector<Passed>> adopted = adopt(*count, names);
  if (!adopted) return adopted.error();
  std::vector<Passed>& passed = *adopted;
  if (std::all_of(passed.begin(), passed.end(), is_kept)) {
    for (const net::Address& address : settings.listen) {
      Result<void> opened = listen_on(address, as, passed, listeners);
      if (!opened) return opened.error();
    }
  } else {
    let_go_of_kept(passed, listeners);
    if (Result<void> taken = take_passed(passed, listeners); !taken) return taken.error();
  }
  if (settings.admin_listen && listeners.admin < 0) {
    Result<void> opened = listen_for_admin(*settings.admin_listen, as, passed, listeners);
    if (!opened) return opened.error();
  }
  let_go_of_kept(passed, listeners);
  return listeners;
}

}  // namespace fnkit::server
