// A function as all threads know it: its character, whom it has heard, and what was wrong.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "message.hpp"

namespace identity {

// How often it does what, of 10,000 calls.
struct Character {
  // These go together with each other and with one of the ends below.
  uint64_t delay = 0;     // waits 50 µs to 20 ms
  uint64_t chunk = 0;     // answers in chunks of odd sizes
  uint64_t split = 0;     // answers in many small writes
  uint64_t early = 0;     // 103 before the answer
  uint64_t outburst = 0;  // if this connection then rests for 20 ms, an answer to nothing

  // At most one of these.
  uint64_t refuse = 0;  // 500
  uint64_t polite = 0;  // `connection: close`; half of these answers end with the connection
  uint64_t abrupt = 0;  // closes after the answer without saying so
  uint64_t reset = 0;   // in the place of an answer
  uint64_t broken = 0;  // a reset in the middle of the answer
  uint64_t cut = 0;     // ends before its content-length, or its last chunk, is there
  uint64_t garbage = 0;
  uint64_t twice = 0;  // a second answer, a wrong one, in the same write

  // "delay=100,chunk=500": false where that is no character.
  bool parse(std::string_view text);
};

enum class End { none, refuse, polite, abrupt, reset, broken, cut, garbage, twice };

// What became of a call that is worth naming.
enum class Event {
  doubled,  // asked for a second time
  crossed,  // sent on a connection on which the function had just spoken out of turn: nobody can
            // tell then whose answer is whose
  late,     // the same, or after `connection: close`, but begun so long after that the program
            // must have known: a fault
  misfit,   // head and body are not one request of this test
};
constexpr size_t kEventKinds = 4;

class Function {
 public:
  Function(char its_name, const Character& its_character, uint64_t seed, uint32_t sequences);

  const char name;
  const Character character;
  uint16_t port = 0;

  // Must be said once of every call of which the head has arrived.
  void asked(const Id& id);
  void report(Event event, std::string_view id, std::string_view why);

  Random random(const Id& id) const { return Random(mix(seed_, id.sequence)); }

  std::atomic<uint64_t> calls{0};         // asked for
  std::atomic<uint64_t> connections{0};   // accepted
  std::atomic<uint64_t> shared{0};        // calls that had come while another was under way
  std::atomic<uint64_t> out_of_turn{0};   // answers to nothing, second answers
  std::atomic<uint64_t> reset_unread{0};  // connections reset after it had spoken out of turn: a
                                          // crossed call could have been lost there

  // Lines, "kind id function why", and then totals.
  void print() const;

 private:
  const uint64_t seed_;
  const uint32_t sequences_;
  const std::unique_ptr<std::atomic<uint64_t>[]> heard_;  // a bit a sequence number
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  uint64_t counts_[kEventKinds] = {};
};

}  // namespace identity
