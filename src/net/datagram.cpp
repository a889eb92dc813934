#include "fnkit/net/datagram.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>

#include "fnkit/base/check.hpp"

namespace fnkit::net {

bool is_unix_path(std::string_view path) {
  return path.size() > 1 && path.size() < sizeof(sockaddr_un::sun_path) &&
         (path.front() == '/' || path.front() == '@');
}

void tell(std::string_view path, std::string_view bytes) {
  REQUIRE(is_unix_path(path));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  ::sendto(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), length);
  ::close(fd);
}

}  // namespace fnkit::net
