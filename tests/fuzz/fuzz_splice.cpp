// Answers put into one JSON object: JSON as it stands, everything else as a string; a reader of the
// object finds the same.
#include "fnkit/json/quote.hpp"
#include "fnkit/json/validate.hpp"
#include "fnkit/json/value.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit;
  const std::string text(fuzz::text_of(data, size));
  const bool valid = json::is_valid(text);
  fuzz::require(valid == static_cast<bool>(json::parse(text, json::kDepthMax)),
                "is_valid() and parse() do not agree");
  std::string merged = R"({"first":)";
  if (valid) merged += text;
  if (!valid) json::append_quoted(merged, text);
  merged += R"(,"last":)";
  json::append_quoted(merged, text);
  merged += '}';
  // One deeper than the answer was.
  const Result<json::Value> read = json::parse(merged, json::kDepthMax);
  if (!read) {
    fuzz::require(valid && !json::is_valid("[" + text + "]"), "the merged answer is no JSON");
    return 0;
  }
  fuzz::require(read->members().size() == 2 && read->members()[0].key == "first" &&
                    read->members()[1].key == "last",
                "an answer has added to the object or taken from it");
  fuzz::require(!valid || read->members()[0].value.source_bytes() <= text.size(),
                "an answer has grown");
  return 0;
}
