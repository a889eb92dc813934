"""CONTRACT section 3: what a function may send, and what becomes of it; U01… are the cases' names."""

import re

from support import answers
from support.case import ServedCase, pipelines_of
from support.cases import expand, rows
from support.waiting import eventually, trickle_pause

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"


def ok(*lines, body=b"", version=b"1.1"):
    head = b"".join(line + b"\r\n" for line in lines)
    return b"HTTP/" + version + b" 200 OK\r\n" + head + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"

# name → (bytes, what the function does then)
BROKEN = {
    "U01 content-length and chunked": (ok(b"Content-Length: 5", CHUNKED, body=END), "silent"),
    "U02 two content-lengths": (ok(b"Content-Length: 2", b"Content-Length: 3", body=b"hi!"), "silent"),
    "U03 negative content-length": (ok(b"Content-Length: -1"), "silent"),
    "U03 20 digits": (ok(b"Content-Length: 99999999999999999999"), "silent"),
    "U03 list": (ok(b"Content-Length: 2, 3", body=b"hi!"), "silent"),
    "U03 plus": (ok(b"Content-Length: +2", body=b"hi"), "silent"),
    "U03 letters": (ok(b"Content-Length: two", body=b"hi"), "silent"),
    "U04 gzip": (ok(b"Transfer-Encoding: gzip", body=b"abc"), "close"),
    "U04 chunked then gzip": (ok(b"Transfer-Encoding: chunked, gzip", body=b"abc"), "close"),
    "U04 gzip then chunked": (ok(b"Transfer-Encoding: gzip, chunked", body=END), "silent"),
    "U04 two lines": (ok(CHUNKED, CHUNKED, body=END), "silent"),
    "U04 identity": (ok(b"Transfer-Encoding: identity", body=b"abc"), "close"),
    "U05 chunked in 1.0": (ok(CHUNKED, body=END, version=b"1.0"), "close"),
    "U07 body until RST": (ok(body=b"half"), "reset"),
    "U08 short content-length": (ok(b"Content-Length: 10", body=b"hi"), "close"),
    "U08 no last chunk": (ok(CHUNKED, body=b"2\r\nhi\r\n"), "close"),
    "U08 half a chunk": (ok(CHUNKED, body=b"a\r\nhi"), "close"),
    "U08 half a head": (OK + b"Content-Le", "close"),
    "U08 last chunk without its end": (ok(CHUNKED, body=b"2\r\nhi\r\n0\r\n"), "close"),
    "U09 chunk size 0x2": (ok(CHUNKED, body=b"0x2\r\nhi\r\n" + END), "silent"),
    "U09 chunk size +2": (ok(CHUNKED, body=b"+2\r\nhi\r\n" + END), "silent"),
    "U09 chunk size negative": (ok(CHUNKED, body=b"-2\r\nhi\r\n" + END), "silent"),
    "U09 chunk size overflow": (ok(CHUNKED, body=b"FFFFFFFFFFFFFFFF0\r\nhi\r\n" + END), "silent"),
    "U09 chunk size huge": (ok(CHUNKED, body=b"FFFFFFFFFFFFFFFF\r\nhi\r\n" + END), "silent"),
    "U09 chunk extension of 64 KiB": (ok(CHUNKED, body=b"2;x=" + b"y" * 65536 + b"\r\nhi\r\n" + END), "silent"),
    "U09 no line end after chunk": (ok(CHUNKED, body=b"2\r\nhi0\r\n\r\n"), "silent"),
    "U13 switching protocols": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "silent"
    ),
    "U16 LF line ends": (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "silent"),
    "U16 space before colon": (ok(b"X : a", b"Content-Length: 0"), "silent"),
    "U16 NUL in a value": (ok(b"X: a\0b", b"Content-Length: 0"), "silent"),
    "U16 CR in a value": (ok(b"X: a\rb", b"Content-Length: 0"), "silent"),
    "U16 empty name": (ok(b": a", b"Content-Length: 0"), "silent"),
    "U17 status 99": (b"HTTP/1.1 99 No\r\n" + EMPTY, "silent"),
    "U17 status 000": (b"HTTP/1.1 000 No\r\n" + EMPTY, "silent"),
    "U17 status 600": (b"HTTP/1.1 600 No\r\n" + EMPTY, "silent"),
    "U17 status 1000": (b"HTTP/1.1 1000 No\r\n" + EMPTY, "silent"),
    "U17 status abc": (b"HTTP/1.1 abc No\r\n" + EMPTY, "silent"),
    "U17 HTTP 2.0": (b"HTTP/2.0 200 OK\r\n" + EMPTY, "silent"),
    "U17 HTTP 0.9": (b"hello, I am text", "close"),
    "U17 random": (bytes(range(1, 200)), "close"),
    "U17 TLS alert": (b"\x15\x03\x01\x00\x02\x02\x46", "close"),
    "U17 other protocol": (b"220 mail.example ESMTP\r\n", "silent"),
    "U18 200 KiB of headers": (OK + (b"X: " + b"y" * 4000 + b"\r\n") * 50 + EMPTY, "silent"),
    "U18 101 lines": (OK + b"X: y\r\n" * 100 + EMPTY, "silent"),
    "U18 one line of 1 MiB": (OK + b"X: " + b"y" * 1048576 + b"\r\n" + EMPTY, "silent"),
    "U29 reset after the request": (b"", "reset"),
    "U29 end before the first byte": (b"", "close"),
}

