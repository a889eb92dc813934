// A caller: one keep-alive connection, on which it asks, checks every answer, and asks again.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "loop.hpp"
#include "pipeline.hpp"

namespace identity {

// What all callers share.
struct Work {
  uint64_t seed = 1;
  uint16_t port = 0;
  uint64_t calls_wanted = 0;   // of steps
  uint64_t lull_every = 1000;  // requests: then all callers are quiet for a while
  Nanoseconds patience = 30 * kSecond;
  uint64_t leaves = 100;  // of 10,000 bursts: the caller goes away in the middle
  std::vector<Pipeline> pipelines;
  std::string reliable;  // functions that never fail

  std::atomic<uint64_t> calls{0};
  std::atomic<uint32_t> sequence{0};
  std::atomic<Nanoseconds> quiet_until{0};
};

struct Totals {
  uint64_t requests = 0, right = 0, wrong = 0, unanswered = 0, unasked = 0, left = 0, lost = 0;
  std::array<uint64_t, 600> failed{};  // by status

  void add(const Totals& other);
};

class Caller final : public Loop::Member {
 public:
  // `working` counts the thread's callers that have not finished; the last one stops the loop.
  Caller(Loop& loop, Work& work, Totals& totals, size_t& working, uint32_t number);
  ~Caller() override;

  void start();
  void ready(uint32_t events) override;
  void time_is_over() override;

 private:
  // How the caller goes away in the middle of its requests.
  struct Leaving {
    enum class When { never, in_request, after_request, in_answer };
    When when = When::never;
    bool reset = false;
    size_t bytes = 0;  // of the requests, or of the answers
  };

  void next_burst();
  void compose_burst();
  Asked draw_request(Random& random);
  void draw_leaving(Random& random);
  void send();
  void receive();
  void check(const Asked& asked, const Answer& answer);
  void leave();
  void give_up(const char* why);
  void finish();
  void open();
  void shut();
  void complain(const char* kind, const Asked* asked, std::string_view why, std::string_view got);

  Loop& loop_;
  Work& work_;
  Totals& totals_;
  size_t& working_;
  const uint32_t number_;
  int fd_ = -1;
  std::string out_;
  size_t sent_ = 0;
  bool wants_to_write_ = false;
  std::string in_;
  std::vector<Asked> asked_;  // of this burst
  size_t answered_ = 0;       // of asked_
  Leaving leaving_;
  bool resting_ = false;
};

}  // namespace identity
