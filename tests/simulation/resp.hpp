// RESP2 as a server writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fnkit::test::resp {

inline std::string simple(std::string_view text) { return "+" + std::string(text) + "\r\n"; }
inline std::string error(std::string_view text) { return "-" + std::string(text) + "\r\n"; }
inline std::string integer(uint64_t number) { return ":" + std::to_string(number) + "\r\n"; }
inline std::string nil() { return "$-1\r\n"; }

inline std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// Of parts that are written already.
inline std::string array(const std::vector<std::string>& parts) {
  std::string written = "*" + std::to_string(parts.size()) + "\r\n";
  for (const std::string& part : parts) written += part;
  return written;
}

}  // namespace fnkit::test::resp