PLAIN = b"Content-Type: text/plain"
GOOD = {
    "U06 until the end": (ok(PLAIN, body=b"hi"), "close", b"hi"),
    "U06 HTTP 1.0 until the end": (ok(PLAIN, body=b"hi", version=b"1.0"), "close", b"hi"),
    "U06 empty until the end": (ok(PLAIN), "close", b""),
    "U08 equal content-length and end": (ok(b"Content-Length: 2", body=b"hi"), "close", b"hi"),
    "U09 leading zeros and extension": (ok(CHUNKED, body=b"002;a=b\r\nhi\r\n0\r\n\r\n"), "keep", b"hi"),
    "U09 trailers": (ok(CHUNKED, body=b"2\r\nhi\r\n0\r\nX: y\r\n\r\n"), "keep", b"hi"),
    "U11 100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"Content-Length: 2", body=b"hi"), "keep", b"hi"),
    "U11 103 first": (
        b"HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n" + ok(b"Content-Length: 2", body=b"hi"), "keep", b"hi"
    ),
    "U11 several": (b"HTTP/1.1 102 P\r\n\r\n" * 5 + ok(b"Content-Length: 2", body=b"hi"), "keep", b"hi"),
    "U21 close and extra bytes": (
        ok(b"Connection: close", b"Content-Length: 2", body=b"hi, extra"), "close", b"hi"
    ),
    "U23 no reason phrase": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", "keep", b"hi"),
    "U23 another reason": (b"HTTP/1.1 200 Very \xfc Fine\r\nContent-Length: 2\r\n\r\nhi", "keep", b"hi"),
}


