"""What a function may answer, and what becomes of it: the rows u01 to u29 of the table of bad answers.

Each has its status, its time, and leaves nothing behind. U30 is in test_at_most_once.py, U24 to U26 are
in test_functions_parallel.py, U31 to U33 in test_function_pipelining.py.
"""

import re

from support import answers
from support.answer_cases import BROKEN, GOOD, ok
from support.case import ServedCase, pipelines_of
from support.cases import expand, rows
from support.waiting import QUICK, eventually, now, trickle_pause, tries

MIB = 1024 * 1024


class AnswersCase(ServedCase):
    """`a` misbehaves, `b` stands for all others."""

    functions = ("a", "b")
    pipelines = pipelines_of(one="a", two="a,b", other="b", both="|a,b")

    def connection_of(self, request):
        return self.fn["a"].connections[request.connection_id - 1]

    def first_then_next(self, script):
        self.setUp()
        self.fn["a"].script = answers.each(script, answers.text("next"))

    def unharmed(self, reused=False):
        """The next call has its own answer, on another connection; the bad one is closed; so for others."""
        answer = self.post("/orchestrate/one")
        self.assertEqual((answer.status, answer.body), (200, b"next"))
        first, second = self.fn["a"].requests
        self.assertEqual(first.connection_id == second.connection_id, reused, "of one connection")
        self.assertEqual(self.post("/orchestrate/other").body, b'{"from":"b"}')
        if not reused:
            self.ended(first)

    def ended(self, request):
        connection = self.connection_of(request)
        gone = lambda: not connection.open or connection.peer_closed.is_set()
        eventually(gone, 1.0, "the bad connection closed")

    def wait_for_end(self, then):
        """Else the next call could be sent before the end of the connection is known: a 502."""
        if then == "close":
            self.ended(self.fn["a"].requests[0])


