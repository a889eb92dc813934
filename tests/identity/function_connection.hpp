// One connection to a function: requests in, answers out in their order, and all the ways in which
// a function may do that well or badly.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "function.hpp"
#include "loop.hpp"

namespace identity {

class FunctionConnection final : public Loop::Member {
 public:
  // Takes over `fd`. The loop must adopt it; it retires itself.
  FunctionConnection(Loop& loop, int fd, Function& function);
  ~FunctionConnection() override;

  void ready(uint32_t events) override;
  void time_is_over() override;

 private:
  // A call whose head has arrived; `body` once all of it has.
  struct Call {
    std::string_view head;
    std::optional<Id> id;  // as the target says
    std::optional<std::string_view> body;
    size_t bytes = 0;  // head and body
  };
  // What is done once out_ has been sent up to there.
  struct Act {
    enum class Kind { pause, spoken, finish, finish_late, close, reset };
    size_t upto;
    Kind kind;
    Nanoseconds pause = 0;
  };

  void advance();
  bool perform_acts();  // true where all of them are done
  bool send_upto(size_t end);
  void rest();
  void close_now();
  void speak_out_of_turn();

  std::optional<Call> next_call(std::string_view from) const;
  void take(const Call& call);
  std::optional<Message> read(const Call& call);
  void cross(const Call& call);
  void note_the_rest();
  bool alone();

  void answer(const Call& call, const Message& message);
  void write_answer(int status, const std::string& body, End end, Random& random);
  void write_end(End end, size_t begin, Random& random);
  void split_writes(size_t begin, Random& random);
  void act(Act::Kind kind, Nanoseconds pause = 0) { acts_.push_back({out_.size(), kind, pause}); }

  Loop& loop_;
  const int fd_;
  Function& function_;
  std::string in_;
  size_t taken_ = 0;  // of in_
  std::string out_;
  size_t sent_ = 0;  // of out_
  std::vector<Act> acts_;
  size_t acted_ = 0;  // of acts_
  bool paused_ = false;
  bool wants_to_write_ = false;
  bool outburst_due_ = false;
  bool finishing_ = false;  // all is said, only the peer's end is awaited
  bool gone_ = false;
  Nanoseconds spoken_ = 0;  // when it last spoke out of turn, or said that it would close
};

}  // namespace identity
