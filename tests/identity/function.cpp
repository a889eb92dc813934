#include "function.hpp"

#include <cinttypes>
#include <cstdio>
#include <utility>

namespace identity {
namespace {

constexpr size_t kLinesMax = 1'000'000;
constexpr const char* kEventNames[kEventKinds] = {"doubled", "crossed", "late", "misfit"};

uint64_t* rate(Character& of, std::string_view name) {
  const std::pair<std::string_view, uint64_t*> rates[] = {
      {"delay", &of.delay},   {"chunk", &of.chunk},       {"split", &of.split},
      {"early", &of.early},   {"outburst", &of.outburst}, {"refuse", &of.refuse},
      {"polite", &of.polite}, {"abrupt", &of.abrupt},     {"reset", &of.reset},
      {"broken", &of.broken}, {"cut", &of.cut},           {"garbage", &of.garbage},
      {"twice", &of.twice}};
  for (const auto& [known, place] : rates) {
    if (known == name) return place;
  }
  return nullptr;
}

}  // namespace

bool Character::parse(std::string_view text) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const size_t equals = word.find('=');
    if (equals == word.npos) return false;
    uint64_t* const place = rate(*this, word.substr(0, equals));
    const auto value = number(word.substr(equals + 1));
    if (place == nullptr || !value || *value > 10000) return false;
    *place = *value;
  }
  return true;
}

Function::Function(char its_name, const Character& its_character, uint64_t seed, uint32_t sequences)
    : name(its_name),
      character(its_character),
      seed_(mix(seed, static_cast<uint64_t>(its_name))),
      sequences_(sequences),
      heard_(new std::atomic<uint64_t>[sequences / 64 + 1]()) {}

void Function::asked(const Id& id) {
  calls.fetch_add(1, std::memory_order_relaxed);
  if (id.sequence >= sequences_) {
    report(Event::misfit, id.to_text(), "a sequence number that was never given out");
    return;
  }
  const uint64_t bit = uint64_t{1} << (id.sequence % 64);
  if ((heard_[id.sequence / 64].fetch_or(bit, std::memory_order_relaxed) & bit) != 0) {
    report(Event::doubled, id.to_text(), "asked for again");
  }
}

void Function::report(Event event, std::string_view id, std::string_view why) {
  const auto kind = static_cast<size_t>(event);
  const std::lock_guard guard(mutex_);
  ++counts_[kind];
  if (lines_.size() >= kLinesMax) return;
  std::string line = kEventNames[kind];
  line.append(" ").append(id).append(" ").append(1, name).append(" ").append(why);
  lines_.push_back(std::move(line));
}

void Function::print() const {
  const std::lock_guard guard(mutex_);
  for (const std::string& line : lines_) std::printf("%s\n", line.c_str());
  std::printf("function %c", name);
  const std::pair<const char*, uint64_t> totals[] = {{"calls", calls},
                                                     {"connections", connections},
                                                     {"shared", shared},
                                                     {"out_of_turn", out_of_turn},
                                                     {"reset_unread", reset_unread}};
  for (const auto& [what, count] : totals) std::printf(" %s=%" PRIu64, what, count);
  for (size_t i = 0; i < kEventKinds; ++i) std::printf(" %s=%" PRIu64, kEventNames[i], counts_[i]);
  std::printf("\n");
}

}  // namespace identity