@expand
class Answers(AnswersCase):
    arguments = ("--step-timeout", "5s")

    @rows(BROKEN)
    def test_502_for(self, data, then):
        for clock in tries(QUICK):
            self.first_then_next(answers.raw(data, then))
            with clock:
                answer = self.post("/orchestrate/two")
            self.assert_step_failed(answer, 502, "a")
            self.assertEqual(self.fn["b"].requests, [])
            self.unharmed()

    @rows(GOOD)
    def test_200_for(self, data, then, body):
        self.good(answers.raw(data, then), then, body)

    @rows(GOOD)
    def test_200_byte_by_byte_for(self, data, then, body):
        self.good(answers.byte_by_byte(data, then), then, body)

    def good(self, script, then, body, status=200):
        for clock in tries(QUICK):
            self.first_then_next(script)
            with clock:
                answer = self.post("/orchestrate/one")
            self.assertEqual((answer.status, answer.body), (status, body), answer)
            self.wait_for_end(then)
            self.unharmed(reused=then == "keep")

    def test_u10_204_with_a_body(self):
        data = b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi"
        self.good(answers.raw(data, "silent"), "silent", b"", 204)

    def test_u10_304_with_content_length_and_no_body(self):
        for clock in tries(QUICK):
            self.first_then_next(answers.raw(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n"))
            with clock:
                self.assertEqual(self.post("/orchestrate/one").status, 304)
            self.unharmed(reused=True)

    def test_u12_a_thousand_interim_answers(self):
        for clock in tries(QUICK):
            self.first_then_next(answers.raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, "silent"))
            with clock:
                answer = self.post("/orchestrate/one")
            self.assert_step_failed(answer, 502, "a")
            self.unharmed()

    def test_u14_two_answers_to_one_request(self):
        data = answers.whole(200, "first") + answers.whole(200, "second")
        self.good(answers.raw(data, "silent"), "silent", b"first")

    def test_u14_two_answers_to_one_request_byte_by_byte(self):
        data = answers.whole(200, "first") + answers.whole(200, "second")
        for clock in tries(QUICK):
            self.first_then_next(answers.byte_by_byte(data, "silent"))
            with clock:
                self.assertEqual(self.post("/orchestrate/one").body, b"first")
            self.ended(self.fn["a"].requests[0])
            self.unharmed()

    @rows({
        "an answer": answers.whole(200, "evil"),
        "half an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        "junk": b"x",
        # Apache and HAProxy do this before they close.
        "a 408": answers.whole(408, "Request Timeout", headers=[("Connection", "close")]),
    })
    def test_u15_out_of_the_blue(self, junk):
        for clock in tries(QUICK):
            gate, gone = self.gate(), self.gate()
            self.first_then_next(answers.afterwards(answers.text("first"), gate, junk, gone))
            self.assertEqual(self.post("/orchestrate/one").body, b"first")
            with clock:
                gate.set()
                self.assertTrue(gone.wait(5.0), "the connection was not closed")
            self.unharmed()

    def test_u16_obs_fold(self):
        # RFC 9112 5.2: 502, or the fold read as a space.
        for clock in tries(QUICK):
            self.setUp()
            self.fn["a"].script = answers.raw(
                b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nhi", "silent"
            )
            with clock:
                self.assertIn(self.post("/orchestrate/one").status, (200, 502))
            self.setUp()
            self.assertEqual(self.post("/orchestrate/one").body, b'{"from":"a"}')

    def test_u20_an_early_answer_while_we_still_send(self):
        size = 15 * MIB  # more than the kernel takes while nobody reads
        answered, rest = [], []

        def too_big(exchange):
            answered.append(now())
            exchange.send(answers.whole(413, "too big", headers=[("Connection", "close")]))
            taken.wait(10.0)
            rest.append(len(exchange.connection.wait_for_peer_close()))
            exchange.connection.close()

        for clock in tries(QUICK):
            taken = self.gate()
            self.first_then_next(too_big)
            self.fn["a"].early = True
            answer = self.post("/orchestrate/one", bytes(size))
            clock.seconds = now() - answered[-1]
            taken.set()
            self.assertEqual((answer.status, answer.json()["body"]), (413, "too big"))
            self.fn["a"].early = False
            self.unharmed()
            eventually(lambda: len(rest) == len(answered), 1.0, "the end of the early one")
            self.assertLess(rest[-1], size, "it went on sending")

    def test_u22_only_status_and_content_type_cross_over(self):
        extra = [("Set-Cookie", "a=b"), ("Server", "evil"), ("Location", "/x"), ("X-A", "1"), ("Connection", "X-A"),
                 ("Keep-Alive", "timeout=9"), ("Cache-Control", "public"), ("ETag", '"x"'), ("Via", "1.1 evil")]
        for clock in tries(QUICK):
            self.first_then_next(answers.reply(201, "x", "text/x-it", extra))
            with clock:
                answer = self.post("/orchestrate/one")
            self.assertEqual((answer.status, answer.header("content-type")), (201, "text/x-it"))
            for name, value in extra:
                self.assertNotIn(value, answer.all(name), name)
            self.unharmed(reused=True)

    @rows({"8 bit": b"text/plain\xff", "5 KiB": b"text/plain; x=" + b"y" * 5000})
    def test_u22_a_content_type_that_would_break_out(self, value):
        for clock in tries(QUICK):
            self.setUp()
            self.fn["a"].script = answers.raw(ok(b"Content-Type: " + value, b"Content-Length: 2", body=b"hi"))
            with clock:
                answer = self.post("/orchestrate/one")
            self.assertIn(answer.status, (200, 502))
            told = answer.header("content-type") or ""
            self.assertTrue(re.fullmatch(r"[\x20-\x7e]{0,1024}", told), told[:100])
            self.setUp()
            self.assertEqual(self.post("/orchestrate/one").body, b'{"from":"a"}')

    def test_u23_a_reason_phrase_is_never_repeated(self):
        for clock in tries(QUICK):
            self.first_then_next(answers.raw(b"HTTP/1.1 404 <script>evil</script>\r\nContent-Length: 0\r\n\r\n"))
            with clock:
                answer = self.post("/orchestrate/one")
            self.assertEqual(answer.status, 404)
            self.assertNotIn("evil", answer.reason)
            self.unharmed(reused=True)

    @rows({"1 KiB": (b"x" * 1024, (200,)), "4 KiB": (b"x" * 4096, (200, 502)), "a control": (b"a\x01b", (502,))})
    def test_u23_a_reason_phrase_of(self, phrase, statuses):
        for clock in tries(QUICK):
            self.first_then_next(answers.raw(b"HTTP/1.1 200 " + phrase + b"\r\nContent-Length: 2\r\n\r\nhi"))
            with clock:
                answer = self.post("/orchestrate/one")
            self.assertIn(answer.status, statuses)
            self.assertLess(len(answer.reason), 64)
            self.unharmed(reused=answer.status == 200)


@expand
class TooMuch(AnswersCase):
    arguments = ("--answer-max", "2KiB", "--step-timeout", "5s")

    def refused(self, script, count=1):
        for clock in tries(QUICK):
            for _ in range(count):
                self.first_then_next(script)
                with clock:
                    answer = self.post("/orchestrate/one")
                self.assert_step_failed(answer, 502, "a")
                self.unharmed()

    @rows({
        "200 KiB": b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 4000 + b"\r\n") * 50,
        "a line of 1 MiB": b"HTTP/1.1 200 OK\r\nX: " + b"y" * MIB,
    })
    def test_u18_heads_give_their_memory_back(self, data):
        self.refused(answers.raw(data, "silent"), 10)
        before = self.program.resident_bytes()
        self.refused(answers.raw(data, "silent"), 20)
        allowed = 32 * MIB if self.program.is_sanitized() else MIB
        self.assertLess(self.program.resident_bytes() - before, allowed)

    @rows({
        "content-length": answers.raw(ok(b"Content-Length: 2049"), "silent"),
        "an absurd content-length": answers.raw(ok(b"Content-Length: 9223372036854775807"), "silent"),
        "chunks": answers.raw(
            ok(b"Transfer-Encoding: chunked", body=(b"64\r\n" + b"x" * 100 + b"\r\n") * 21), "silent"
        ),
        "one chunk unread": answers.raw(ok(b"Transfer-Encoding: chunked", body=b"801\r\n"), "silent"),
        "no end": answers.raw(ok(body=b"x" * 2049), "silent"),
    })
    def test_u19_over_the_limit_by(self, script):
        self.refused(script)


