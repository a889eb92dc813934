// What a server says, and what is said to it: RESP2 as bytes, without I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/base/result.hpp"

// hiredis' reader, seen by src/valkey alone.
struct redisReader;

namespace fnkit::valkey {

// One reply, a tree that owns its bytes.
struct Reply {
  enum class Kind { nil, integer, status, text, array, error };

  Kind kind = Kind::nil;
  int64_t integer = 0;
  std::string text;  // of a status, a text or an error; any bytes
  std::vector<Reply> elements;

  bool is_error() const { return kind == Kind::error; }
  // An error of this code, its first word: "WRONGTYPE", "NOPERM" …
  bool is_error(std::string_view code) const;
};

// Name and arguments, any bytes; at least the name.
using Command = std::vector<std::string>;

// Appends `command` as the server reads it.
void append_command(std::string& out, const Command& command);

// A server's error text as a sentence for a person: what it means in plain words where the code is
// a known one, and the server's own words in any case.
std::string explain(std::string_view error_text);

// Bytes in, replies out, wherever the bytes are cut.
class ReplyReader {
 public:
  // A reply larger than this is an error: what a server sends must not fill the memory.
  static constexpr size_t kReplyBytesMax = 32 * 1024 * 1024;

  ReplyReader();
  ~ReplyReader();

  void feed(std::string_view bytes);
  // The next complete reply; nothing where more bytes are needed. After an error the bytes make no
  // sense any more: close the connection.
  Result<std::optional<Reply>> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::unique_ptr<redisReader, Free> reader_;
  size_t bytes_of_reply_ = 0;  // fed since the last complete reply, at least
};

}  // namespace fnkit::valkey
