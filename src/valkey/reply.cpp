#include "fnkit/valkey/reply.hpp"

#include <hiredis/read.h>

#include <array>
#include <charconv>
#include <utility>

namespace fnkit::valkey {
namespace {

// What the codes mean to somebody who runs this program. A text that begins with one of them is
// explained; the longer of two that fit stands first.
struct Meaning {
  std::string_view code;
  std::string_view words;
};
constexpr Meaning kMeanings[] = {
    {"NOAUTH", "it asks for a password"},
    {"WRONGPASS", "it refuses the user name or password"},
    {"ERR invalid password", "it refuses the password"},
    {"NOPERM", "this user may not do that there"},
    {"LOADING", "it is still loading its data"},
    {"READONLY", "it is a read-only replica"},
    {"MASTERDOWN", "it is a replica that has lost its primary"},
    {"MOVED", "it runs in cluster mode, which is not supported"},
    {"ASK", "it runs in cluster mode, which is not supported"},
    {"CROSSSLOT", "it runs in cluster mode, which is not supported"},
    {"CLUSTERDOWN", "it runs in cluster mode, which is not supported"},
    {"OOM", "it has no memory left"},
    {"MISCONF", "it cannot save its data and refuses writes"},
    {"NOREPLICAS", "it refuses writes because replicas are missing"},
    {"BUSY", "it is busy running a script"},
    {"WRONGTYPE", "the key holds something that is no string"},
    {"DENIED", "it accepts local connections only (protected mode)"},
    {"ERR max number of clients", "it has no connection left"},
    {"ERR DB index", "it has no database of that number"},
    {"NOPROTO", "it does not speak RESP2"},
};

// The server's own words, with an end and without bytes that would spoil a line.
std::string quoted_words(std::string_view text) {
  constexpr size_t kShown = 200;
  std::string shown(text.substr(0, kShown));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return shown;
}

void append_count(std::string& out, char kind, size_t count) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), count).ptr;
  out += kind;
  out.append(digits.data(), end);
  out += "\r\n";
}

// --- hiredis' reader builds Reply trees. A child is appended when it begins, so an announced
// number of elements costs nothing until they come; nobody holds a pointer to its finished
// siblings.

Reply* place(const redisReadTask* task) {
  if (task->parent == nullptr) return new Reply;
  auto* parent = static_cast<Reply*>(task->parent->obj);
  return &parent->elements.emplace_back();
}

void* create_string(const redisReadTask* task, char* bytes, size_t length) {
  Reply* reply = place(task);
  reply->kind = task->type == REDIS_REPLY_ERROR    ? Reply::Kind::error
                : task->type == REDIS_REPLY_STATUS ? Reply::Kind::status
                                                   : Reply::Kind::text;
  reply->text.assign(bytes, length);
  return reply;
}

template <class Count>  // int before hiredis 1.0, size_t since
void* create_array(const redisReadTask* task, Count) {
  Reply* reply = place(task);
  reply->kind = Reply::Kind::array;
  return reply;
}

void* create_integer(const redisReadTask* task, long long value) {
  Reply* reply = place(task);
  reply->kind = Reply::Kind::integer;
  reply->integer = value;
  return reply;
}

void* create_nil(const redisReadTask* task) { return place(task); }

void free_root(void* reply) { delete static_cast<Reply*>(reply); }

// RESP3 types, which hiredis knows since 1.0. Nobody asks for them; a server that sends one all the
// same must not make hiredis invent a pointer.
[[maybe_unused]] void* create_double(const redisReadTask* task, double, char* bytes,
                                     size_t length) {
  return create_string(task, bytes, length);
}
[[maybe_unused]] void* create_bool(const redisReadTask* task, int value) {
  return create_integer(task, value);
}

template <class Functions>
Functions make_functions() {
  Functions made{};
  made.createString = create_string;
  made.createArray = create_array;
  made.createInteger = create_integer;
  made.createNil = create_nil;
  made.freeObject = free_root;
  if constexpr (requires { made.createDouble; }) {
    made.createDouble = create_double;
    made.createBool = create_bool;
  }
  return made;
}

auto functions = make_functions<redisReplyObjectFunctions>();

}  // namespace

bool Reply::is_error(std::string_view code) const {
  const std::string_view words = text;
  return is_error() && words.substr(0, words.find(' ')) == code;
}

// Not with hiredis, whose formatter goes through printf and, with its arrays, seven allocations.
void append_command(std::string& out, const Command& command) {
  REQUIRE(!command.empty());
  append_count(out, '*', command.size());
  for (const std::string& argument : command) {
    append_count(out, '$', argument.size());
    out += argument;
    out += "\r\n";
  }
}

std::string explain(std::string_view error_text) {
  for (const Meaning& meaning : kMeanings) {
    if (error_text.substr(0, meaning.code.size()) == meaning.code) {
      return std::string(meaning.words) + " (" + quoted_words(error_text) + ")";
    }
  }
  return "it says: " + quoted_words(error_text);
}

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader() : reader_(redisReaderCreateWithFunctions(&functions)) {
  INVARIANT(reader_ != nullptr);
}
ReplyReader::~ReplyReader() = default;

void ReplyReader::feed(std::string_view bytes) {
  bytes_of_reply_ += bytes.size();
  redisReaderFeed(reader_.get(), bytes.data(), bytes.size());  // remembers its error for next()
}

Result<std::optional<Reply>> ReplyReader::next() {
  void* root = nullptr;
  if (redisReaderGetReply(reader_.get(), &root) != REDIS_OK) {
    return Error{"it does not speak Valkey's protocol (" + std::string(reader_->errstr) + ")"};
  }
  if (root == nullptr) {
    if (bytes_of_reply_ > kReplyBytesMax) return Error{"it sends a reply without end"};
    return std::optional<Reply>();
  }
  bytes_of_reply_ = reader_->len - reader_->pos;
  const std::unique_ptr<Reply> owned(static_cast<Reply*>(root));
  return std::optional<Reply>(std::move(*owned));
}

}  // namespace fnkit::valkey
