"""CONTRACT section 3: what a step receives, and nothing else."""

import re
import socket
import tempfile

from support import answers
from support.case import Case, ServedCase
from support.cases import expand, rows
from support.client import chunked
from support.function import Function
from support.store import config
from support.waiting import elapsed_since, now

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")

WITH_BODY = {"host", "content-type", "accept", "content-length", "x-request-id", "traceparent"}
# Section 5 counts orchestrators that are steps by our own Via; it is not the caller's.
ALSO_OURS = {"via"}

CALLERS_OWN = [
    ("Authorization", "Bearer secret"), ("Cookie", "a=b"), ("User-Agent", "curl/8"), ("Accept", "text/html"),
    ("Accept-Encoding", "gzip"), ("X-Forwarded-For", "1.2.3.4"), ("X-Tenant", "t"), ("Connection", "x-hop"),
    ("X-Hop", "1"), ("TE", "trailers"), ("Keep-Alive", "timeout=9"), ("Proxy-Authorization", "Basic eA=="),
    ("Forwarded", "for=1.2.3.4"), ("Origin", "http://x"), ("Referer", "http://x"), ("Range", "bytes=0-1"),
    ("If-None-Match", '"x"'), ("Content-Language", "en"), ("Upgrade", "h2c"), ("Via", "1.1 x"),
]


