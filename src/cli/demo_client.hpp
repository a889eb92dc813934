// A caller for `demo --once`, on a ring of its own.
#pragma once

#include <string>
#include <string_view>

#include "fnkit/net/address.hpp"

namespace fnkit::cli {

struct DemoAnswer {
  int status = 0;  // 0: there was none, `body` says why
  std::string body;
};

// POSTs `body` as curl -d would. Blocks; on a thread without a ring.
DemoAnswer post(const net::Address& address, const std::string& target, std::string_view body);

// Asks /readyz until it says yes; false after ten seconds. Blocks.
bool wait_until_ready(const net::Address& address);

}  // namespace fnkit::cli
