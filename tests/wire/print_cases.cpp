// The requests of the wire table, for tests that are not C++. One line each, separated by tabs: ID,
// what it asks for, what the connection is good for afterwards, the required answers, HEX(bytes);
// then, where all of it is taken, METHOD HEX(target) HEX(body) HEX(header lines "name:value") for
// each of its requests as we read them.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>

#include "fnkit/base/text.hpp"
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
    std::string fields;
    for (const http::HeaderField& field : request.headers) {
      std::transform(field.name.begin(), field.name.end(), std::back_inserter(fields), ascii_lower);
      fields.append(":").append(field.value).append("\n");
    }
    for (const std::string& part :
         {std::string(request.method), hex(request.target), hex(request.body), hex(fields)}) {
      read += "\t" + part;
    }
    if (!stays) break;
  }
  return read;
}

}  // namespace

int main() {
  for (const test::RequestCase& wire : test::request_cases()) {
    constexpr const char* kAsks[] = {"nothing", "token", "end"};
    constexpr const char* kAfter[] = {"keep", "close", "either"};
    std::printf("%s\t%s\t%s\t%.*s\t%s%s\n", wire.id, kAsks[static_cast<size_t>(wire.asks)],
                kAfter[static_cast<size_t>(wire.after)], static_cast<int>(wire.answers.size()),
                wire.answers.data(), hex(wire.bytes).c_str(), reading_of(wire).c_str());
  }
}
