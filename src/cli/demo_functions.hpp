// The sample functions of `demo`, all served by one small server on a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fnkit/net/address.hpp"

namespace fnkit::cli {

class DemoFunctions {
 public:
  // Listens on a free port of 127.0.0.1 and serves; the error says why not.
  static Result<std::unique_ptr<DemoFunctions>> start();
  ~DemoFunctions();

  const net::Address& address() const;
  static const std::vector<std::string>& names();

 private:
  struct State;
  explicit DemoFunctions(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fnkit::cli
