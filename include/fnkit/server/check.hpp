// Whether this machine is as the settings need it, without serving.
#pragma once

#include <string>
#include <vector>

#include "fnkit/server/settings.hpp"

namespace fnkit::server {

struct CheckResult {
  std::vector<std::string> problems;  // each a sentence that names the setting and its value
  std::vector<std::string> remarks;   // no reason not to start
  bool forbidden = false;             // io_uring cannot be had; then nothing else was looked at
};

// The kernel's io_uring; that each address can be listened on (one that is taken is a remark: it
// may be the running server's); that the store's directory or socket is there, or its host has an
// address. Asks no store and no function. Takes as long as DNS does, at most 10 s a host. One
// thread.
CheckResult check(const Settings& settings);

}  // namespace fnkit::server
