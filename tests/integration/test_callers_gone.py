"""Callers that are gone or stop reading: the rows X09 to X11 of the table of faults.

A caller whose connection ends or resets while its steps run is gone: what it began is cancelled, and what
it held comes back in a second.
"""

from support import answers, client, wire
from support.case import Case, ServedCase
from support.cases import expand, rows
from support.client import Client
from support.metrics import Metrics
from support.store import config
from support.waiting import QUICK, eventually, now, tries

MIB = 1024 * 1024
BODY = bytes(1_200_000)
BACK_IN = 1.0


@expand
class CallerGone(ServedCase):
    """The bytes of a second body would be too many while the first's are held."""

    arguments = ("--held-max", "2MiB", "--step-timeout", "20s", "--step-idle-timeout", "200ms")
    LEAVES = {"x09 closes": Client.close, "x09 ends its side": Client.finish_sending, "x10 resets": Client.reset}

    @rows(LEAVES)
    def test_who(self, leave):
        for clock in tries(BACK_IN, 8):
            self.setUp()
            before = self.program.open_files()
            self.fn["a"].script = answers.silent
            caller = Client(self.address)
            self.addCleanup(caller.close)
            caller.send_request("POST", "/orchestrate/two", body=BODY)
            (request,) = self.fn["a"].wait_for(1)
            called = self.fn["a"].connections[request.connection_id - 1]
            self.assertEqual(self.post("/orchestrate/one", BODY).status, 503)
            with clock:
                leave(caller)
                self.assertTrue(called.peer_closed.wait(5.0), "its call goes on")
                self.fn["a"].script = answers.text("next")
                back = lambda: self.post("/orchestrate/one", BODY).body == b"next"
                eventually(back, 5.0, "the bytes it held given back")
            self.assertEqual(self.fn["b"].requests, [], "a later step was made")
            caller.close()
            self.fn["a"].wait_for_no_connection()
            eventually(lambda: self.program.open_files() <= before, 5.0, "its connections closed")

    @rows(LEAVES)
    def test_others_go_on_when_one(self, leave):
        gate = self.gate()
        self.fn["a"].script = answers.held(gate, answers.text("a"))
        callers = [self.client() for _ in range(10)]
        for caller in callers:
            caller.send_request("POST", "/orchestrate/one", body=b"{}")
        self.fn["a"].wait_for(10)
        for caller in callers[::2]:
            leave(caller)
        eventually(lambda: len(self.fn["a"].open_connections()) <= 10, 1.0)
        gate.set()
        self.assertEqual([caller.answer().body for caller in callers[1::2]], [b"a"] * 5)


class Counted(Case):
    def test_cancelled_calls_are_counted_apart_from_failures(self):
        made = self.function("a", answers.text("a"))
        store = self.directory({"one": config("a"), "none": config("b")})
        program = self.start(store.url, resolve={"a": made.address, "b": self.refusing_address()})
        self.assertEqual(program.call("POST", "/orchestrate/one").status, 200)
        self.assertEqual(program.call("POST", "/orchestrate/none").status, 502)
        made.script = answers.silent
        callers = [self.connect(program.address) for _ in range(2)]
        for caller in callers:
            caller.send_request("POST", "/orchestrate/one", body=b"{}")
        made.wait_for(3)
        for caller in callers:
            caller.close()
        made.wait_for_no_connection()
        program.stop()
        self.assertIn("answered=1 failed=1 cancelled=2 repeated=0 shared=0", program.stderr)


@expand
class CallerGoneFinish(ServedCase):
    arguments = ("--on-disconnect", "finish")

    @rows({"x09 closes": Client.close, "x10 resets": Client.reset})
    def test_to_the_end_when_one(self, leave):
        for clock in tries(QUICK):
            self.setUp()
            before = self.program.open_files()
            gate = self.gate()
            self.fn["a"].script = answers.held(gate, answers.text("out of a"))
            caller = Client(self.address)
            caller.send_request("POST", "/orchestrate/two", body=b"{}")
            self.fn["a"].wait_for(1)
            leave(caller)
            self.assertEqual(client.call(self.address, "GET", "/livez").status, 200)
            with clock:
                gate.set()
                received = self.fn["b"].wait_for(1)
            self.assertEqual([request.body for request in received], [b"out of a"])
            self.assertEqual(len(self.fn["a"].requests), 1)
            # Both functions' connections are idle now; the caller's must not be there.
            eventually(lambda: self.program.open_files() <= before + 2, BACK_IN, "its connection closed")


