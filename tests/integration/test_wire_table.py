"""Every request of the wire table against the program itself: what must be refused reaches no function."""

import itertools
import resource
import socket

from support import answers, wire, wire_table
from support.case import ServedCase, pipelines_of

AT_ONCE = 1000
CUT_BYTES_MAX = 300  # longer ones are cut at some places only
PATIENCE = 20.0
BIRD = b"GET /livez?canary HTTP/1.1\r\nHost: t\r\nX-Request-Id: bird\r\nConnection: close\r\n\r\n"


class Conversation:
    """A connection on which a case is sent in two pieces, and a canary behind it where it may stay open."""

    def __init__(self, address, case, cut):
        self.case, self.cut = case, cut
        self._has_bird = case.after != "close"
        self._socket = socket.create_connection(address, timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._send(case.data[:cut])

    def _send(self, data):
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused by its beginning; what was answered is there to be read

    def go_on(self):
        self._send(self.case.data[self.cut:] + (BIRD if self._has_bird else b""))
        if self.case.asks == "end":
            self._socket.shutdown(socket.SHUT_WR)

    def finish(self):
        """All answers until the server ends the connection, the canary's apart."""
        source = wire.Source(self._socket)
        methods = itertools.chain((each[0] for each in self.case.reading), itertools.repeat("GET"))
        found = []
        try:
            while True:
                found.append(wire.read_answer(source, next(methods)))
        except wire.Closed as closed:
            if str(closed) != "closed before a message began":
                raise AssertionError(f"{self}: {closed}") from None
        except wire.WireError as error:
            raise AssertionError(f"{self}: {error}; before: {found}") from None
        finally:
            self._socket.close()
        return self._without_bird(found)

    def _without_bird(self, found):
        birds = [each for each in found if each.header("x-request-id") == "bird"]
        if birds and (birds != found[-1:] or birds[0].status != 200):
            raise AssertionError(f"{self}: the canary's answers are {birds} of {found}")
        if self.case.after == "keep" and not birds:
            raise AssertionError(f"{self}: the canary has no answer, only {found}")
        return found[:len(found) - len(birds)]

    def check(self):
        """What the table asks for; returns how many requests at most may have reached the function."""
        statuses = [each.status for each in self.finish()]
        if statuses not in self.case.answers:
            raise AssertionError(f"{self}: answered {statuses}, not {self.case.answers}")
        good = sum(status < 300 for status in statuses)
        if not self.case.reading:
            return good
        return min(good, sum(b"/orchestrate/echo" in target for _, target, *_ in self.case.reading))

    def __str__(self):
        return f"{self.case.name} cut at {self.cut} of {len(self.case.data)}"


def cuts_of(data):
    if len(data) <= CUT_BYTES_MAX:
        return range(len(data))
    return [*range(50), *range(len(data) - 50, len(data))]


class WireTable(ServedCase):
    functions = ("echo",)
    pipelines = pipelines_of(echo="echo")

    def setUp(self):
        super().setUp()
        self.fn["echo"].script = answers.echo()

    def cases(self):
        return [case for case in wire_table.cases() if case.asks != "token"]

    def test_whole_one_after_the_other(self):
        for case in self.cases():
            with self.subTest(case.name):
                before = len(self.fn["echo"].requests)
                conversation = Conversation(self.address, case, 0)
                conversation.go_on()
                calls = conversation.check()
                self.assertLessEqual(len(self.fn["echo"].requests) - before, calls, "a refused one came through")
                self.assertEqual(self.call("/livez").status, 200)

    def test_cut_at_every_byte_and_a_thousand_at_once(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * AT_ONCE)), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        everything = ((case, cut) for case in self.cases() for cut in cuts_of(case.data))
        calls = 0
        while some := list(itertools.islice(everything, AT_ONCE)):
            talking = [Conversation(self.address, case, cut) for case, cut in some]
            for conversation in talking:
                conversation.go_on()
            calls += sum(conversation.check() for conversation in talking)
            self.assertEqual(self.call("/livez").status, 200)
        self.assertLessEqual(len(self.fn["echo"].requests), calls, "a refused one came through")


class WithToken(WireTable):
    """What the table has of a server that asks for a token."""

    env = {"FNKIT_AUTH_TOKEN": "token"}

    def cases(self):
        return [case for case in wire_table.cases() if case.asks == "token"]
