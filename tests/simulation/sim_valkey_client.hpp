// A connection as the simulated Valkey sees it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/base/random.hpp"
#include "fnkit/coro/event.hpp"
#include "fnkit/net/stream.hpp"
#include "fnkit/valkey/reply.hpp"
#include "support/simulated_ring.hpp"

namespace fnkit::test {

// How a connection is cut: in an orderly way, by a reset, or so that it stays open and nothing is
// ever said on it any more.
enum class CutBy { end, reset, silence };

struct Cut {
  size_t after_bytes = 0;  // sent from now on
  CutBy by = CutBy::end;
};

class SimValkeyClient {
 public:
  // What is said leaves up to `delay_max` later, and nothing leaves while `hangs`; both are the
  // server's, and may change.
  SimValkeyClient(SimulatedRing& ring, int fd, uint64_t number, const Duration& delay_max,
                  const bool& hangs, uint64_t seed);

  // The next command's words; nothing at the end of the connection.
  coro::Task<std::optional<std::vector<std::string>>> next_command();
  void say(std::string_view bytes);
  // Nothing: what was asked for and has not come to pass yet is not to be.
  void cut(std::optional<Cut> cut);
  // Nothing is said any more, and nobody listens.
  bool is_cut() const { return is_cut_; }

  // Sends what is said, until end().
  coro::Task<void> send_all();
  void end();
  coro::Task<void> close();

  int fd() const { return fd_; }
  size_t bytes_sent() const { return bytes_sent_; }
  bool subscribed() const { return !channels.empty() || !patterns.empty(); }

  // --- what the server knows of it
  const uint64_t id;
  bool logged_in = false;
  unsigned database = 0;
  std::set<std::string> channels;
  std::set<std::string> patterns;
  uint64_t redirect = 0;        // tracking: to whom invalidations are told; 0: it does not track
  std::string tracking_prefix;  // of which keys

 private:
  coro::Task<bool> send(std::string bytes);
  coro::Task<void> make_cut();

  SimulatedRing& ring_;
  int fd_;
  net::Stream stream_;
  valkey::ReplyReader commands_;
  const Duration& delay_max_;
  const bool& hangs_;
  Random random_;
  std::string out_;
  std::optional<Cut> cut_;
  bool is_cut_ = false;
  bool ended_ = false;
  size_t bytes_sent_ = 0;
  coro::Event wake_;
};

}  // namespace fnkit::test