class StopsReading(Case):
    """32 MiB for a caller that takes none of it."""

    SIZE, LIMIT = 32 * MIB, 1.0

    def serve(self):
        self.big = self.function("a", answers.text(b"x" * self.SIZE))
        self.quick = self.function("b", answers.text("b"))
        store = self.directory({"big": config("a"), "other": config("b")})
        # Room for one answer and not for two.
        self.program = self.start(
            store.url, "--write-timeout", "1s", "--held-max", str(self.SIZE + 16 * MIB),
            resolve={"a": self.big.address, "b": self.quick.address},
        )
        self.assertEqual(self.other(), (200, b"b"))

    def other(self):
        answer = self.program.call("POST", "/orchestrate/other", body=b"{}")
        return answer.status, answer.body

    def stalled(self):
        caller = self.connect(self.program.address, receive_buffer=4096)
        caller.send_request("GET", "/orchestrate/big")
        return caller

    def calls_ended(self):
        """Of the function with the large answer."""
        metrics = Metrics.of(self.program.address)
        return metrics.get("fnkit_function_calls_total", f"function={self.big.address}") or 0

    def settles(self, least, most):
        """The answer is in memory, and once: while its buffer grows there are two for a moment."""
        seen = []

        def at_rest():
            seen.append(self.program.resident_bytes())
            return len(seen) > 10 and all(least < bytes_now < most for bytes_now in seen[-10:])

        eventually(at_rest, 10.0, "the answer in memory, once")

    def test_x11_its_memory_is_the_answer_and_it_is_reset_at_the_limit(self):
        self.serve()
        for clock in tries(self.LIMIT * 1.1 + 0.25, 8):
            before, peak = self.program.resident_bytes(), []
            caller = self.stalled()
            # A sanitizer keeps what was freed for a while, and so from the try before.
            least, allowed = (0, 4 * self.SIZE) if self.program.is_sanitized() else (self.SIZE, self.SIZE + 4 * MIB)
            self.settles(before + least, before + allowed)
            ours = caller.socket.getsockname()[1]
            with clock:
                while established(self.program.address[1], ours):
                    peak.append(self.program.resident_bytes() - before)
                    for other in tries(QUICK):
                        with other:
                            self.assertEqual(self.other(), (200, b"b"))
            self.assertGreater(clock.seconds, self.LIMIT * 0.5)
            self.assertLess(max(peak), allowed)
            with self.assertRaises(wire.WireError):
                caller.answer()
        self.assertEqual(len(self.program.call("GET", "/orchestrate/big").body), self.SIZE)

    def test_x11_its_bytes_are_held_until_then(self):
        self.serve()
        for clock in tries(self.LIMIT * 1.1 + BACK_IN, 8):
            before = self.calls_ended()
            caller = self.stalled()
            # Until then it is anybody's guess which of two answers finds no room.
            eventually(lambda: self.calls_ended() > before, 5.0, "the answer in memory")
            over = lambda: self.program.call("GET", "/orchestrate/big").status == 503
            eventually(over, 5.0, "no room for a second answer")
            self.assertEqual(self.other(), (200, b"b"))
            begun, tried = now(), []

            def back():
                tried.append(now())
                return self.program.call("GET", "/orchestrate/big").status == 200

            eventually(back, 20.0, "the bytes given back")
            clock.seconds = tried[-1] - begun
            caller.close()


def established(local_port, remote_port):
    """Whether the server's side of a loopback connection is still open (state 01)."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in list(table)[1:]:
            _, local, remote, state = line.split()[:4]
            ports = int(local.split(":")[1], 16), int(remote.split(":")[1], 16)
            if ports == (local_port, remote_port) and state in ("01", "08"):
                return True
    return False
