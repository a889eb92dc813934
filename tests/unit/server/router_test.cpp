// Which request is for what: every row of CONTRACT section 2 that is decided before a step runs.
#include "server/router.hpp"

#include <gtest/gtest.h>

namespace fnkit {
namespace {

using server::Route;
using server::Tokens;

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    std::vector<store::Change> changes;
    for (const std::string name : {"p", "a@b", "a b", "..", "health"}) {
      Result<pipeline::Plan> plan = pipeline::compile(R"({"steps":["f"]})");
      changes.push_back(change(name, std::move(*plan), ""));
    }
    Result<pipeline::Plan> good = pipeline::compile(R"({"steps":["f"]})");
    changes.push_back(change("updated", std::move(*good), "bad"));
    changes.push_back(change("bad", std::nullopt, "\"steps\" is missing"));
    pipelines_ = store::Snapshot().with(std::move(changes));
  }

  static store::Change change(const std::string& name, std::optional<pipeline::Plan> plan,
                              const std::string& invalid) {
    store::Entry entry{name, nullptr, invalid};
    if (plan) entry.plan = std::make_shared<const pipeline::Plan>(std::move(*plan));
    return {name, std::make_shared<const store::Entry>(std::move(entry))};
  }

  // "answer: 404 {…}" or "plan p path /x query ?q".
  std::string routed(const std::string& target, const std::string& method = "POST") {
    target_ = target;
    http::Request request;
    request.method = method;
    request.target = target_;
    std::vector<http::HeaderField> headers;
    if (!authorization_.empty()) headers.push_back({"Authorization", authorization_});
    request.headers = headers;
    const store::Snapshot* pipelines = reached_ ? pipelines_.get() : nullptr;
    Route route =
        server::route(request, tokens_, pipelines,
                      {reached_, draining_, &status_, Instant(std::chrono::hours(1))}, others_);
    using To = Route::To;
    if (route.to == To::page) return "page of the control thread";
    if (route.to == To::function) {
      return "function " + std::string(route.function) + " path " + std::string(route.step_path) +
             " query " + std::string(route.step_query);
    }
    if (route.to == To::pipeline) {
      return "plan " + route.entry->name + " path " + std::string(route.step_path) + " query " +
             std::string(route.step_query);
    }
    headers_ = route.answer.extra_headers;
    content_type_ = route.answer.content_type;
    return std::to_string(route.answer.status) + " " + std::string(route.answer.body.bytes);
  }

  std::shared_ptr<const store::Snapshot> pipelines_;
  Tokens tokens_;
  bool reached_ = true;
  bool draining_ = false;
  server::Others others_ = server::Others::unknown;
  store::FollowerStatus status_;
  std::string authorization_;
  std::string target_;
  std::string headers_;
  std::string content_type_;
};

TEST_F(RouterTest, WhatIsNobodysMayBeAFunctions) {
  EXPECT_EQ(routed("/f/x?q"), R"(404 {"error":"Not found"})");
  others_ = server::Others::pass_to_functions;
  EXPECT_EQ(routed("/f"), "function f path  query ");
  EXPECT_EQ(routed("/f?q=/a/b"), "function f path  query ?q=/a/b");
  EXPECT_EQ(routed("/f-1x_y/a//b%20c/?q"), "function f-1x_y path /a//b%20c/ query ?q");
  EXPECT_EQ(routed("/orchestrate/p"), "plan p path  query ");
  EXPECT_EQ(routed("/orchestrated/p"), "function orchestrated path /p query ");
  EXPECT_EQ(routed("/metrics", "GET"), "page of the control thread");
  for (const char* nobody : {"//f", "*", "/f.example/", "/.f", "/127.0.0.1/", "/f%20/", "/f:80/"}) {
    EXPECT_EQ(routed(nobody), R"(404 {"error":"Not found"})") << nobody;
  }
  EXPECT_EQ(routed("/f/a/../b"), R"(400 {"error":"The path must not contain '..'"})");
  tokens_ = Tokens({"secret"});
  EXPECT_EQ(routed("/f/x"), R"(401 {"error":"Unauthorized - Invalid or missing Bearer token"})");
}