@expand
class Answers(ServedCase):
    arguments = ("--step-timeout", "5s")
    functions = ("a", "b")
    pipelines = pipelines_of(one="a", two="a,b")

    @rows(BROKEN)
    def test_502_for(self, data, then):
        self.fn["a"].script = answers.each(answers.raw(data, then), answers.text("next"))
        answer = self.post("/orchestrate/two")
        self.assert_step_failed(answer, 502, "a")
        self.assertEqual(self.fn["b"].requests, [])
        self.next_call_is_unharmed()

    def next_call_is_unharmed(self):
        """Another connection, and its own answer."""
        answer = self.post("/orchestrate/one")
        self.assertEqual((answer.status, answer.body), (200, b"next"))
        first, second = self.fn["a"].requests
        self.assertNotEqual(first.connection_id, second.connection_id)
        connection = self.fn["a"].connections[first.connection_id - 1]
        eventually(lambda: not connection.open or connection.peer_closed.is_set(), 5.0, "the bad one closed")

    @rows(GOOD)
    def test_200_for(self, data, then, body):
        self.fn["a"].script = answers.each(answers.raw(data, then), answers.text("next"))
        answer = self.post("/orchestrate/one")
        self.assertEqual((answer.status, answer.body), (200, body), answer)
        self.end_is_known(then)
        self.assertEqual(self.post("/orchestrate/one").body, b"next")

    @rows({name: value for name, value in GOOD.items()})
    def test_200_byte_by_byte_for(self, data, then, body):
        self.fn["a"].script = answers.byte_by_byte(data, then)
        self.assertEqual(self.post("/orchestrate/one").body, body)
        self.end_is_known(then)

    def end_is_known(self, then):
        """Else the next call could be sent before the end of the connection is known: a 502."""
        if then == "close":
            number = self.fn["a"].requests[0].connection_id
            self.assertTrue(self.fn["a"].connections[number - 1].peer_closed.wait(5.0))

    def test_U10_204_with_a_body(self):
        data = b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi"
        self.fn["a"].script = answers.each(answers.raw(data, "silent"), answers.text("next"))
        answer = self.post("/orchestrate/one")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.next_call_is_unharmed()

    def test_U10_304_with_content_length_and_no_body(self):
        data = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n"
        self.fn["a"].script = answers.each(answers.raw(data), answers.text("next"))
        self.assertEqual(self.post("/orchestrate/one").status, 304)
        self.assertEqual(self.post("/orchestrate/one").body, b"next")

    def test_U12_a_thousand_interim_answers(self):
        data = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000
        self.fn["a"].script = answers.each(answers.raw(data, "silent"), answers.text("next"))
        self.assert_step_failed(self.post("/orchestrate/one"), 502, "a")
        self.next_call_is_unharmed()

    def test_U14_two_answers_to_one_request(self):
        data = answers.whole(200, "first") + answers.whole(200, "second")
        self.fn["a"].script = answers.each(answers.raw(data, "silent"), answers.text("next"))
        self.assertEqual(self.post("/orchestrate/one").body, b"first")
        self.next_call_is_unharmed()

    def test_U14_two_answers_byte_by_byte(self):
        data = answers.whole(200, "first") + answers.whole(200, "second")
        self.fn["a"].script = answers.each(answers.byte_by_byte(data, "silent"), answers.text("next"))
        self.assertEqual(self.post("/orchestrate/one").body, b"first")
        eventually(lambda: not self.fn["a"].connections[-1].open, 5.0, "the bad connection closed")
        self.assertEqual(self.post("/orchestrate/one").body, b"next")

    def unsolicited(self, junk):
        gate, gone = self.gate(), self.gate()
        bad = answers.afterwards(answers.text("first"), gate, junk, gone)
        self.fn["a"].script = answers.each(bad, answers.text("next"))
        self.assertEqual(self.post("/orchestrate/one").body, b"first")
        gate.set()
        self.assertTrue(gone.wait(5.0), "the connection was not closed")
        self.next_call_is_unharmed()

    def test_U15_an_answer_out_of_the_blue(self):
        self.unsolicited(answers.whole(200, "evil"))

    def test_U15_half_an_answer_out_of_the_blue(self):
        self.unsolicited(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n")

    def test_U15_junk_out_of_the_blue(self):
        self.unsolicited(b"x")

    def test_U15_a_408_on_an_idle_connection(self):
        # Apache and HAProxy do this before they close.
        self.unsolicited(answers.whole(408, "Request Timeout", headers=[("Connection", "close")]))

    def test_U16_obs_fold(self):
        # RFC 9112 5.2: 502, or the fold read as a space.
        self.fn["a"].script = answers.raw(ok(b"X: a\r\n b", b"Content-Length: 2", body=b"hi"), "silent")
        self.assertIn(self.post("/orchestrate/one").status, (200, 502))

    def test_U19_over_the_limit_by_content_length_is_not_read(self):
        data = ok(b"Content-Length: %d" % (65 * 1024 * 1024))
        self.fn["a"].script = answers.raw(data, "silent")
        self.assert_step_failed(self.post("/orchestrate/one"), 502, "a")

    def test_U20_an_early_answer_while_we_still_send(self):
        self.fn["a"].early = True
        self.fn["a"].script = answers.raw(
            answers.whole(413, "too big", headers=[("Connection", "close")]), "silent"
        )
        answer = self.post("/orchestrate/one", b"x" * (8 * 1024 * 1024))
        self.assertEqual((answer.status, answer.json()["body"]), (413, "too big"))

    def test_U22_a_content_type_that_would_break_out(self):
        for value in (b"text/plain\xff", b"text/plain; x=" + b"y" * 5000):
            self.setUp()
            self.fn["a"].script = answers.raw(ok(b"Content-Type: " + value, b"Content-Length: 2", body=b"hi"))
            answer = self.post("/orchestrate/one")
            self.assertIn(answer.status, (200, 502))
            told = answer.header("content-type") or ""
            self.assertTrue(re.fullmatch(r"[\x20-\x7e]{0,1024}", told), told[:100])

    def test_U23_a_reason_phrase_is_never_repeated(self):
        self.fn["a"].script = answers.raw(b"HTTP/1.1 404 <script>evil</script>\r\nContent-Length: 0\r\n\r\n")
        answer = self.post("/orchestrate/one")
        self.assertEqual(answer.status, 404)
        self.assertNotIn("evil", answer.reason)

    def test_U23_a_reason_phrase_of_4_kib(self):
        data = b"HTTP/1.1 200 " + b"x" * 4096 + b"\r\nContent-Length: 2\r\n\r\nhi"
        self.fn["a"].script = answers.raw(data)
        self.assertIn(self.post("/orchestrate/one").status, (200, 502))


class Slow(ServedCase):
    arguments = ("--step-timeout", "500ms")
    functions = ("a",)
    pipelines = pipelines_of(one="a")

    def test_U27_bytes_that_trickle_are_504(self):
        def trickle(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(100):
                exchange.send(b"x")  # ends by an OSError when the caller has gone
                trickle_pause(0.05)

        self.fn["a"].script = trickle
        self.assert_step_failed(self.post("/orchestrate/one"), 504, "a")

    def test_U28_a_function_that_never_reads(self):
        self.fn["a"].early = True
        self.fn["a"].script = lambda exchange: exchange.connection.peer_closed.wait(5.0)
        answer = self.post("/orchestrate/one", b"x" * (10 * 1024 * 1024))
        self.assert_step_failed(answer, 504, "a")
