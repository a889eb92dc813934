"""CONTRACT section 2 on the wire: HTTP/1.0, HEAD, chunks, Expect, pipelining, what is malformed."""

import json
import os

from support import answers, wire
from support.case import ServedCase, pipelines_of
from support.cases import expand, rows
from support.client import Client, chunked, request_bytes

MIB = 1024 * 1024


class Bodies(ServedCase):
    def setUp(self):
        super().setUp()
        self.fn["a"].script = answers.echo()

    def test_5_mib_both_ways_by_content_length(self):
        body = os.urandom(5 * MIB)
        answer = self.post("/orchestrate/one", body)
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.body == body, "the body came back changed")

    def test_5_mib_both_ways_in_chunks(self):
        body = os.urandom(5 * MIB)
        pieces = [body[at : at + 70001] for at in range(0, len(body), 70001)]
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
        caller.send(chunked(*pieces))
        self.assertTrue(caller.answer().body == body, "the body came back changed")
        request = self.fn["a"].only_request()
        self.assertEqual(request.header("content-length"), str(len(body)))

    def test_5_mib_answers_through_two_steps(self):
        body = os.urandom(5 * MIB)
        self.fn["a"].script = answers.reply(200, body)
        self.fn["b"].script = answers.echo()
        self.assertTrue(self.call("/orchestrate/two").body == body, "the body came back changed")

    def test_binary_bodies_pass_byte_for_byte(self):
        body = bytes(range(256)) * 8 + b"\r\n\r\n0\r\n\r\n\x00"
        self.assertEqual(self.post("/orchestrate/one", body).body, body)
        self.assertEqual(self.fn["a"].only_request().body, body)

    def test_chunked_callers(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
        caller.send(b"5;ext=1\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n")
        self.assertEqual(caller.answer().body, b"hello 0123456789")
        self.assertEqual(self.fn["a"].only_request().body, b"hello 0123456789")
        caller.expect_quiet_and_open()

    def test_trailers_are_not_headers(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
        caller.send(b"1\r\nx\r\n0\r\nX-Request-Id: trailer\r\n\r\n")
        answer = caller.answer()
        self.assertNotEqual(answer.header("x-request-id"), "trailer")

    def test_a_request_sent_byte_by_byte(self):
        caller = self.client()
        for byte in request_bytes("POST", "/orchestrate/one/x", [("A", "b")], b"slow body"):
            caller.send(bytes([byte]))
        self.assertEqual(caller.answer().body, b"slow body")
        caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
        for byte in chunked(b"ab", b"c"):
            caller.send(bytes([byte]))
        self.assertEqual(caller.answer().body, b"abc")

    def test_an_empty_chunked_body(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
        caller.send(b"0\r\n\r\n")
        answer = caller.answer()
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_a_body_cut_short_calls_no_function(self):
        for head in ([("Content-Length", "10")], [("Transfer-Encoding", "chunked")]):
            with Client(self.address) as caller:
                caller.send_request("POST", "/orchestrate/one", head)
                caller.send(b"5\r\nhello")
                caller.finish_sending()
                try:
                    self.assertEqual(caller.answer().status, 400)
                except wire.Closed:
                    pass  # as well: nobody is left to be told
                caller.expect_closed()
        self.assertEqual(self.fn["a"].requests, [])


class Connections(ServedCase):
    def test_keep_alive_is_the_default_of_1_1(self):
        caller = self.client()
        for number in range(10):
            answer = caller.call("POST", f"/orchestrate/one/{number}", body=b"{}")
            self.assertFalse(answer.says_close)
        self.assertEqual([r.target for r in self.fn["a"].requests], [f"/{n}" for n in range(10)])

    def test_connection_close_of_the_caller(self):
        caller = self.client()
        answer = caller.call("GET", "/orchestrate/one", [("Connection", "close")])
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.says_close)
        caller.expect_closed()

    def test_nothing_is_read_after_connection_close(self):
        caller = self.client()
        first = request_bytes("GET", "/orchestrate/one", [("Connection", "close")])
        caller.send(first + request_bytes("GET", "/orchestrate/one"))
        self.assertEqual(caller.answer().status, 200)
        caller.expect_closed()
        self.fn["a"].only_request()

    def test_http_1_0_is_answered_and_closed(self):
        for target in ("/orchestrate/one", "/livez", "/orchestrate/nobody"):
            caller = self.client()
            answer = caller.call("GET", target, version="1.0", host=None)
            self.assertIn(answer.status, (200, 404))
            self.assertIsNone(answer.header("transfer-encoding"), "chunks to a 1.0 caller")
            caller.expect_closed()

    def test_http_1_0_with_a_body(self):
        self.fn["a"].script = answers.echo()
        answer = self.post("/orchestrate/one", b"old but good", version="1.0")
        self.assertEqual(answer.body, b"old but good")

    def test_http_1_0_keep_alive_is_told_apart(self):
        # It may be granted (then the answer says so) or not (then the connection ends).
        caller = self.client()
        answer = caller.call("GET", "/livez", [("Connection", "keep-alive")], version="1.0")
        if "keep-alive" in (answer.header("connection") or "").lower():
            self.assertIsNotNone(answer.header("content-length"))
            caller.expect_quiet_and_open()
        else:
            caller.expect_closed()

    def test_http_1_0_never_gets_an_interim_answer(self):
        # RFC 9110 10.1.1, 15.2
        caller = self.client()
        headers = [("Expect", "100-continue"), ("Content-Length", "2")]
        caller.send_request("POST", "/orchestrate/one", headers, version="1.0")
        caller.send(b"{}")
        self.assertEqual(caller.answer().interim, [])

    def test_upgrade_is_ignored(self):
        caller = self.client()
        headers = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
        answer = caller.call("GET", "/orchestrate/one", headers)
        self.assertEqual((answer.status, answer.interim), (200, []))
        caller.expect_quiet_and_open()

    def test_a_half_closed_caller_of_a_health_page_is_answered(self):
        caller = self.client()
        caller.send_request("GET", "/livez")
        caller.finish_sending()
        self.assertEqual(caller.answer().body, b"OK")
        caller.expect_closed()


class Head(ServedCase):
    def test_head_gets_no_body_and_the_step_is_asked_with_head(self):
        caller = self.client()
        answer = caller.call("HEAD", "/orchestrate/one")
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.fn["a"].only_request().method, "HEAD")
        caller.expect_quiet_and_open()

    def test_head_of_errors_has_no_body(self):
        caller = self.client()
        for target, status in (("/orchestrate/nobody", 404), ("/orchestrate/", 400), ("/nope", 404)):
            self.assertEqual(caller.call("HEAD", target).status, status)
            caller.expect_quiet_and_open()

    def test_head_of_a_parallel_pipeline(self):
        caller = self.client()
        self.assertEqual(caller.call("HEAD", "/orchestrate/all").status, 200)
        caller.expect_quiet_and_open()

    def test_head_where_a_step_fails(self):
        self.fn["a"].script = answers.text("no", 404)
        caller = self.client()
        self.assertEqual(caller.call("HEAD", "/orchestrate/one").status, 404)
        caller.expect_quiet_and_open()


class Expect(ServedCase):
    EXPECT = [("Expect", "100-continue"), ("Content-Length", "5")]

    def test_100_continue_comes_before_the_body_is_sent(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", self.EXPECT)
        self.assertEqual(caller.interim(), 100)
        caller.send(b"hello")
        self.assertEqual(caller.answer().status, 200)
        self.assertEqual(self.fn["a"].only_request().body, b"hello")
        self.assertIsNone(self.fn["a"].only_request().header("expect"))
        caller.expect_quiet_and_open()

    def test_no_100_where_the_body_is_there_already(self):
        caller = self.client()
        caller.send(request_bytes("POST", "/orchestrate/one", [("Expect", "100-continue")], b"hello"))
        answer = caller.answer()
        self.assertEqual((answer.status, answer.interim), (200, []))

    def test_100_for_a_chunked_body(self):
        caller = self.client()
        headers = [("Expect", "100-Continue"), ("Transfer-Encoding", "chunked")]
        caller.send_request("POST", "/orchestrate/one", headers)
        self.assertEqual(caller.interim(), 100)
        caller.send(chunked(b"hello"))
        self.assertEqual(caller.answer().status, 200)

    def test_another_expectation_is_417(self):
        headers = [("Expect", "200-ok"), ("Content-Length", "0")]
        self.assertEqual(self.call("/orchestrate/one", "POST", headers).status, 417)
        self.assertEqual(self.fn["a"].requests, [])

    def test_an_unknown_pipeline_needs_no_body(self):
        # A final status instead of 100 is what Expect is for (RFC 9110 10.1.1).
        caller = self.client()
        caller.send_request("POST", "/orchestrate/nobody", self.EXPECT)
        caller.source.fill()
        if caller.source.pending().startswith(b"HTTP/1.1 100"):
            self.assertEqual(caller.interim(), 100)  # permitted, if wasteful
            caller.send(b"hello")
        self.assertEqual(caller.answer().status, 404)


class Pipelined(ServedCase):
    """RFC 9112 9.3.2: answers come in the order of the requests."""

    def test_many_in_one_write(self):
        self.fn["a"].script = answers.echo()
        caller = self.client()
        caller.send(b"".join(
            request_bytes("POST", "/orchestrate/one", [("X-Request-Id", f"n{n}")], b"body %d" % n)
            for n in range(50)
        ))
        for number in range(50):
            answer = caller.answer()
            self.assertEqual(answer.body, b"body %d" % number)
            self.assertEqual(answer.header("x-request-id"), f"n{number}")
        caller.expect_quiet_and_open()

    def test_a_slow_first_one_holds_the_others_back(self):
        gate = self.gate()
        self.fn["a"].script = answers.each(answers.held(gate, answers.text("slow")), answers.text("fast"))
        caller = self.client()
        caller.send(request_bytes("GET", "/orchestrate/one") + request_bytes("GET", "/livez"))
        self.fn["a"].wait_for(1)
        gate.set()
        self.assertEqual([caller.answer().body, caller.answer().body], [b"slow", b"OK"])

    def test_mixed_kinds(self):
        caller = self.client()
        caller.send(
            request_bytes("GET", "/nope")
            + request_bytes("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
            + chunked(b"x")
            + request_bytes("HEAD", "/livez")
            + request_bytes("GET", "/orchestrate/all")
        )
        self.assertEqual(caller.answer().status, 404)
        self.assertEqual(caller.answer().status, 200)
        self.assertEqual(caller.answer("HEAD").status, 200)
        self.assertEqual(sorted(json.loads(caller.answer().body)), ["a", "b", "c"])
        caller.expect_quiet_and_open()

    def test_a_malformed_one_after_a_good_one(self):
        caller = self.client()
        caller.send(request_bytes("GET", "/livez") + b"GET / HTTP/1.1\r\nHost: t\r\nX : y\r\n\r\n")
        self.assertEqual(caller.answer().status, 200)
        self.assertEqual(caller.answer().status, 400)
        caller.expect_closed()


POST = b"POST /orchestrate/one HTTP/1.1\r\nHost: t\r\n"
MALFORMED = {
    "space before colon": (b"GET /livez HTTP/1.1\r\nHost: t\r\nX : y\r\n\r\n", 400),
    "no colon": (b"GET /livez HTTP/1.1\r\nHost: t\r\nNoColon\r\n\r\n", 400),
    "bare LF": (b"GET /livez HTTP/1.1\nHost: t\n\n", 400),
    "bare CR": (b"GET /livez HTTP/1.1\r\nHost: t\r\nX: a\rb\r\n\r\n", 400),
    "NUL": (b"GET /livez HTTP/1.1\r\nHost: t\r\nX: a\0b\r\n\r\n", 400),
    "folded header": (b"GET /livez HTTP/1.1\r\nHost: t\r\nX: a\r\n b\r\n\r\n", 400),
    "no Host": (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET /livez HTTP/1.1\r\nHost: t\r\nHost: t\r\n\r\n", 400),
    "CL and TE": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two CLs": (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    "negative CL": (POST + b"Content-Length: -5\r\n\r\nhello", 400),
    "chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400),
    "unknown TE": (POST + b"Transfer-Encoding: gzip\r\n\r\n", (400, 501)),
    "version 2.0": (b"GET /livez HTTP/2.0\r\nHost: t\r\n\r\n", (400, 505)),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello over TLS\r\n\r\n", 400),
    "unknown method": (b"FOOBAR /livez HTTP/1.1\r\nHost: t\r\n\r\n", (501, 405)),
    "8-bit target": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: t\r\n\r\n", 400),
}


@expand
class Malformed(ServedCase):
    """400 with a JSON error; the connection closes where framing is in doubt."""

    pipelines = pipelines_of(one="a")

    @rows(MALFORMED)
    def test_malformed(self, data, statuses):
        statuses = statuses if isinstance(statuses, tuple) else (statuses,)
        caller = self.client()
        caller.send(data)
        answer = caller.answer()
        self.assertIn(answer.status, statuses, answer)
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertIsInstance(answer.json()["error"], str)
        self.assertTrue(answer.header("x-request-id"))
        self.assertTrue(answer.says_close)
        caller.expect_closed()
        self.assertEqual(self.fn["a"].requests, [])