TEST_F(RouterTest, SuffixAndQueryGoToTheSteps) {
  EXPECT_EQ(routed("/orchestrate/p"), "plan p path  query ");
  EXPECT_EQ(routed("/orchestrate/p/"), "plan p path / query ");
  EXPECT_EQ(routed("/orchestrate/p/x/y?q=1"), "plan p path /x/y query ?q=1");
  EXPECT_EQ(routed("/orchestrate/p?q=a/b?c"), "plan p path  query ?q=a/b?c");
  EXPECT_EQ(routed("/orchestrate/p/x%20y//z;a=%2f?"), "plan p path /x%20y//z;a=%2f query ?");
  EXPECT_EQ(routed("/orchestrate/p?q=/../x"), "plan p path  query ?q=/../x");
  for (const char* method : {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    EXPECT_EQ(routed("/orchestrate/p", method), "plan p path  query ");
  }
}

TEST_F(RouterTest, NoNameIsSaid) {
  for (const char* target : {"/orchestrate", "/orchestrate/", "/orchestrate//x", "/orchestrate?a",
                             "/orchestrate/?a=/p"}) {
    EXPECT_EQ(routed(target), R"(400 {"error":"Pipeline name missing"})") << target;
    EXPECT_EQ(content_type_, "application/json");
  }
}

TEST_F(RouterTest, OtherPathsAreNotFound) {
  for (const char* target : {"/orchestratep", "/orchestrated/p", "/Orchestrate/p", "/x", "//",
                             "/healthz", "/health/", "*", "//orchestrate/p"}) {
    EXPECT_EQ(routed(target), R"(404 {"error":"Not found"})") << target;
    EXPECT_EQ(content_type_, "application/json");
  }
}

TEST_F(RouterTest, AnUnknownPipelineIsNamed) {
  EXPECT_EQ(routed("/orchestrate/q/x"), R"(404 {"error":"Pipeline not found: q"})");
  EXPECT_EQ(routed("/orchestrate/q%22%0a"), R"(404 {"error":"Pipeline not found: q\"\n"})");
  EXPECT_EQ(routed("/orchestrate/P"), R"(404 {"error":"Pipeline not found: P"})");
}

TEST_F(RouterTest, NamesMayBePercentEncoded) {
  EXPECT_EQ(routed("/orchestrate/%70"), "plan p path  query ");
  EXPECT_EQ(routed("/orchestrate/a@b"), "plan a@b path  query ");
  EXPECT_EQ(routed("/orchestrate/a%40b/%70"), "plan a@b path /%70 query ");
  EXPECT_EQ(routed("/orchestrate/p%2Fx"), R"(404 {"error":"Pipeline not found: p/x"})");
  EXPECT_EQ(routed("/orchestrate/p%"), R"(404 {"error":"Pipeline not found: p%"})");
  EXPECT_EQ(routed("/orchestrate/p%7"), R"(404 {"error":"Pipeline not found: p%7"})");
  EXPECT_EQ(routed("/orchestrate/%zz"), R"(404 {"error":"Pipeline not found: %zz"})");
  EXPECT_EQ(routed("/orchestrate/%2570"), R"(404 {"error":"Pipeline not found: %70"})");
}

// HTTP.md 6.3: '..' segments are refused, however they are written.
TEST_F(RouterTest, NoPathLeadsOutOfAFunctionsOwn) {
  for (const char* suffix : {"/..", "/../x", "/x/../y", "/x/..", "/%2e%2e/x", "/.%2E", "/%2e./x",
                             "/x%2f..%2fy", "/x%2F%2e%2e"}) {
    EXPECT_EQ(routed("/orchestrate/p" + std::string(suffix)).substr(0, 4), "400 ") << suffix;
  }
  for (const char* suffix : {"/...", "/..x", "/x..", "/.", "/%00%0d%0a", "/%252e%252e"}) {
    EXPECT_EQ(routed("/orchestrate/p" + std::string(suffix)).substr(0, 5), "plan ") << suffix;
  }
}

TEST_F(RouterTest, AnInvalidPipelineSaysWhyUnlessAGoodOneWasBefore) {
  EXPECT_EQ(routed("/orchestrate/bad"),
            R"(500 {"error":"Pipeline config invalid: bad","detail":"\"steps\" is missing"})");
  EXPECT_EQ(routed("/orchestrate/updated"), "plan updated path  query ");
}

TEST_F(RouterTest, WithoutAStoreYetItIsUnavailable) {
  reached_ = false;
  EXPECT_EQ(routed("/orchestrate/p"), R"(503 {"error":"Pipeline store unavailable"})");
  EXPECT_TRUE(headers_.starts_with("retry-after: ")) << headers_;
  EXPECT_EQ(routed("/orchestrate/"), R"(400 {"error":"Pipeline name missing"})");
  EXPECT_EQ(routed("/readyz", "GET").substr(0, 4), "503 ");
  EXPECT_EQ(routed("/livez", "GET"), "200 OK");
}

