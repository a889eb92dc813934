"""Snippets for tests/tidy --self-test: BREAKS must each be found, CLEAN must each pass."""

UNIT, HEADER = "src/http/x.cpp", "include/fnkit/http/x.hpp"
TEST = "tests/unit/http/x_test.cpp"


def unit(text):
    return f"Task<void> f() {{\n  {text}\n}}\n"


def function(lines):
    return "int f(int a) {\n" + "  ++a;\n" * (lines - 2) + "}\n"


# (name, path, text, part of the expected sentence)
BREAKS = (
    ("a room uses one above", UNIT, '#include "fnkit/pipeline/plan.hpp"\n',
     "http may not use pipeline"),
    ("a room uses one beside", "src/store/x.cpp", '#include "fnkit/ring/ring.hpp"\n',
     "store may not use ring"),
    ("base uses anything", "include/fnkit/base/x.hpp",
     '#pragma once\n// a\n#include "fnkit/coro/task.hpp"\n', "base may not use coro; it may use"),
    ("an unknown room", UNIT, '#include "fnkit/tls/x.hpp"\n', "names no room"),
    ("another room's private header", UNIT, '#include "net/socket.hpp"\n', "private to net"),
    ("a private header in a public one", HEADER, '#pragma once\n// a\n#include "http/x.hpp"\n',
     "public header includes the private"),
    ("a climbing include", UNIT, '#include "../net/x.hpp"\n', "climbs out"),
    ("ours in angles", UNIT, "#include <fnkit/http/x.hpp>\n", "in quotes"),
    ("a file in no room", "src/tls/x.cpp", "int a;\n", "in no room"),
    ("a file beside the rooms", "src/x.cpp", "int a;\n", "in no room"),
    ("liburing outside ring", "src/net/x.cpp", "#include <liburing.h>\n", "only ring may see"),
    ("coroutine machinery outside coro", UNIT, "#include <coroutine>\n", "only coro and ring"),
    ("sockets outside net", UNIT, "#include <sys/socket.h>\n", "only ring and net"),
    ("more sockets outside net", UNIT, "#include <netinet/tcp.h>\n", "only ring and net"),
    ("c-ares outside net", UNIT, "#include <ares.h>\n", "only net"),
    ("llhttp outside http", "src/net/x.cpp", "#include <llhttp.h>\n", "only http"),
    ("hiredis outside valkey", UNIT, "#include <hiredis/hiredis.h>\n", "only valkey"),
    ("simdjson outside json", UNIT, "#include <simdjson.h>\n", "only json"),
    ("threads outside server", UNIT, "#include <thread>\n", "only server and cli"),
    ("signals outside server", UNIT, "#include <csignal>\n", "only server and cli"),
    ("a mutex where one thread runs", UNIT, "#include <mutex>\n", "only observe and server and cli"),
    ("spdlog outside observe", "src/server/x.cpp", "#include <spdlog/spdlog.h>\n", "only observe"),
    ("prometheus outside observe", "src/server/x.cpp", "#include <prometheus/registry.h>\n",
     "only observe"),
    ("CLI11 outside cli", "src/server/x.cpp", "#include <CLI/CLI.hpp>\n", "only cli"),
    ("a header without a guard", HEADER, "// a\nstruct A {};\n", "#pragma once"),
    ("a header without a contract", HEADER, "#pragma once\nstruct A {\n  int b;  // c\n};\n",
     "no contract"),
    ("a contract after the type", HEADER, "#pragma once\nclass B;\nstruct A {};\n// a\n",
     "no contract"),
    ("a file too long", TEST, "int a;\n" * 400, "400 lines"),
    ("a Python file too long", "tests/integration/x.py", "a = 1\n" * 400, "400 lines"),
    ("a line too long", UNIT, "// " + "é" * 98 + "\n", "101 columns"),
    ("a function too long", UNIT, function(81), "function of 81 lines"),
    ("a member too long", HEADER,
     "#pragma once\n// a\nnamespace a {\nclass A : public B<int> {\n public:\n"
     "  explicit A(int b) : b_{b}, c_(b) {\n" + "    ++b;\n" * 80 + "  }\n};\n}\n", "function of 82"),
    ("a test too long", TEST, 'TEST(A, b) {\n  const char* c = "{";\n' + "  f('}');\n" * 80 + "}\n",
     "function of 83"),
    ("sleeping in C++", TEST, unit("std::this_thread::sleep_for(1s);"), "wait for a condition"),
    ("usleep", UNIT, unit("usleep(3);"), "wait for a condition"),
    ("sleeping in Python", "tests/integration/x.py", "time.sleep(1)\n", "wait for a condition"),
    ("regex", UNIT, "std::regex a;\n", "hand parse"),
    ("endl", UNIT, unit("out << std::endl;"), "write '\\n'"),
    ("using namespace std", UNIT, "using namespace std;\n", "std::"),
    ("assert", UNIT, unit("assert(a);"), "REQUIRE or INVARIANT"),
    ("work left over", UNIT, "// TODO: more\n", "open an issue"),
    ("a std::function", UNIT, "std::function<void()> f;\n", "template parameter"),
    ("a lenient parser", UNIT, unit("llhttp_set_lenient_headers(&p, 1);"), "strict"),
    ("iostream", UNIT, "#include <iostream>\n", "log"),
    ("two awaits on a line", UNIT, unit("co_await a; co_await b;"), "more than one co_await"),
    ("an await in ?:", UNIT, unit("auto a = b ? co_await c : d;"), "?:"),
    ("an await before ?:", UNIT, unit("auto a = co_await c ? 1 : 2;"), "?:"),
    ("an await in if", UNIT, unit("if (co_await a) b();"), "inside a condition"),
    ("an await in an if's declaration", UNIT, unit("if (auto a = co_await b; a) {}"), "condition"),
    ("an await in while", UNIT, unit("while (!(co_await a).ok()) {\n  }"), "condition"),
    ("an await as an argument", UNIT, unit("f(1, co_await a);"), "arguments"),
    ("an await as an operand", UNIT, unit("auto a = !co_await b;"), "inside an expression"),
    ("an await added", UNIT, unit("a += co_await b;"), "inside an expression"),
    ("an await discarded by cast", UNIT, unit("(void)co_await b;"), "inside an expression"),
    ("a braced temporary", UNIT, unit("co_await send(Bytes{1});"), "braced temporary"),
    ("an await in braces", UNIT, unit("auto a = B{co_await c};"), "braced"),
    ("a binding from an await", UNIT, unit("auto [a, b] = co_await c;"), "structured binding"),
    ("a lambda coroutine", UNIT, unit("auto f = [&](int a) -> Task<void> {\n    co_await b;\n  };"),
     "lambda is a coroutine"),
    ("a bare lambda coroutine", TEST, unit("run([] { co_return; });"), "lambda is a coroutine"),
)

