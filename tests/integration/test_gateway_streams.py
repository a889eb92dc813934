"""`serve --gateway`: bodies go by as they come, both ways, and end early where somebody leaves."""

import signal
import threading

from support import answers, wire
from support.case import Case, ServedCase
from support.client import chunked, request_bytes

MIB = 1 << 20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def chunk(piece):
    return b"%x\r\n%s\r\n" % (len(piece), piece)


class InParts(ServedCase):
    functions = ("a",)
    # Whoever held a body here would hold too much.
    arguments = ("--gateway", "--held-max", "4MiB", "--body-max", "64MiB", "--answer-max", "1KiB", "--body-timeout", "30s")

    def setUp(self):
        super().setUp()
        self.fn["a"].chunked = True

    def begun(self, head=HEAD + b"Transfer-Encoding: chunked\r\n\r\n"):
        """A call whose answer has begun: (the caller, who has read its head, and the function's exchange)."""
        exchanges, over = [], self.gate()
        told = threading.Event()

        def script(exchange):
            exchange.send(head)
            exchanges.append(exchange)
            told.set()
            over.wait(answers.HOLD_MAX)

        self.fn["a"].script = script
        client = self.connect(self.address)
        client.send_request("GET", "/a/")
        self.assertTrue(told.wait(10))
        return client, exchanges[0], over

    def test_each_part_of_an_answer_as_it_comes(self):
        client, exchange, over = self.begun()
        self.assertEqual(client.source.until(b"\r\n\r\n").split(b"\r\n")[0], b"HTTP/1.1 200 OK")
        for piece in (b"one", b"two", b"x" * 100000):
            exchange.send(chunk(piece))
            got = b""
            while len(got) < len(piece):
                size = int(client.source.until(b"\r\n"), 16)
                got += client.source.exactly(size + 2)[:-2]
            self.assertEqual(got, piece)
        exchange.send(b"0\r\n\r\n")
        self.assertEqual(client.source.exactly(5), b"0\r\n\r\n")
        over.set()
        client.expect_quiet_and_open()

    def test_an_answer_of_known_length_as_it_comes(self):
        client, exchange, over = self.begun(HEAD + b"Content-Length: 6\r\n\r\n")
        self.assertIn(b"content-length: 6\r\n", client.source.until(b"\r\n\r\n").lower())
        for piece in (b"one", b"two"):
            exchange.send(piece)
            self.assertEqual(client.source.exactly(3), piece)
        over.set()
        client.expect_quiet_and_open()

    def test_an_answer_that_ends_with_its_connection(self):
        client, exchange, _ = self.begun(HEAD + b"\r\n")
        exchange.send(b"one")
        exchange.connection.finish_sending()
        self.assertEqual(client.answer().body, b"one")
        client.expect_quiet_and_open()

    def test_both_ways_at_once(self):
        """A function that answers each chunk before the next one is sent."""
        def script(exchange):
            source = exchange.connection.source
            exchange.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            while size := int(source.until(b"\r\n"), 16):
                exchange.send(chunk(source.exactly(size + 2)[:-2].upper()))
            source.exactly(2)
            exchange.send(b"0\r\n\r\n")

        self.fn["a"].script, self.fn["a"].early = script, True
        client = self.connect(self.address)
        client.send(request_bytes("POST", "/a/", [("Transfer-Encoding", "chunked")]))
        client.source.until(b"\r\n\r\n")
        for piece in (b"one", b"two", b"three"):
            client.send(chunk(piece))
            self.assertEqual(client.source.until(b"\r\n"), b"%x" % len(piece))
            self.assertEqual(client.source.exactly(len(piece) + 2), piece.upper() + b"\r\n")
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.source.exactly(5), b"0\r\n\r\n")

    def test_a_body_of_known_length_as_it_comes(self):
        parts, came = [], threading.Event()

        def script(exchange):
            self.assertEqual(exchange.request.header("content-length"), "6")
            parts.append(exchange.connection.source.exactly(3))
            came.set()
            parts.append(exchange.connection.source.exactly(3))
            answers.text("done")(exchange)

        self.fn["a"].script, self.fn["a"].early = script, True
        client = self.connect(self.address)
        client.send(request_bytes("POST", "/a/", [("Content-Length", "6")]) + b"one")
        self.assertTrue(came.wait(10), "the function has to wait for the whole body")
        client.send(b"two" + request_bytes("GET", "/livez"))
        self.assertEqual((client.answer().body, parts, client.answer().body), (b"done", [b"one", b"two"], b"OK"))

    def test_more_than_may_be_held(self):
        body = bytes(range(256)) * (40 * MIB // 256)
        self.fn["a"].script = answers.echo()
        for framed in (request_bytes("POST", "/a/", body=body),
                       request_bytes("POST", "/a/", [("Transfer-Encoding", "chunked")]) + chunked(body[:MIB], body[MIB:])):
            client = self.connect(self.address)
            client.send(framed)
            self.assertEqual(client.answer().body, body)
            client.expect_quiet_and_open()

    def test_a_caller_that_reads_late_holds_the_function_up(self):
        sent, over = [], self.gate()

        def script(exchange):
            exchange.send(HEAD + b"Content-Length: %d\r\n\r\n" % (64 * MIB))
            exchange.connection.socket.settimeout(0.3)
            try:
                for _ in range(64):
                    exchange.send(b"x" * MIB)
                    sent.append(1)
            except TimeoutError:
                over.set()

        self.fn["a"].script = script
        client = self.connect(self.address, receive_buffer=4096)
        client.send_request("GET", "/a/")
        self.assertTrue(over.wait(20), "all of it was taken though nobody reads")
        self.assertLess(len(sent), 40)

    def test_100_continue(self):
        client = self.connect(self.address)
        client.send(request_bytes("POST", "/a/", [("Expect", "100-continue"), ("Content-Length", "3")]))
        self.assertEqual(client.interim(), 100)
        client.send(b"abc")
        self.assertEqual(client.answer().status, 200)
        self.assertEqual(self.fn["a"].only_request().body, b"abc")

    def test_too_large_a_body(self):
        client = self.connect(self.address)
        client.send(request_bytes("POST", "/a/", [("Content-Length", str(65 * MIB))]))
        self.assert_error(client.answer(), 413, '{"error":"body too large"}')
        self.assertEqual(self.fn["a"].requests, [], "it was called")
        client = self.connect(self.address)
        client.send(request_bytes("POST", "/a/", [("Transfer-Encoding", "chunked")]) + chunk(b"abc"))
        client.send(b"%x\r\n" % (64 * MIB))
        self.assert_error(client.answer(), 413, '{"error":"body too large"}')
        client.expect_closed()
        self.fn["a"].wait_for_no_connection()
        self.assertEqual(self.fn["a"].requests, [], "it got a request that never was complete")

    def test_a_body_that_becomes_nonsense(self):
        client = self.connect(self.address)
        client.send(request_bytes("POST", "/a/", [("Transfer-Encoding", "chunked")]) + chunk(b"abc") + b"zz\r\n")
        self.assert_error(client.answer(), 400, '{"error":"malformed chunk size"}')
        client.expect_closed()
        self.fn["a"].wait_for_no_connection()
        self.assertEqual(self.fn["a"].requests, [])

    def test_a_caller_that_leaves_in_its_body(self):
        for leave in ("reset", "finish_sending"):
            self.fn["a"].reset()
            client = self.connect(self.address)
            client.send(request_bytes("POST", "/a/", [("Content-Length", "9")]) + b"abc")
            getattr(client, leave)()
            self.fn["a"].wait_for_no_connection()
            self.assertEqual(self.fn["a"].requests, [])

    def test_a_caller_that_leaves_before_and_in_the_answer(self):
        self.fn["a"].script = answers.silent
        client = self.connect(self.address)
        client.send_request("GET", "/a/")
        self.fn["a"].wait_for(1)
        client.reset()
        self.fn["a"].wait_for_no_connection()
        client, exchange, _ = self.begun()
        client.source.until(b"\r\n\r\n")
        client.reset()
        self.assertEqual(exchange.connection.wait_for_peer_close(), b"")

    def test_a_function_that_leaves_in_its_answer(self):
        for head, piece in ((HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk(b"one")),
                            (HEAD + b"Content-Length: 6\r\n\r\n", b"one")):
            for leave in ("reset", "finish_sending"):
                client, exchange, _ = self.begun(head)
                exchange.send(piece)
                client.source.until(b"one")
                getattr(exchange.connection, leave)()
                with self.assertRaises((wire.Closed, wire.WireError)):
                    client.source.exactly(100)
                self.assertNotIn(b"0\r\n\r\n", client.source.pending())

    def test_nonsense_within_an_answer_ends_it(self):
        client, exchange, _ = self.begun()
        exchange.send(chunk(b"one"))
        client.source.until(b"one\r\n")
        exchange.send(b"zz\r\n")
        client.expect_closed()

    def test_an_answer_before_the_body_was_read(self):
        for then in ("keep", "close"):
            self.fn["a"].script, self.fn["a"].early = answers.raw(answers.whole(403, b"no"), then), True
            client = self.connect(self.address)
            client.send(request_bytes("POST", "/a/", [("Content-Length", str(32 * MIB))]) + b"x" * 1000)
            answer = client.answer()
            self.assertEqual((answer.status, answer.body, answer.header("connection")), (403, b"no", "close"))
            client.close()


class EachItsOwn(Case):
    def start_with(self, *arguments):
        self.a = self.function("a")
        return self.start(self.directory().url, "--gateway", *arguments, resolve={"a": self.a.address})

    def test_many_at_once(self):
        program = self.start_with()
        self.a.script, self.a.chunked = answers.echo(), True
        bodies = [bytes([n]) * (n * 997) for n in range(60)]
        clients = [self.connect(program.address) for _ in bodies]
        framed = [request_bytes("POST", "/a/", [("Transfer-Encoding", "chunked")]) + chunked(*([body] if body else []))
                  for body in bodies]
        for at in range(2):
            for client, data in zip(clients, framed):
                client.send(data[: len(data) // 2] if at == 0 else data[len(data) // 2 :])
        self.assertEqual([client.answer().body for client in clients], bodies)

    def test_no_more_at_once_than_allowed(self):
        program, gate = self.start_with("--requests-max", "1"), self.gate()
        self.a.script = answers.held(gate, answers.text("x"))
        first = self.connect(program.address)
        first.send_request("GET", "/a/")
        self.a.wait_for(1)
        for more in (request_bytes("GET", "/a/"), request_bytes("POST", "/a/", [("Content-Length", "9")]) + b"abc"):
            answer = self.connect(program.address).send(more).answer()
            self.assert_error(answer, 503, '{"error":"Too many requests in progress"}')
            self.assertEqual(answer.header("retry-after"), "1")
        gate.set()
        self.assertEqual(first.answer().body, b"x")
        self.assertEqual(self.connect(program.address).call("GET", "/a/").body, b"x")
        self.assertEqual(len(self.a.requests), 2)

    def test_a_function_that_does_not_answer(self):
        program = self.start_with("--step-timeout", "200ms")
        self.a.script = answers.silent
        answer = self.connect(program.address).call("POST", "/a/", body=b"x")
        self.assert_error(answer, 504, '{"error":"Function timed out","container":"a","detail":"nothing came in time (step timeout 200 ms)"}')

    def test_a_function_that_goes_on_takes_as_long_as_it_likes(self):
        program = self.start_with("--step-timeout", "400ms", "--pipeline-timeout", "600ms")
        wait = threading.Event()

        def script(exchange):
            exchange.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(8):
                exchange.send(chunk(b"x"))
                wait.wait(0.15)
            exchange.send(b"0\r\n\r\n")

        self.a.script = script
        self.assertEqual(self.connect(program.address).call("GET", "/a/").body, b"x" * 8)

    def test_an_answer_that_stops_coming(self):
        program = self.start_with("--step-timeout", "200ms")
        self.a.script = answers.raw(HEAD + b"Content-Length: 9\r\n\r\nabc", "silent")
        client = self.connect(program.address)
        client.send_request("GET", "/a/")
        client.source.until(b"\r\n\r\nabc")
        client.expect_closed()

    def test_a_body_that_stops_coming(self):
        program = self.start_with("--body-timeout", "200ms")
        client = self.connect(program.address)
        client.send(request_bytes("POST", "/a/", [("Content-Length", "9")]) + b"abc")
        self.assert_error(client.answer(), 408, '{"error":"the request body did not arrive in time"}')
        client.expect_closed()

    def test_a_function_that_does_not_read(self):
        program = self.start_with("--write-timeout", "200ms", "--step-timeout", "30s", "--body-max", "1GiB")
        self.a.script, self.a.early = answers.silent, True
        over = self.gate()
        self.a.script = lambda exchange: over.wait(answers.HOLD_MAX)
        client = self.connect(program.address)
        client.send(request_bytes("POST", "/a/", [("Content-Length", str(512 * MIB))]))
        try:
            for _ in range(512):
                client.send(b"x" * MIB)
        except OSError:
            pass
        self.assertEqual(client.answer().status, 504)

    def test_the_end_of_the_program_waits_for_a_stream(self):
        for arguments, whole in ((("--drain-timeout", "20s"), True), (("--drain-timeout", "100ms"), False)):
            program = self.start_with(*arguments)
            over, begun = self.gate(), threading.Event()

            def script(exchange):
                exchange.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"x"))
                begun.set()
                over.wait(answers.HOLD_MAX)
                exchange.send(b"0\r\n\r\n")

            self.a.script = script
            client = self.connect(program.address)
            client.send_request("GET", "/a/")
            client.source.until(b"x\r\n")
            program.send_signal(signal.SIGTERM)
            if whole:
                program.wait_for_line("drain")
                over.set()
                self.assertEqual(client.source.exactly(5), b"0\r\n\r\n")
            client.expect_closed()
            over.set()
            program.wait()