class Headers(ServedCase):
    def names(self, step="a"):
        return set(self.fn[step].only_request().names()) - ALSO_OURS

    def test_with_a_body_exactly_these(self):
        self.post("/orchestrate/one", b"{}", CALLERS_OWN[:-1])
        self.assertEqual(self.names(), WITH_BODY)
        request = self.fn["a"].only_request()
        self.assertEqual(len(set(request.names())), len(request.names()), "a header line twice")

    def test_without_a_body_exactly_these(self):
        # RFC 9110 8.6: content-length: 0 may be there or not where no body is expected.
        self.call("/orchestrate/one", headers=CALLERS_OWN[:-1])
        self.assertEqual(self.names() | {"content-length"}, WITH_BODY)
        self.assertIn(self.fn["a"].only_request().header("content-length"), (None, "0"))

    def test_every_step_of_both_modes(self):
        for target in ("/orchestrate/three", "/orchestrate/all"):
            self.setUp()
            self.post(target, b"{}", CALLERS_OWN[:-1])
            for step in ("a", "b", "c"):
                self.assertEqual(self.names(step), WITH_BODY, f"{target} {step}")

    def test_the_callers_via_is_not_forwarded(self):
        self.post("/orchestrate/one", b"{}", [("Via", "1.1 somebody-else")])
        self.assertNotIn("somebody-else", self.fn["a"].only_request().header("via") or "")

    def test_values(self):
        self.post("/orchestrate/one", b"{}", [("X-Request-Id", "id-1")])
        request = self.fn["a"].only_request()
        self.assertEqual(request.header("host"), "a:8080")
        self.assertEqual(request.header("accept"), "application/json")
        self.assertEqual(request.header("content-length"), "2")
        self.assertEqual(request.header("x-request-id"), "id-1")
        self.assertRegex(request.header("traceparent"), TRACEPARENT)

    def test_hosts_of_the_steps(self):
        self.post("/orchestrate/three")
        hosts = [self.fn[step].only_request().header("host") for step in ("a", "b", "c")]
        self.assertEqual(hosts, ["a:8080", "b:8080", "c:8080"])

    def test_a_chunked_body_is_sent_with_content_length(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
        caller.send(chunked(b"abc", b"de"))
        self.assertEqual(caller.answer().status, 200)
        self.assertEqual(self.fn["a"].only_request().header("content-length"), "5")


class ForwardedHeaders(ServedCase):
    arguments = ("--forward-header", "X-Tenant", "--forward-header", "accept-language")

    def test_named_ones_go_to_every_step_and_no_other(self):
        headers = [("x-tenant", "Acme, Inc"), ("Accept-Language", "de"), ("X-Tenant2", "no")]
        for target in ("/orchestrate/three", "/orchestrate/all"):
            self.setUp()
            self.post(target, b"{}", headers)
            for step in ("a", "b", "c"):
                request = self.fn[step].only_request()
                self.assertEqual(request.header("x-tenant"), "Acme, Inc")
                self.assertEqual(request.header("accept-language"), "de")
                self.assertEqual(set(request.names()) - ALSO_OURS, WITH_BODY | {"x-tenant", "accept-language"})

    def test_absent_ones_are_not_made_up(self):
        self.post("/orchestrate/one")
        self.assertEqual(set(self.fn["a"].only_request().names()) - ALSO_OURS, WITH_BODY)


class ForwardedAuthorization(Case):
    def test_authorization_goes_on_only_when_named(self):
        # "Authorization never goes on by itself": naming it is asking for it.
        made = self.function("a")
        program = self.start(
            self.directory({"one": config("a")}).url,
            "--forward-header", "Authorization", resolve={"a": made.address},
        )
        program.call("GET", "/orchestrate/one", [("Authorization", "Bearer x")])
        self.assertEqual(made.only_request().header("authorization"), "Bearer x")


@expand
class Methods(ServedCase):
    """The caller's method, but POST where there is a body to send."""

    @rows({method: method for method in ("GET", "DELETE", "OPTIONS", "PUT", "PATCH", "POST", "HEAD")})
    def test_without_a_body_it_is_the_callers(self, method):
        self.assertEqual(self.call("/orchestrate/one", method).status, 200)
        self.assertEqual(self.fn["a"].only_request().method, method)

    @rows({method: method for method in ("GET", "DELETE", "OPTIONS", "PUT", "PATCH", "POST")})
    def test_with_a_body_it_is_post(self, method):
        self.assertEqual(self.call("/orchestrate/one", method, body=b"x").status, 200)
        request = self.fn["a"].only_request()
        self.assertEqual((request.method, request.body), ("POST", b"x"))

    def test_a_later_step_gets_post_for_the_output_before_it(self):
        self.call("/orchestrate/two", "DELETE")
        self.assertEqual(self.fn["a"].only_request().method, "DELETE")
        self.assertEqual(self.fn["b"].only_request().method, "POST")

    def test_a_later_step_without_input_gets_the_callers(self):
        self.fn["a"].script = answers.reply(204)
        self.call("/orchestrate/two", "DELETE", body=b"x")
        self.assertEqual(self.fn["a"].only_request().method, "POST")
        self.assertEqual(self.fn["b"].only_request().method, "DELETE")

    def test_parallel_steps(self):
        self.call("/orchestrate/all", "PUT")
        self.call("/orchestrate/both", "PUT", body=b"x")
        self.assertEqual([r.method for r in self.fn["a"].requests], ["PUT", "POST"])
        self.assertEqual([r.method for r in self.fn["b"].requests], ["PUT", "POST"])


class ContentTypes(ServedCase):
    """The previous output's; for the first step the caller's, else application/json."""

    def types(self, *steps):
        return [self.fn[step].only_request().header("content-type") for step in steps]

    def test_the_callers_goes_to_the_first_step(self):
        for value in ("text/csv", "application/json; charset=utf-8", "multipart/form-data; boundary=x"):
            self.setUp()
            self.post("/orchestrate/one", b"x", [("Content-Type", value)])
            self.assertEqual(self.types("a"), [value])

    def test_without_one_it_is_json(self):
        self.post("/orchestrate/one", b"x")
        self.assertEqual(self.types("a"), ["application/json"])

    def test_the_chain(self):
        self.fn["a"].script = answers.reply(200, "a", "text/x-a")
        self.fn["b"].script = answers.reply(200, "b", "text/x-b; q=1")
        self.fn["c"].script = answers.reply(200, "c", "text/x-c")
        answer = self.post("/orchestrate/three", b"x", [("Content-Type", "text/x-caller")])
        self.assertEqual(self.types("a", "b", "c"), ["text/x-caller", "text/x-a", "text/x-b; q=1"])
        self.assertEqual(answer.header("content-type"), "text/x-c")

    def test_parallel_steps_all_get_the_callers(self):
        self.post("/orchestrate/all", b"x", [("Content-Type", "text/csv")])
        self.assertEqual(self.types("a", "b", "c"), ["text/csv"] * 3)

    def test_parallel_steps_without_one_get_json(self):
        self.post("/orchestrate/all", b"x")
        self.assertEqual(self.types("a", "b", "c"), ["application/json"] * 3)


@expand
class Traces(ServedCase):
    """W3C trace context: continued from the caller's, a new parent for each call."""

    def traces(self, *steps):
        found = []
        for step in steps:
            value = self.fn[step].only_request().header("traceparent")
            match = TRACEPARENT.fullmatch(value or "")
            self.assertTrue(match, f"traceparent {value!r}")
            self.assertNotEqual(match[1], "0" * 32)
            self.assertNotEqual(match[2], "0" * 16)
            found.append(match.groups())
        return found

    def test_a_new_trace_where_the_caller_has_none(self):
        self.post("/orchestrate/three")
        found = self.traces("a", "b", "c")
        self.assertEqual(len({trace for trace, _, _ in found}), 1, "one trace for one request")
        self.assertEqual(len({parent for _, parent, _ in found}), 3, "a parent id of its own a call")
        self.assertIsNone(self.fn["a"].only_request().header("tracestate"))

    def test_two_requests_are_two_traces(self):
        self.post("/orchestrate/one")
        first = self.traces("a")
        self.setUp()
        self.post("/orchestrate/one")
        self.assertNotEqual(first[0][0], self.traces("a")[0][0])

    @rows({"sequential": "three", "parallel": "all"})
    def test_the_callers_is_continued(self, name):
        for flags in ("01", "00"):
            self.setUp()
            headers = [("traceparent", f"00-{TRACE_ID}-{PARENT}-{flags}"), ("tracestate", "a=1,b=2")]
            self.post(f"/orchestrate/{name}", b"{}", headers)
            parents = set()
            for step, (trace, parent, told) in zip("abc", self.traces("a", "b", "c")):
                self.assertEqual((trace, told), (TRACE_ID, flags))
                self.assertNotEqual(parent, PARENT)
                parents.add(parent)
                self.assertEqual(self.fn[step].only_request().header("tracestate"), "a=1,b=2")
            self.assertEqual(len(parents), 3)

    @rows({
        "zero trace id": f"00-{'0' * 32}-{PARENT}-01",
        "zero parent id": f"00-{TRACE_ID}-{'0' * 16}-01",
        "version ff": f"ff-{TRACE_ID}-{PARENT}-01",
        "upper case": f"00-{TRACE_ID.upper()}-{PARENT}-01",
        "short": f"00-{TRACE_ID[:-1]}-{PARENT}-01",
        "long version 00": f"00-{TRACE_ID}-{PARENT}-01-x",
        "no hex": f"00-{'g' * 32}-{PARENT}-01",
        "empty": "",
        "text": "hello",
    })
    def test_an_invalid_one_begins_a_new_trace(self, value):
        self.post("/orchestrate/one", b"{}", [("traceparent", value), ("tracestate", "a=1")])
        trace = self.traces("a")[0][0]
        self.assertNotEqual(trace, TRACE_ID)
        self.assertIsNone(self.fn["a"].only_request().header("tracestate"), "a state of another trace")

    def test_two_lines_begin_a_new_trace(self):
        value = f"00-{TRACE_ID}-{PARENT}-01"
        self.post("/orchestrate/one", b"{}", [("traceparent", value)] * 2)
        self.assertNotEqual(self.traces("a")[0][0], TRACE_ID)

    def test_a_higher_version_is_read_as_far_as_it_is_known(self):
        self.post("/orchestrate/one", b"{}", [("traceparent", f"cc-{TRACE_ID}-{PARENT}-01-what-the-future")])
        self.assertEqual(self.traces("a")[0][0], TRACE_ID)


class Reuse(ServedCase):
    """Calls go over kept connections; what must not be reused is not."""

    def number_of_connections(self, count):
        for number in range(count):
            self.assertEqual(self.post("/orchestrate/one").status, 200, f"call {number}")
        return len({request.connection_id for request in self.fn["a"].requests})

    def test_two_requests_use_one_connection(self):
        self.assertEqual(self.number_of_connections(2), 1)

    def test_twenty_requests_use_one_connection(self):
        self.assertEqual(self.number_of_connections(20), 1)

    def test_chunked_answers_keep_the_connection(self):
        self.fn["a"].script = answers.chunked(b"x")
        self.assertEqual(self.number_of_connections(3), 1)

    def test_connection_close_is_obeyed(self):
        self.fn["a"].script = answers.raw(answers.whole(200, "x", headers=[("Connection", "close")]))
        self.assertEqual(self.number_of_connections(3), 3)

    def test_http_1_0_answers_are_not_reused(self):
        data = answers.head(200, [("Content-Length", "1")], "1.0") + b"x"
        self.fn["a"].script = answers.raw(data)
        self.assertEqual(self.number_of_connections(3), 3)

    def test_keep_alive_timeout_1_is_no_promise_to_rely_on(self):
        self.fn["a"].script = answers.reply(200, "x", headers=[("Keep-Alive", "timeout=1")])
        self.assertEqual(self.number_of_connections(2), 2)

    def test_an_idle_connection_is_closed_by_us_after_a_second_and_a_half(self):
        self.post("/orchestrate/one")
        start = now()
        self.fn["a"].wait_for_no_connection(6.0)
        self.assertGreater(elapsed_since(start), 0.8)


class UnixSocket(Case):
    """`--resolve step=unix:/path`: a function without an address."""

    def serve(self):
        folder = tempfile.TemporaryDirectory(prefix="fnkit-unix-")
        self.addCleanup(folder.cleanup)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{folder.name}/f.sock")
        listener.listen(64)
        made = Function("a", answers.echo(), listener=listener)
        self.addCleanup(made.close)
        return made

    def test_it_is_called_and_its_connection_kept(self):
        made = self.serve()
        program = self.start(self.directory({"one": config("a")}).url, resolve={"a": made.address})
        for body in (b"x", bytes(100_000), b"y"):
            self.assertEqual(program.call("POST", "/orchestrate/one/p", body=body).body, body)
        self.assertEqual([request.header("host") for request in made.requests], ["a:8080"] * 3)
        self.assertEqual(len(made.connections), 1)

    def test_nobody_there_is_502(self):
        address = "unix:/nonexistent/f.sock"
        program = self.start(self.directory({"one": config("a")}).url, resolve={"a": address})
        answer = program.call("POST", "/orchestrate/one")
        self.assertEqual(answer.status, 502)
        self.assertIn(address.encode(), answer.body)


class StrictRequests(ServedCase):
    def test_what_is_sent_upstream_is_read_alike_by_a_strict_reader(self):
        # Odd but legal requests of callers; tearDown complains of whatever was not good HTTP.
        for headers in ([("Content-Type", "a/b;  c=\"d\\\"e\"")], [("X-Request-Id", "~!#$%&'*+-.^_`|")]):
            self.assertEqual(self.post("/orchestrate/three", b"{}", headers).status, 200)
        with self.client() as caller:
            head = b"POST /orchestrate/one HTTP/1.1\r\nhost:t\r\ncontent-type:\tx/y \t\r\n"
            caller.send(head + b"CONTENT-LENGTH:1\r\n\r\nz")
            self.assertEqual(caller.answer().status, 200)
        self.assertEqual(self.fn["a"].requests[-1].header("content-type"), "x/y")