class DefaultAnswerLimit(AnswersCase):
    def test_u19_64_mib_by_default(self):
        for clock in tries(QUICK):
            self.first_then_next(answers.raw(ok(b"Content-Length: %d" % (64 * MIB + 1)), "silent"))
            with clock:
                self.assert_step_failed(self.post("/orchestrate/one"), 502, "a")
            self.unharmed()


class Slow(AnswersCase):
    """504 at the limit, never before; meanwhile nobody else waits."""

    LIMIT = 0.4
    GRAIN = 0.0
    arguments = ("--step-timeout", "400ms")

    def late(self, script, body=b"{}", early=False):
        for clock in tries(self.LIMIT + self.GRAIN + QUICK, 8):
            self.first_then_next(script)
            self.fn["a"].early = early
            caller = self.client()
            caller.send_request("POST", "/orchestrate/one", body=body)
            self.fn["a"].wait_for(1)
            with clock:
                for others in tries(QUICK):
                    with others:
                        self.assertEqual(self.post("/orchestrate/other").body, b'{"from":"b"}')
                answer = caller.answer()
            self.assert_step_failed(answer, 504, "a")
            self.assertGreater(clock.seconds, self.LIMIT * 0.9)
            self.fn["a"].early = False
            self.unharmed()

    def test_u27_bytes_that_trickle(self):
        def trickle(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(100):
                exchange.send(b"x")  # ends by an OSError when the caller has gone
                trickle_pause(0.05)

        self.late(trickle)

    def never_reads(self, exchange):
        exchange.connection.peer_closed.wait(self.LIMIT * 2)
        exchange.connection.wait_for_peer_close()

    def test_u28_a_function_that_never_reads(self):
        self.late(self.never_reads, bytes(10 * MIB), early=True)


class NeverReads(Slow):
    """The limit of a stalled writer stands for itself: the step would have had 30 s."""

    GRAIN = 0.05  # a stall is looked at so often
    arguments = ("--write-timeout", "400ms")
    test_u27_bytes_that_trickle = None