TEST_F(RouterTest, WhereATokenIsSetItIsAskedForBeforeAnythingIsTold) {
  tokens_ = Tokens({"secret"});
  const std::string refused = R"(401 {"error":"Unauthorized - Invalid or missing Bearer token"})";
  for (const char* target : {"/orchestrate/p", "/orchestrate/q", "/orchestrate/",
                             "/orchestrate/bad", "/nowhere", "/metrics", "/observe/status"}) {
    authorization_ = "";
    EXPECT_EQ(routed(target), refused) << target;
    EXPECT_EQ(headers_, "www-authenticate: Bearer\r\n");
    authorization_ = "Bearer Secret";
    EXPECT_EQ(routed(target), refused) << target;
  }
  authorization_ = "bearer secret";
  EXPECT_EQ(routed("/orchestrate/p"), "plan p path  query ");
  EXPECT_EQ(routed("/nowhere"), R"(404 {"error":"Not found"})");
}

TEST_F(RouterTest, HealthAsksForNoToken) {
  tokens_ = Tokens({"secret"});
  EXPECT_EQ(routed("/health", "GET"), "200 OK");
  EXPECT_EQ(content_type_, "text/plain");
  EXPECT_EQ(routed("/livez?x=1", "HEAD"), "200 OK");
  EXPECT_EQ(routed("/readyz", "GET"), "200 OK");
  EXPECT_EQ(routed("/", "GET"),
            R"(200 {"service":"fnkit-orchestrator","version":")" FNKIT_VERSION R"("})");
  EXPECT_EQ(content_type_, "application/json");
  EXPECT_EQ(routed("/health", "POST").substr(0, 4), "405 ");
  EXPECT_EQ(headers_, "allow: GET, HEAD, OPTIONS\r\n");  // RFC 9110 section 15.5.6
  EXPECT_EQ(routed("/health", "OPTIONS"), "204 ");
  draining_ = true;
  EXPECT_EQ(routed("/readyz", "GET").substr(0, 4), "503 ");
  EXPECT_EQ(routed("/livez", "GET"), "200 OK");
}

TEST_F(RouterTest, ReadinessInWords) {
  reached_ = false;
  status_.trouble = "it does not answer";
  EXPECT_EQ(routed("/readyz?verbose", "GET"),
            "503 [+]server: serving\n"
            "[-]store: it does not answer\n"
            "[-]last full comparison: never\n"
            "[+]pipelines: 0, invalid 0\n"
            "not ready\n");
  reached_ = true;
  draining_ = true;
  status_ = {
      .loaded = true, .connected = true, .changes_by = "tracking", .pipelines = 3, .invalid = 2};
  status_.compared_at = Instant(std::chrono::milliseconds(3'600'000 - 1234));
  status_.some_invalid = {{"a", "\"steps\" is missing"}, {"b", "two\nlines"}};
  EXPECT_EQ(routed("/readyz?x=1&verbose=1", "GET"),
            "503 [-]server: draining\n"
            "[+]store: changes by tracking\n"
            "[+]last full comparison: 1.2 s ago\n"
            "[-]pipelines: 3, invalid 2\n"
            "[-]pipeline a: \"steps\" is missing\n"
            "[-]pipeline b: two lines\n"
            "not ready\n");
  draining_ = false;
  EXPECT_EQ(routed("/readyz?x=verbose", "GET"), "200 OK");
}

// What is stored is for those who may call.
TEST_F(RouterTest, ReadinessInWordsAsksForTheToken) {
  tokens_ = Tokens({"secret"});
  EXPECT_EQ(routed("/readyz?verbose", "GET"), "200 OK");
  authorization_ = "Bearer secret";
  EXPECT_EQ(routed("/readyz?verbose", "GET").substr(0, 13), "200 [+]server");
}

TEST_F(RouterTest, WhatIsObservedIsAskedForByGetAndWithTheToken) {
  for (const char* path : {"/metrics", "/observe", "/observe/", "/observe/traces?count=3"}) {
    EXPECT_EQ(routed(path, "GET"), "page of the control thread") << path;
    EXPECT_EQ(routed(path, "HEAD"), "page of the control thread") << path;
    EXPECT_EQ(routed(path).substr(0, 3), "405") << path;
  }
  for (const char* path : {"/metrics/", "/observed", "/metricsx"}) {
    EXPECT_EQ(routed(path, "GET").substr(0, 3), "404") << path;
  }
  tokens_ = server::Tokens({"secret"});
  EXPECT_EQ(routed("/metrics", "GET").substr(0, 3), "401");
  EXPECT_EQ(routed("/observe/", "GET").substr(0, 3), "401");
  authorization_ = "Bearer secret";
  EXPECT_EQ(routed("/metrics", "GET"), "page of the control thread");
}

}  // namespace
}  // namespace fnkit
