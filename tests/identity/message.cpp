#include "message.hpp"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace identity {
namespace {

// Where payloads may begin; so two ids seldom have the same one.
constexpr uint64_t kPlaces = 1024 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_padded(std::string& out, uint64_t value, size_t width) {
  char digits[20];
  for (size_t i = width; i > 0; --i, value /= 10)
    digits[i - 1] = static_cast<char>('0' + value % 10);
  out.append(digits, width);
}

uint64_t place(const Id& id, const std::string& by) {
  return mix(id.caller, id.sequence) % kPlaces + by.size();
}

// Takes `text` from the front of `rest`.
bool skip(std::string_view& rest, std::string_view text) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

// Takes what stands before the next quote.
std::string_view until_quote(std::string_view& rest) {
  const size_t end = std::min(rest.find('"'), rest.size());
  const std::string_view found = rest.substr(0, end);
  rest.remove_prefix(end);
  return found;
}

}  // namespace

Nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

// splitmix64's finisher.
uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::optional<Id> Id::parse(std::string_view text) {
  if (text.size() != kIdBytes || text[5] != '-') return std::nullopt;
  const auto caller = number(text.substr(0, 5));
  const auto sequence = number(text.substr(6));
  if (!caller || !sequence || *sequence > UINT32_MAX) return std::nullopt;
  return Id{static_cast<uint32_t>(*caller), static_cast<uint32_t>(*sequence)};
}

std::string Id::to_text() const {
  std::string text;
  append_padded(text, caller, 5);
  text += '-';
  append_padded(text, sequence, 10);
  return text;
}

std::string_view ocean() {
  static const std::string water = [] {
    constexpr std::string_view kDrops =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string made(kPlaces + kPayloadBytesMax + kStepsMax, ' ');
    Random random(0x6f6365616e);
    for (char& drop : made) drop = kDrops[random.below(kDrops.size())];
    return made;
  }();
  return water;
}

std::string Message::head() const {
  std::string text;
  text.reserve(kHeadBytesMax);
  text += R"({"id":")";
  text += id.to_text();
  text += R"(","born":")";
  append_padded(text, static_cast<uint64_t>(born), 19);
  text += R"(","by":")";
  text += by;
  text += R"(","at":")";
  append_padded(text, place(id, by), 8);
  text += R"(","size":")";
  append_padded(text, size, 8);
  text += R"(","data":")";
  return text;
}

std::string_view Message::payload() const { return ocean().substr(place(id, by), size); }

void Message::append_to(std::string& out) const {
  out += head();
  out += payload();
  out += kEnd;
}

std::optional<Message> Message::parse(std::string_view body, std::string_view& why) {
  std::string_view rest = body;
  Message message;
  why = "no head of a message";
  if (!skip(rest, R"({"id":")")) return std::nullopt;
  const auto id = Id::parse(until_quote(rest));
  if (!id || !skip(rest, R"(","born":")")) return std::nullopt;
  const auto born = number(until_quote(rest));
  if (!born || !skip(rest, R"(","by":")")) return std::nullopt;
  message.by = until_quote(rest);
  if (!skip(rest, R"(","at":")")) return std::nullopt;
  until_quote(rest);
  if (!skip(rest, R"(","size":")")) return std::nullopt;
  const auto size = number(until_quote(rest));
  if (!size || *size > kPayloadBytesMax || message.by.size() > kStepsMax) return std::nullopt;
  message.id = *id;
  message.born = static_cast<Nanoseconds>(*born);
  message.size = static_cast<uint32_t>(*size);
  const std::string head = message.head();
  why = "a head that is not its id's";
  if (!body.starts_with(head)) return std::nullopt;
  why = "another length than its head says";
  if (body.size() != head.size() + message.size + kEnd.size()) return std::nullopt;
  why = "a payload that is not its id's";
  if (body.substr(head.size(), message.size) != message.payload()) return std::nullopt;
  why = "no end";
  if (!body.ends_with(kEnd)) return std::nullopt;
  return message;
}

std::string refusal(std::string_view id, char function) {
  std::string text = "refused ";
  text.append(id).append(" by ").append(1, function);
  return text;
}

std::string answer_to_nothing() {
  std::string body = R"({"id":")";
  body.append(kNobodyAsked).append("\"}");
  std::string answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
  answer.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return answer;
}

bool mentions_another(std::string_view text, std::string_view id) {
  if (text.find(kNobodyAsked) != text.npos) return true;
  for (size_t at = text.find('-'); at != text.npos; at = text.find('-', at + 1)) {
    if (at < 5 || at + kIdBytes - 5 > text.size()) continue;
    const std::string_view found = text.substr(at - 5, kIdBytes);
    if (Id::parse(found) && found != id) return true;
  }
  return false;
}

std::string_view header(std::string_view head, std::string_view name) {
  const auto is_name = [&](std::string_view text) {
    return text.size() > name.size() && text[name.size()] == ':' &&
           std::equal(name.begin(), name.end(), text.begin(), [](char expected, char c) {
             return expected == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
           });
  };
  for (size_t line = head.find("\r\n"); line != head.npos; line = head.find("\r\n", line + 2)) {
    std::string_view rest = head.substr(line + 2);
    if (!is_name(rest)) continue;
    rest = rest.substr(name.size() + 1, rest.find("\r\n") - name.size() - 1);
    const size_t first = rest.find_first_not_of(" \t");
    return first == rest.npos ? std::string_view("") : rest.substr(first);
  }
  return {};
}

std::optional<uint64_t> number(std::string_view digits) {
  uint64_t value = 0;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace identity
