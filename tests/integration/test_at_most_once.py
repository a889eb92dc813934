"""A call is sent at most once, but where nothing of it was taken, or where it may be repeated: U30.

Each row on sockets: a function ends a connection at that moment and counts, by id, the calls it got.
"""

from support import answers
from support.case import ServedCase
from support.cases import expand, rows
from support.lines import GET, MARKED, PIPELINES, PLAIN, Line, LineCase, tell
from support.waiting import QUICK, eventually, tries

ENDS = {"FIN": "close", "RST": "reset"}
KINDS = {"POST": PLAIN, "GET": GET, "marked POST": MARKED}
ONCE = {"POST": PLAIN}
REPEATABLE = {"GET": GET, "marked POST": MARKED}
PARTS = {
    "a byte": b"H",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n",
}


def table(kinds, *more):
    """Each kind of call with each end, and with each further column."""
    made = {f"{name} {end}": (kind, then) for name, kind in kinds.items() for end, then in ENDS.items()}
    for column in more:
        made = {f"{old} {name}": (*row, value) for old, row in made.items() for name, value in column.items()}
    return made


@expand
class AtMostOnce(ServedCase):
    functions = ("a", "b")
    pipelines = PIPELINES

    def setUp(self):
        super().setUp()
        for made in self.fn.values():
            made.script = tell

    def send(self, caller, kind, name):
        pipeline, method, body = kind
        caller.send_request(method, f"/orchestrate/{pipeline}/{name}", body=body)

    def get(self, kind, name):
        with self.client() as caller:
            self.send(caller, kind, name)
            return caller.answer(kind[1])

    def kept_connection(self):
        """A connection that has served a call already, and the only one."""
        self.assertEqual(self.get(PLAIN, "before").body, b"/before")
        number = self.fn["a"].requests[-1].connection_id
        only_one = lambda: [c.number for c in self.fn["a"].open_connections()] == [number]
        eventually(only_one, 1.0, "one connection, those of before closed")
        return self.fn["a"].connections[number - 1]

    def no_connection(self):
        self.fn["a"].script = answers.closing()
        self.assertEqual(self.get(PLAIN, "before").status, 200)
        self.fn["a"].wait_for_no_connection()

    def dies(self, then, part=b""):
        """The call /it is taken and has at most a part of an answer; others have their own."""

        def script(exchange):
            if exchange.request.target == "/it" and len(self.fn["a"].sent_to("/it")) == 1:
                answers.raw(part, then)(exchange)
            else:
                tell(exchange)

        self.fn["a"].script = script

    def end(self, connection, then):
        if then == "reset":
            connection.reset_from_outside()
        else:
            connection.finish_sending()

    def connections_of_it(self):
        return [request.connection_id for request in self.fn["a"].sent_to("/it")]

    def all_is_well(self):
        for name in ("next", "after"):
            self.assertEqual(self.get(PLAIN, name).body, f"/{name}".encode())
            self.assertEqual(len(self.fn["a"].sent_to(f"/{name}")), 1)
        self.assertEqual(self.post("/orchestrate/other/x").body, b"/x")

    def broken_and_not_made_again(self, kind, then, part):
        for clock in tries(QUICK):
            self.setUp()
            kept = self.kept_connection()
            self.dies(then, part)
            with clock:
                answer = self.get(kind, "it")
            self.assert_step_failed(answer, 502, "a")
            self.assertEqual(self.connections_of_it(), [kept.number])
            self.all_is_well()

    @rows(table(KINDS))
    def test_u30_an_end_that_was_there_before_the_call(self, kind, then):
        # The program is stopped, so the end and then the call wait for it in the kernel.
        for clock in tries(QUICK):
            self.setUp()
            kept = self.kept_connection()
            caller = self.client()
            caller.expect_quiet_and_open()
            self.program.freeze()
            try:
                self.end(kept, then)
                self.send(caller, kind, "it")
            finally:
                self.program.thaw()
            with clock:
                answer = caller.answer(kind[1])
            self.assertEqual((answer.status, answer.body), (200, b"/it"), answer)
            self.assertEqual(len(self.connections_of_it()), 1)
            self.assertNotEqual(self.connections_of_it(), [kept.number])
            self.all_is_well()

    @rows(ENDS)
    def test_u30_an_end_that_is_known_is_no_error(self, then):
        for clock in tries(QUICK):
            self.setUp()
            kept = self.kept_connection()
            before = self.program.open_files()
            self.end(kept, then)
            eventually(lambda: self.program.open_files() < before, 1.0, "our side closed as well")
            with clock:
                answer = self.get(PLAIN, "it")
            self.assertEqual((answer.status, answer.body), (200, b"/it"))
            self.assertEqual(len(self.connections_of_it()), 1)

    @rows(table(KINDS))
    def test_u29_a_new_connection_that_dies_unanswered(self, kind, then):
        for clock in tries(QUICK):
            self.setUp()
            self.no_connection()
            self.dies(then)
            with clock:
                answer = self.get(kind, "it")
            self.assert_step_failed(answer, 502, "a")
            self.assertEqual(len(self.connections_of_it()), 1)
            self.all_is_well()

    @rows(table(ONCE))
    def test_u30_a_reused_connection_that_dies_unanswered_is_502(self, kind, then):
        self.broken_and_not_made_again(kind, then, b"")

    @rows(table(REPEATABLE))
    def test_u30_a_reused_connection_that_dies_unanswered_and_once_more(self, kind, then):
        for clock in tries(QUICK):
            self.setUp()
            kept = self.kept_connection()
            self.dies(then)
            with clock:
                answer = self.get(kind, "it")
            self.assertEqual((answer.status, answer.body), (200, b"/it"), answer)
            first, second = self.connections_of_it()
            self.assertEqual(first, kept.number)
            self.assertNotEqual(second, kept.number)
            self.all_is_well()

    @rows(table(REPEATABLE))
    def test_u30_once_more_and_no_oftener(self, kind, then):
        for clock in tries(QUICK):
            self.setUp()
            self.kept_connection()
            self.fn["a"].script = answers.raw(b"", then)
            with clock:
                answer = self.get(kind, "it")
            self.assert_step_failed(answer, 502, "a")
            self.assertEqual(len(self.connections_of_it()), 2)
            self.fn["a"].script = tell
            self.all_is_well()

    @rows(table(KINDS, PARTS))
    def test_u30_partly_answered(self, kind, then, part):
        self.broken_and_not_made_again(kind, then, part)