SERVE = """#include "http/server_connection.hpp"

#include <array>

#include "fnkit/base/result.hpp"
#include "fnkit/net/stream.hpp"
#include "local.hpp"
// #include <thread>

namespace fnkit {
Task<void> ServerConnection::serve() {
  while (!drain_.requested()) {
    Result<Request> request = co_await read_request();  // co_await in words; a ? b : c
    if (!request) break;
    if (late) co_await stop();
    switch (kind) {
      case Kind::kA: co_await a(); break;
      default: b_[1] = co_await b("{", '}', 1'000);
    }
    const auto name = std::ranges::find_if(all, [&](int x) { return x > 1 ? true : false; });
    head_.body = co_await write_response(response, (1 + 2));
  }
  co_return co_await finish();
}
auto operator co_await(Event& e) noexcept { return Awaiter{e}; }
static_assert(sizeof(int) == 4);
}
"""
CONTRACT = """#pragma once

#include <cstdint>

namespace fnkit {
class Stream;
// Owns its bytes. One thread.
struct Message {
  std::uint32_t size;
};
}
"""
# (name, path, text)
CLEAN = (
    ("a plain coroutine", UNIT, SERVE),
    ("a public header", HEADER, CONTRACT),
    ("a header of functions", HEADER, "#pragma once\n// Sums. Never fails.\nint f(int a);\n"),
    ("main sees all", "src/main.cpp", '#include "fnkit/cli/run.hpp"\n#include <csignal>\n'),
    ("a long function within the limit", UNIT, function(60)),
    ("many short functions", UNIT, function(30) * 4 + "struct A {\n" + function(30) * 4 + "};\n"),
    ("a long class", HEADER,
     "#pragma once\n// a\nclass A final {\n" + "  int f() const;\n" * 99 + "};\n"),
    ("a long table", UNIT, "constexpr std::array<int, 99> a = {\n" + "    1,\n" * 99 + "};\n"),
    ("iostream in cli", "src/cli/x.cpp", "#include <iostream>\n"),
    ("threads in server", "src/server/x.cpp", "#include <thread>\n"),
    ("asserting in a test's helper", TEST, unit("my_assert(a);")),
    ("sleeping in prose", UNIT, "// usleep would hide it\n"),
)

# (name, README.md beside a src/a.cpp that has `known`, part of the expected sentence; "" where it is clean)
ROOM = "| `base` | what it is | |\n"
DOCUMENTS = (
    ("a link to nowhere", ROOM + "[x](none.md)\n", "links to none.md, which is not there"),
    ("a link to no heading", ROOM + "# A\n[x](#b)\n", "no such heading"),
    ("a file that is not there", ROOM + "`src/b.cpp`\n", "names the file `src/b.cpp`"),
    ("a name that is not in its file", ROOM + "| x | `src/a.cpp` `other` |\n", "says that `other` is in src/a.cpp"),
    ("a room without a row", "# A\n", "has no row for the room base"),
    ("a room that may use more than it may", "| `base` | what | coro |\n", "says that base may use 'coro'"),
    ("a true document", ROOM + "# A b\n[x](#a-b), [y](https://e.test/)\n| x | `src/a.cpp` `known` |\n", ""),
)
