"""Calls in line on one connection: what it takes to have them, and how a function sees them."""

import threading

from support import answers
from support.case import Case
from support.client import Client, request_bytes
from support.store import config
from support.waiting import eventually, trickle_pause

# More clean answers than a function must have given before calls share its connections.
CLEAN = 1100
BATCH = 100
# One connection, and whoever may share it does.
SHARING = ("--step-connections-max", "1", "--pipelining-wait", "10s")
PLAIN = ("one", "POST", b"{}")
GET = ("one", "GET", None)
MARKED = ("marked", "POST", b"{}")
PIPELINES = {
    "one": config("a"),
    "two": config("b", "a"),
    "other": config("b"),
    "marked": '{"steps":[{"fn":"a","idempotent":true}]}',
    "alone": '{"steps":[{"fn":"a","pipelining":false}]}',
}


def tell(exchange, request=None):
    """An answer that only this call can have: its own path."""
    exchange.send(answers.whole(200, (request or exchange.request).target))


def warm_up(address, count=CLEAN, target="/orchestrate/one/warm"):
    with Client(address) as caller:
        for _ in range(count // BATCH):
            caller.send(request_bytes("POST", target, body=b"{}") * BATCH)
            for _ in range(BATCH):
                answer = caller.answer()
                if (answer.status, answer.body) != (200, b"/warm"):
                    raise AssertionError(f"while warming up: {answer}")


class Line:
    """A script: waits until `count` calls are in line on one connection, then acts with them, once.

    Every other call gets its own answer; where it came a second time, only after `seconds` in which
    nothing else may come after it.
    """

    def __init__(self, count, act, seconds=1.0):
        self.count, self.act, self.seconds = count, act, seconds
        self.calls = []
        self.seen = threading.Event()

    def __call__(self, exchange):
        if self.seen.is_set():
            return self.after(exchange)
        line = [exchange.request]
        while len(line) < self.count:
            more = exchange.next_in_line(self.seconds)
            if more is None:
                break
            line.append(more)
        if len(line) == self.count:
            self.calls = line
            self.seen.set()
            return self.act(exchange, line)
        for request in line:
            tell(exchange, request)

    def after(self, exchange):
        again = len(exchange.function.sent_to(exchange.request.target)) > 1
        if again and exchange.next_in_line(0.05):
            exchange.function.problems.append("a repeated call is not alone on its connection")
        tell(exchange)


class LineCase(Case):
    """`a` is known for clean answers; its calls share one connection. `b` stands for all others."""

    def served(self, *arguments, warm=CLEAN):
        self.a = self.function("a", tell)
        self.b = self.function("b", tell)
        self.program = self.start(
            self.directory(PIPELINES).url, *SHARING, *arguments,
            resolve={"a": self.a.address, "b": self.b.address},
        )
        warm_up(self.program.address, warm)
        self.a.reset()
        return self.program

    def send(self, name, kind):
        pipeline, method, body = kind
        caller = self.connect(self.program.address)
        caller.send_request(method, f"/orchestrate/{pipeline}/{name}", body=body)
        return caller

    def in_line(self, kinds, act, *arguments, lead=0.0):
        """{path: caller}, in the order of the line: all sent, none answered yet when act(exchange, line) began.

        The first is `lead` seconds ahead of the others.
        """
        for _ in range(3):
            self.served(*arguments)
            line = self.a.script = Line(len(kinds), act)
            sent = {}
            for number, kind in enumerate(kinds):
                sent[f"/{number}"] = self.send(number, kind)
                eventually(lambda: self.a.requests, 5.0, "the first of the line received")
                if number == 0:
                    trickle_pause(lead)
            if line.seen.wait(len(kinds) * line.seconds):
                return {call.target: sent[call.target] for call in line.calls}
            for caller in sent.values():
                caller.answer()
        raise AssertionError("the program never had calls in line")

    def tearDown(self):
        self.assertEqual(self.a.problems, [], "a function was sent something that is not good HTTP")

    def assert_own(self, target, caller, method="POST"):
        answer = caller.answer(method)
        self.assertEqual((answer.status, answer.body), (200, target.encode()), answer)

    def all_is_well(self):
        """The next calls of the same function and of others have their own answers."""
        for number in range(3):
            self.assert_own(f"/next{number}", self.send(f"next{number}", PLAIN))
        answer = self.program.call("POST", "/orchestrate/other/x", body=b"{}")
        self.assertEqual((answer.status, answer.body), (200, b"/x"))
