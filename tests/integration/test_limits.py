"""CONTRACT section 5: each limit and time that has a setting, and what happens beyond it."""

import random

from support import answers, client, wire
from support.case import Case, ServedCase, pipelines_of
from support.client import Client, chunked, request_bytes
from support.store import config, free_port
from support.waiting import elapsed_since, eventually, now

MIB = 1024 * 1024


class DefaultLimits(ServedCase):
    """The defaults are those of the table."""

    def refused(self, data, status):
        caller = self.client()
        try:
            caller.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it need not read the rest of what it refuses
        answer = caller.answer()
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertIsInstance(answer.json()["error"], str)
        self.assertTrue(answer.header("x-request-id"))
        caller.expect_closed()

    def test_target_of_8_kib_is_taken_and_one_more_is_414(self):
        target = "/orchestrate/one/"
        fits = target + "x" * (8192 - len(target))
        self.assertEqual(self.call(fits).status, 200)
        self.refused(request_bytes("GET", fits + "x"), 414)

    def test_head_over_16_kib_is_431(self):
        self.assertEqual(self.call("/livez", headers=[("X", "x" * 15000)]).status, 200)
        self.refused(request_bytes("GET", "/livez", [("X", "x" * 16384)]), 431)

    def test_head_without_an_end_is_431(self):
        self.refused(b"GET /livez HTTP/1.1\r\nHost: t\r\nX: " + b"x" * 20000, 431)

    def test_100_header_lines_are_taken_and_101_are_431(self):
        fits = [("X", "y")] * 99  # and Host
        self.assertEqual(self.call("/livez", headers=fits).status, 200)
        self.refused(request_bytes("GET", "/livez", fits + [("X", "y")]), 431)

    def test_body_over_16_mib_is_413_before_a_byte_of_it(self):
        self.refused(request_bytes("POST", "/orchestrate/one", [("Content-Length", str(16 * MIB + 1))]), 413)
        self.assertEqual(self.fn["a"].requests, [])

    def test_an_absurd_content_length_is_413(self):
        for length in (2**63, 2**64 - 1):
            self.refused(request_bytes("POST", "/orchestrate/one", [("Content-Length", str(length))]), 413)

    def test_413_without_100_continue(self):
        headers = [("Content-Length", str(17 * MIB)), ("Expect", "100-continue")]
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", headers)
        answer = caller.answer()
        self.assertEqual((answer.status, answer.interim), (413, []))

    def test_a_body_of_16_mib_is_taken(self):
        self.fn["a"].script = lambda exchange: answers.text(str(len(exchange.request.body)))(exchange)
        self.assertEqual(self.post("/orchestrate/one", bytes(16 * MIB)).body, b"%d" % (16 * MIB))


class LargeBodies(ServedCase):
    """Memory for a body is had once, and goes back to the system."""

    arguments = ("--step-idle-timeout", "200ms")

    def test_16_mib_through_three_steps_and_back(self):
        for made in self.fn.values():
            made.script = answers.echo()
        self.assertEqual(self.post("/orchestrate/three", b"warm").body, b"warm")
        before = self.program.resident_bytes()
        body = random.Random(1).randbytes(16 * MIB)
        for _ in range(3):
            self.assertTrue(self.post("/orchestrate/three", body).body == body, "other bytes came back")
        if self.program.is_sanitized():
            return
        back = lambda: self.program.resident_bytes() < before + 2 * MIB
        eventually(back, 5.0, "its memory given back")


