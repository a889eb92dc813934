// The whole server: workers, store, signals; from start to exit.
#pragma once

#include "fnkit/server/settings.hpp"

namespace fnkit::server {

// Exit codes of the program: CONTRACT section 1.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitForbidden = 78;  // the machine forbids io_uring

// Told when the server listens, before it serves; `addresses` are those of Settings::listen with
// the ports that the kernel chose.
struct StartObserver {
  virtual ~StartObserver() = default;
  virtual void listening(const std::vector<net::Address>& addresses) = 0;
};

// Serves until SIGTERM or SIGINT, on the calling thread and one for each of settings.cpus. Yields
// the exit code; has then said why on stderr. `observer` may be null.
int serve(const Settings& settings, StartObserver* observer);

}  // namespace fnkit::server
