// Random valid messages together with what they say, so that a reader can be held to it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fnkit/base/random.hpp"

namespace fnkit::test {

struct RandomMessage {
  std::string bytes;  // on the wire
  std::string method;
  std::string target;
  int status = 0;
  int minor_version = 1;
  std::vector<std::pair<std::string, std::string>> headers;  // framing and Host included
  std::string body;
  bool keep_alive = true;
};

RandomMessage random_request(Random& random);
// Never one that lasts until the connection's end.
RandomMessage random_response(Random& random);

// `bytes` in pieces: few large ones, or many small ones.
std::vector<std::string> random_pieces(Random& random, std::string_view bytes);

}  // namespace fnkit::test