class SmallLimits(ServedCase):
    arguments = (
        "--target-max", "100", "--head-max", "1KiB", "--header-lines-max", "5", "--body-max", "1KiB",
        "--answer-max", "2KiB", "--merged-max", "3KiB",
    )

    def test_target_max(self):
        self.assertEqual(self.call("/orchestrate/one/" + "x" * 83).status, 200)
        self.assertEqual(self.call("/orchestrate/one/" + "x" * 84).status, 414)

    def test_head_max(self):
        self.assertEqual(self.call("/livez", headers=[("X", "x" * 900)]).status, 200)
        self.assertEqual(self.call("/livez", headers=[("X", "x" * 1024)]).status, 431)

    def test_header_lines_max(self):
        self.assertEqual(self.call("/livez", headers=[("X", "y")] * 4).status, 200)
        self.assertEqual(self.call("/livez", headers=[("X", "y")] * 5).status, 431)

    def test_body_max_by_content_length(self):
        self.assertEqual(self.post("/orchestrate/one", bytes(1024)).status, 200)
        self.assertEqual(self.post("/orchestrate/one", bytes(1025)).status, 413)

    def test_body_max_by_chunks(self):
        def status(size):
            with Client(self.address) as caller:
                caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
                caller.send(chunked(*[b"x"] * size))
                return caller.answer().status

        self.assertEqual((status(1024), status(1025)), (200, 413))

    def test_body_max_by_one_huge_chunk(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
        caller.send(b"FFFFFFFFFFFFFFFF\r\n")
        self.assertEqual(caller.answer().status, 413)
        caller.expect_closed()

    def test_answer_max_is_taken(self):
        for script in (answers.text(b"x" * 2048), answers.chunked(b"x" * 2048), answers.until_end(b"x" * 2048)):
            self.fn["a"].script = script
            self.assertEqual(self.call("/orchestrate/one").body, b"x" * 2048)

    def test_merged_max(self):
        for name in self.fn:
            self.fn[name].script = answers.text(b"x" * 900)
        self.assertEqual(self.call("/orchestrate/all").status, 200)
        for name in self.fn:
            self.fn[name].script = answers.text(b"x" * 1100)
        answer = self.call("/orchestrate/all")
        self.assertEqual((answer.status, answer.header("content-type")), (502, "application/json"))


class Times(ServedCase):
    arguments = ("--head-timeout", "300ms", "--body-timeout", "300ms", "--idle-timeout", "600ms")
    pipelines = pipelines_of(one="a")

    def test_head_timeout_is_408(self):
        caller = self.client()
        start = now()
        caller.send(b"GET /livez HTTP/1.1\r\nHo")
        self.assertEqual(caller.answer().status, 408)
        caller.expect_closed()
        self.assertGreater(elapsed_since(start), 0.25)

    def test_head_timeout_is_for_the_whole_head(self):
        # A byte now and then must not keep it alive (slowloris).
        caller = self.client()
        start = now()

        def trickle():
            try:
                caller.send(b"X")
            except OSError:
                return True
            return caller.source.pending() or elapsed_since(start) > 1.0

        caller.send(b"GET /livez HTTP/1.1\r\n")
        eventually(trickle, 5.0, interval=0.05)
        try:
            self.assertEqual(caller.answer().status, 408)
        except wire.Closed:
            pass  # RST by what we sent after the answer took the answer along

    def test_body_timeout_is_408(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Content-Length", "10")])
        caller.send(b"hello")
        self.assertEqual(caller.answer().status, 408)
        caller.expect_closed()
        self.assertEqual(self.fn["a"].requests, [])

    def test_body_timeout_is_between_reads(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Content-Length", "10")])
        left = [bytes([byte]) for byte in b"0123456789"]

        def drip():
            caller.send(left.pop(0))
            return not left

        eventually(drip, 10.0, interval=0.08)  # 0.8 s in all, no pause as long as 0.3 s
        self.assertEqual(caller.answer().status, 200)

    def test_idle_timeout_closes_in_silence(self):
        caller = self.client()
        self.assertEqual(caller.call("GET", "/livez").status, 200)
        start = now()
        caller.expect_closed()
        self.assertTrue(0.5 < elapsed_since(start) < 3.0, f"after {elapsed_since(start)} s")

    def test_a_connection_that_never_says_anything_is_closed(self):
        caller = self.client()
        start = now()
        try:
            self.assertEqual(caller.answer().status, 408)
        except wire.Closed:
            pass  # nothing was asked: silence is fine too
        self.assertLess(elapsed_since(start), 3.0)


class Crowds(Case):
    def test_requests_max_is_503_with_retry_after(self):
        gate = self.gate()
        made = self.function("a", answers.held(gate, answers.text("x")))
        program = self.start(
            self.directory({"one": config("a")}).url, "--requests-max", "2", resolve={"a": made.address}
        )
        held = [self.connect(program.address) for _ in range(2)]
        for caller in held:
            caller.send_request("GET", "/orchestrate/one")
        made.wait_for(2)
        answer = program.call("GET", "/orchestrate/one")
        self.assertEqual((answer.status, answer.header("retry-after")), (503, "1"))
        self.assertEqual(answer.header("content-type"), "application/json")
        gate.set()
        for caller in held:
            self.assertEqual(caller.answer().body, b"x")
        self.assertEqual(program.call("GET", "/orchestrate/one").status, 200)

    def test_held_max_is_503_until_the_bytes_are_given_back(self):
        gate = self.gate()
        made = self.function("a", answers.held(gate, answers.text("x")))
        program = self.start(
            self.directory({"one": config("a")}).url, "--held-max", "2MiB", resolve={"a": made.address}
        )
        big = self.connect(program.address)
        big.send_request("POST", "/orchestrate/one", body=b"x" * 1_200_000)
        made.wait_for(1)
        more = self.connect(program.address)
        more.send_request("POST", "/orchestrate/one", body=b"x" * 1_200_000)
        answer = more.answer()
        self.assertEqual((answer.status, answer.header("retry-after")), (503, "1"))
        gate.set()
        self.assertEqual(big.answer().body, b"x")
        back = lambda: program.call("GET", "/orchestrate/one").status == 200
        eventually(back, 5.0, "the bytes given back")

    def test_connections_max_refuses_and_recovers(self):
        program = self.start(self.directory().url, "--connections-max", "4")

        def four_more():
            callers = [self.connect(program.address) for _ in range(4)]
            for caller in callers:
                if caller.call("GET", "/livez").status != 200:
                    raise AssertionError("not all of four were served")
            return callers

        callers = eventually(four_more, 5.0, "four connections served")
        try:
            with Client(program.address, timeout=5.0) as fifth:
                status = fifth.call("GET", "/livez").status
        except (wire.Closed, OSError):
            status = "refused"
        self.assertIn(status, ("refused", 503))
        for caller in callers:
            self.assertEqual(caller.call("GET", "/livez").status, 200, "those that are in stay in")
            caller.close()
        eventually(lambda: program.call("GET", "/livez").status == 200, 5.0, "room again")

    def test_at_most_64_connections_to_a_step_and_the_others_wait(self):
        gate = self.gate()
        made = self.function("a", answers.held(gate, answers.text("x")))
        program = self.start(self.directory({"one": config("a")}).url, resolve={"a": made.address})
        callers = [self.connect(program.address) for _ in range(100)]
        for caller in callers:
            caller.send_request("POST", "/orchestrate/one", body=b"{}")
        made.wait_for(64)
        self.assertEqual(program.call("GET", "/livez").status, 200)
        gate.set()
        for caller in callers:
            self.assertEqual(caller.answer().body, b"x")
        self.assertEqual(len(made.requests), 100)
        self.assertLessEqual(len(made.connections), 64)

    def test_steps_that_are_orchestrators_are_followed_4_deep(self):
        # Each round through the step drops one /orchestrate/p of the path.
        port = free_port()
        program = self.start(
            self.directory({"p": config("self")}).url,
            listen=(f"127.0.0.1:{port}",), resolve={"self": f"127.0.0.1:{port}"},
        )
        around = lambda times: program.call("GET", "/orchestrate/p" * times + "/livez")
        self.assertEqual(around(1).body, b"OK")
        self.assertEqual(around(4).body, b"OK")
        deep = around(8)
        self.assertEqual(deep.status, 508, deep)


class Independence(ServedCase):
    def test_hanging_calls_delay_nobody(self):
        gate = self.gate()
        self.fn["a"].script = answers.held(gate, answers.text("late"))
        waiting = [self.client() for _ in range(20)]
        for caller in waiting:
            caller.send_request("GET", "/orchestrate/one")
        self.fn["a"].wait_for(20)
        self.assertEqual(self.call("/livez").status, 200)
        gate.set()
        for caller in waiting:
            self.assertEqual(caller.answer().body, b"late")
