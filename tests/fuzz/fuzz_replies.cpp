// What a server says, which may be no Valkey: whole and in pieces the same replies.
#include "fnkit/valkey/reply.hpp"
#include "fuzz/fuzz.hpp"

namespace fnkit::fuzz {
namespace {

void describe(const valkey::Reply& reply, std::string& out) {
  out += std::to_string(static_cast<int>(reply.kind)) + " " + std::to_string(reply.integer) + " " +
         reply.text + "(";
  for (const valkey::Reply& element : reply.elements) describe(element, out);
  out += ")";
}

std::string read_all(const Pieces& pieces) {
  valkey::ReplyReader reader;
  std::string seen;
  for (const std::string& piece : pieces) {
    reader.feed(piece);
    while (true) {
      Result<std::optional<valkey::Reply>> reply = reader.next();
      if (!reply) return seen + "refused";
      if (!*reply) break;
      describe(**reply, seen);
      if ((*reply)->is_error()) require(!valkey::explain((*reply)->text).empty(), "no words");
    }
  }
  return seen;
}

}  // namespace
}  // namespace fnkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit::fuzz;
  read_alike(text_of(data, size), read_all);
  return 0;
}
