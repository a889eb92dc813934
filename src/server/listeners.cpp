#include "server/listeners.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "fnkit/base/text.hpp"
#include "fnkit/net/datagram.hpp"

namespace fnkit::server {
namespace {

constexpr int kFirstPassed = 3;  // SD_LISTEN_FDS_START
constexpr uint64_t kPassedMax = 1024;
constexpr int kManagerPatienceMs = 5000;

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

// Returns when the manager has done all that it was told (sd_notify_barrier(3)), or gives up.
void wait_for(std::string_view manager) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  net::tell(manager, "BARRIER=1", ends[1]);
  ::close(ends[1]);
  pollfd closed{ends[0], POLLIN, 0};
  ::poll(&closed, 1, kManagerPatienceMs);
  ::close(ends[0]);
}

// Closes kept sockets of which nobody wants to know any more, and has the manager close them too:
// until then their addresses are taken.
void let_go_of_kept(std::vector<Passed>& passed, const std::vector<net::Address>& wanted) {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  const std::string_view manager = variable != nullptr ? variable : "";
  const bool is_told = net::is_unix_path(manager);
  const size_t gone = std::erase_if(passed, [&](const Passed& each) {
    const bool stays =
        !is_kept(each) || std::any_of(wanted.begin(), wanted.end(), [&](const auto& address) {
          return address.to_text() == each.address.to_text();
        });
    if (stays) return false;
    ::close(each.fd);
    if (is_told) net::tell(manager, "FDSTOREREMOVE=1\nFDNAME=" + each.name);
    return true;
  });
  if (is_told && gone > 0) wait_for(manager);
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

Result<void> listen_on(const net::Address& address, net::ListenAs as, Listeners& listeners) {
  Result<int> first = net::open_listener(address, as);
  if (!first) return first.error();
  Result<net::Address> bound = net::Address::of_socket(*first);
  if (!bound) return bound.error();
  return add({*first}, *bound, listeners);
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
  const bool only_kept = std::all_of(passed.begin(), passed.end(), is_kept);
  const std::vector<net::Address> none;
  let_go_of_kept(passed, only_kept ? settings.listen : none);
  if (!only_kept) {
    if (Result<void> taken = take_passed(passed, listeners); !taken) return taken.error();
  } else {
    for (const net::Address& address : settings.listen) {
      std::vector<int> kept = take_kept(address, passed);
      Result<void> opened = kept.empty() ? listen_on(address, as, listeners)
                                         : add(std::move(kept), address, listeners);
      if (!opened) return opened.error();
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
