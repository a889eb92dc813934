// Knows what was asked for and what must come of it, and says what is wrong.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fnkit/base/time.hpp"
#include "wire/answers.hpp"

namespace fnkit::test {

// What stands in the store from some time on; without functions there is none.
struct SimVersion {
  Instant since;
  bool parallel;
  std::vector<std::string> functions;

  std::string to_config() const;
};

struct SimPipeline {
  std::string name;
  std::vector<SimVersion> versions;  // by time, at least one
};

// Of one caller. Its id is in its body, its query and its x-request-id, and must be in everything
// that is made of it: "<17>", "id=17", "req-17".
struct SimRequest {
  unsigned id;
  const SimPipeline* pipeline;
  Instant asked;
  bool idempotent;   // a GET, without a body
  std::string body;  // "<id>" and more

  std::string to_bytes() const;
};

// What a function named `function` makes of `input`; "json" answers JSON with numbers that a
// careless reader would change.
std::string made_by(const std::string& function, unsigned id, std::string_view input);

class Witness {
 public:
  // `strict`: nothing goes wrong, so every answer must be the good one, and what a pipeline was
  // longer than `stale_max` ago must not be seen.
  Witness(bool strict, Duration stale_max) : strict_(strict), stale_max_(stale_max) {}

  // A function has got (at least the head of) a call.
  void called(const std::string& function, unsigned id, bool idempotent);
  // A function has got all of a call.
  void input_came(const std::string& function, unsigned id, const std::string& target,
                  const std::string& input);
  void answered(const SimRequest& request, const Answer& answer);
  // The connection ended after `bytes` of an answer.
  void ended(const SimRequest& request, std::string_view bytes);
  void fault(std::string what) { faults_.push_back(std::move(what)); }

  const std::vector<std::string>& faults() const { return faults_; }
  size_t good_answers() const { return good_answers_; }
  size_t unknown_answers() const { return unknown_answers_; }
  size_t failed_answers() const { return failed_answers_; }
  size_t ends() const { return ends_; }

 private:
  void only_own_ids(const SimRequest& request, std::string_view text);
  bool may_be(const SimRequest& request, const Answer& answer) const;
  bool may_be_unknown(const SimRequest& request) const;
  std::span<const SimVersion> in_force(const SimRequest& request) const;

  bool strict_;
  Duration stale_max_;
  std::map<std::pair<std::string, unsigned>, unsigned> calls_;
  std::vector<std::string> faults_;
  size_t good_answers_ = 0;
  size_t unknown_answers_ = 0;
  size_t failed_answers_ = 0;
  size_t ends_ = 0;
};

}  // namespace fnkit::test
