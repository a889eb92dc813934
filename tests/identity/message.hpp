// What callers and functions of the identity test say to each other. Every body can be told from
// every other: an id, who has answered so far, and a payload that follows from the id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace identity {

using Nanoseconds = int64_t;
constexpr Nanoseconds kMicrosecond = 1000;
constexpr Nanoseconds kMillisecond = 1000 * kMicrosecond;
constexpr Nanoseconds kSecond = 1000 * kMillisecond;

// CLOCK_MONOTONIC: one clock for all processes of the machine.
Nanoseconds now();

uint64_t mix(uint64_t a, uint64_t b);

// What is drawn for an id depends on seed and id alone, however the threads may run.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() { return mix(state_, ++count_); }
  uint64_t below(uint64_t bound) { return next() % bound; }
  uint64_t between(uint64_t least, uint64_t most) { return least + below(most - least + 1); }
  bool happens(uint64_t of_10000) { return of_10000 > 0 && below(10000) < of_10000; }

 private:
  uint64_t state_;
  uint64_t count_ = 0;
};

// "00012-0000001234": a sequence number is given out once, whatever the caller.
struct Id {
  uint32_t caller = 0;
  uint32_t sequence = 0;

  static std::optional<Id> parse(std::string_view text);
  std::string to_text() const;
  bool operator==(const Id&) const = default;
};
constexpr size_t kIdBytes = 16;

constexpr size_t kPayloadBytesMax = 1024 * 1024;
constexpr size_t kStepsMax = 16;

// Letters, figures, - and _; a payload is a piece of it.
std::string_view ocean();

// {"id":"…","born":"…","by":"…","at":"…","size":"…","data":"…"}
struct Message {
  Id id;
  Nanoseconds born = 0;  // when the caller asked
  std::string by;        // the functions that have answered so far, a letter each
  uint32_t size = 0;  // of the payload, which begins at id's place and one further for each of by

  static constexpr size_t kHeadBytesMax = 160;
  static constexpr std::string_view kEnd = "\"}";

  std::string head() const;
  std::string_view payload() const;
  void append_to(std::string& out) const;
  // What a body says, and that it is whole; or why it is not.
  static std::optional<Message> parse(std::string_view body, std::string_view& why);
};

// "refused <id> by <function>": the body of a function's 500.
std::string refusal(std::string_view id, char function);

// Stands in every answer that nobody asked for.
constexpr std::string_view kNobodyAsked = "nobody-asked-for-this";
std::string answer_to_nothing();

// An id of another, or an answer that nobody asked for, stands somewhere in this text.
bool mentions_another(std::string_view text, std::string_view id);

// A header's value, or nothing; `head` is start line and headers. Names in lower case.
std::string_view header(std::string_view head, std::string_view name);

std::optional<uint64_t> number(std::string_view digits);

}  // namespace identity
