// The requests of the wire table that are taken, and how we read them: prints one line each, "ID
// HEX(bytes) METHOD HEX(target) HEX(body)…" with the last three for each request of the case.
#include <cstdio>
#include <string>

#include "fnkit/http/message_parser.hpp"
#include "wire/http_cases.hpp"

namespace {

using namespace fnkit;

std::string hex(std::string_view bytes) {
  std::string text;
  char digits[3];
  for (const char byte : bytes) {
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(byte) & 0xffU);
    text += digits;
  }
  return text.empty() ? "-" : text;
}

// Empty where not all of it is taken.
std::string reading_of(const test::RequestCase& wire) {
  http::RequestParser parser{http::MessageLimits{}};
  Buffer input;
  input.append(wire.bytes);
  std::string read;
  while (!input.empty()) {
    auto arrived = parser.advance(input);
    if (!arrived || *arrived != http::Arrived::all) return {};
    const bool stays = parser.keep_alive();
    const http::Request request = parser.take(input);
    read += " " + std::string(request.method) + " " + hex(request.target) + " " + hex(request.body);
    if (!stays) break;
  }
  return read;
}

}  // namespace

int main() {
  for (const test::RequestCase& wire : test::request_cases()) {
    const std::string read = reading_of(wire);
    if (!read.empty()) std::printf("%s %s%s\n", wire.id, hex(wire.bytes).c_str(), read.c_str());
  }
}
