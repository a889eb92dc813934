// Writes what the fuzzers begin with: seeds DIRECTORY makes DIRECTORY/<fuzzer>/<seed> of the wire
// tables and of what the documents show.
#include <filesystem>
#include <fstream>
#include <string>

#include "wire/answer_cases.hpp"
#include "wire/http_cases.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

constexpr size_t kSeedBytesMax = 16 * 1024;

class Corpus {
 public:
  Corpus(const fs::path& root, const char* fuzzer) : directory_(root / fuzzer) {
    fs::create_directories(directory_);
  }
  void add(std::string_view seed) {
    if (seed.size() > kSeedBytesMax) return;
    std::ofstream(directory_ / std::to_string(count_++), std::ios::binary) << seed;
  }

 private:
  fs::path directory_;
  size_t count_ = 0;
};

void write_messages(const fs::path& root) {
  Corpus requests(root, "requests");
  Corpus written(root, "written");
  for (const auto& wire : fnkit::test::request_cases()) {
    requests.add(wire.bytes);
    written.add(wire.bytes);
  }
  Corpus answers(root, "answers");
  for (const auto& table : {fnkit::test::answer_cases(), fnkit::test::bad_answer_cases()}) {
    for (const auto& wire : table) {
      const int how = (wire.asked == fnkit::test::Asked::head ? 1 : 0) +
                      (wire.peer == fnkit::test::Peer::ends ? 2 : 0);
      answers.add(static_cast<char>(how) + wire.bytes);
    }
  }
}

void write_json(const fs::path& root) {
  Corpus config(root, "config");
  for (const auto* text :
       {R"({"steps":["a","b"]})", R"({"mode":"parallel","steps":["a",{"function":"b"}]})", R"({})",
        R"({"steps":[{"function":"a","idempotent":true}],"description":"x"})", R"({"steps":[]})",
        "[1]", R"({"steps":"a"})", R"({"steps":["a"],"steps":["b"]})"}) {
    config.add(text);
  }
  Corpus splice(root, "splice");
  for (const auto* text :
       {R"({"a":[1,2.5e3,"x\u00e9",null,true]})", "12345678901234567890", "text", "[[[[]]]]",
        R"("\ud800")", "\xef\xbb\xbf{}", "\xff", "-0.1E+7", "{} {}"}) {
    splice.add("\x03\xff"s + text);
    splice.add("\x01\x80"s + text + text);
  }
}

void write_others(const fs::path& root) {
  Corpus replies(root, "replies");
  for (const auto* text : {"+OK\r\n", "-ERR no\r\n", ":12\r\n", "$5\r\nhello\r\n", "$-1\r\n",
                           "*0\r\n", "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n",
                           "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n"}) {
    replies.add(text);
  }
  Corpus values(root, "values");
  for (const auto& text :
       {"\x00"s + "1500ms", "\x01"s + "16MiB", "\x02"s + "12", "\x03"s + "[::1]:80",
        "\x03"s + "unix:/run/x", "\x04"s + "name:80", "\x05"s + "rediss://u:secret@h:1/2",
        "\x05"s + "redis+sentinel://:secret@a:1,b:2/p/3", "\x05"s + "unix:///run/s?db=1",
        "\x06"s + "http://{step}:8080/x", "\x07"s + "step-1"}) {
    values.add(text);
  }
  Corpus trace(root, "traceparent");
  trace.add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\na=1,b=2");
  trace.add("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more\n");
  Corpus dns(root, "dns");
  const std::string question = "\x04name\x04test\x00"s + "\x00\x01\x00\x01"s;
  dns.add("\x00\x01\x00\x01\x00\x00\x00\x00"s + question +
          "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x7f\x00\x00\x01"s);
  dns.add("\x00\x01\x00\x01\x00\x00\x00\x00"s + question +
          "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x05\x00\x02\xc0\x0c"s);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  write_messages(arguments[1]);
  write_json(arguments[1]);
  write_others(arguments[1]);
}