@expand
class InLine(LineCase):
    """Behind another call whose connection breaks."""

    @rows(ENDS)
    def test_u31_the_front_is_partly_answered(self, then):
        act = lambda exchange, line: answers.raw(PARTS["half a body"], then)(exchange)
        callers = self.in_line([PLAIN, GET, PLAIN, MARKED], act)
        statuses = {target: caller.answer().status for target, caller in callers.items()}
        self.assertEqual(statuses, {"/0": 502, "/1": 200, "/2": 502, "/3": 200})
        counts = {target: len(self.a.sent_to(target)) for target in callers}
        self.assertEqual(counts, {"/0": 1, "/1": 2, "/2": 1, "/3": 2})
        self.all_is_well()

    def test_u31_who_still_waits_for_a_connection_is_not_harmed(self):
        # A large call never stands behind another, so nothing of it has been sent.
        gate = self.gate()
        act = lambda exchange, _: gate.wait(10.0) and exchange.connection.reset()
        self.served()
        self.a.script = Line(1, act)
        front = self.send("front", PLAIN)
        self.a.wait_for(1)
        large = self.send("large", ("one", "POST", bytes(1024 * 1024)))
        self.assertEqual(self.program.call("POST", "/orchestrate/other/x", body=b"{}").body, b"/x")
        for clock in tries(2.5, 1):
            with clock:
                gate.set()
                self.assert_step_failed(front.answer(), 502, "a")
                self.assert_own("/large", large)
        self.assertEqual([len(self.a.sent_to(target)) for target in ("/front", "/large")], [1, 1])
        self.all_is_well()
