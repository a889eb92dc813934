"""Calls in line on one connection: the rows U31 to U33, and when there must be no line."""

from support import answers
from support.cases import expand, rows
from support.lines import CLEAN, GET, MARKED, PLAIN, Line, LineCase, tell
from support.waiting import elapsed_since, eventually, now

# The end of a connection is known at once; a step's own limit would be 30 s.
AT_ONCE = 1.0
FIN, RST, CLOSE = "FIN", "RST", "connection: close"
ENDS = {"FIN": FIN, "RST": RST}


def answers_some(count, end, told):
    """Answers the first `count` of the line; when they have been read, ends the connection."""

    def act(exchange, line):
        for request in line[: count - 1]:
            tell(exchange, request)
        last = [("Connection", "close")] if end == CLOSE else []
        exchange.send(answers.whole(200, line[count - 1].target, headers=last))
        told.wait(10.0)
        answers.finish(exchange, "reset" if end == RST else "close")

    return act


@expand
class Broken(LineCase):
    def broken_after_two(self, kinds, end):
        """What became of those behind: {path: (kind, answer)}; the two in front have had their own."""
        told = self.gate()
        callers = self.in_line(kinds, answers_some(2, end, told))
        kind_of = {f"/{number}": kind for number, kind in enumerate(kinds)}
        targets = list(callers)
        for target in targets[:2]:
            self.assert_own(target, callers[target], kind_of[target][1])
        told.set()
        start = now()
        behind = {target: (kind_of[target], callers[target].answer()) for target in targets[2:]}
        self.assertLess(elapsed_since(start), AT_ONCE)
        for target in targets[:2]:
            self.assertEqual(len(self.a.sent_to(target)), 1)
        return behind

    def judged(self, behind):
        """POST: 502 and never sent again. What may be repeated: once more, elsewhere, and answered."""
        for target, (kind, answer) in behind.items():
            calls = self.a.sent_to(target)
            if kind is PLAIN:
                self.assert_step_failed(answer, 502, "a")
                self.assertEqual(len(calls), 1, target)
            else:
                self.assertEqual((answer.status, answer.body), (200, target.encode()), answer)
                self.assertEqual(len(calls), 2, target)
                self.assertNotEqual(calls[0].connection_id, calls[1].connection_id)
        self.all_is_well()

    @rows(ENDS)
    def test_u31_answered_ones_stand_the_others_are_502(self, end):
        self.judged(self.broken_after_two([PLAIN] * 5, end))

    @rows(ENDS)
    def test_u31_idempotent_ones_go_out_once_more_alone(self, end):
        self.judged(self.broken_after_two([PLAIN, PLAIN, GET, MARKED, PLAIN, GET], end))

    def test_u31_an_answer_that_is_no_http(self):
        def act(exchange, line):
            tell(exchange, line[0])
            answers.raw(b"nonsense\r\n\r\n", "silent")(exchange)

        callers = self.in_line([PLAIN] * 4, act)
        targets = list(callers)
        self.assert_own(targets[0], callers[targets[0]])
        start = now()
        for target in targets[1:]:
            self.assert_step_failed(callers[target].answer(), 502, "a")
            self.assertEqual(len(self.a.sent_to(target)), 1)
        self.assertLess(elapsed_since(start), AT_ONCE)
        self.all_is_well()

    @rows(ENDS)
    def test_u31_then_calls_are_not_shared_for_a_while(self, end):
        self.broken_after_two([PLAIN] * 3, end)
        self.no_line(self.send_some())

    @rows({"POST": [PLAIN] * 4, "idempotent": [PLAIN, PLAIN, GET, MARKED]})
    def test_u33_connection_close_on_an_answer(self, kinds):
        self.judged(self.broken_after_two(kinds, CLOSE))

    def send_some(self):
        line = self.a.script = Line(2, lambda exchange, calls: [tell(exchange, call) for call in calls], 0.1)
        callers = {f"/some{number}": self.send(f"some{number}", PLAIN) for number in range(4)}
        return line, callers

    def no_line(self, sent):
        line, callers = sent
        for target, caller in callers.items():
            self.assert_own(target, caller)
        self.assertFalse(line.seen.is_set(), f"in line: {line.calls}")


@expand
class SlowFront(LineCase):
    def test_u32_the_others_wait_and_get_their_own(self):
        gate = self.gate()

        def act(exchange, line):
            gate.wait(10.0)
            for request in line:
                tell(exchange, request)

        callers = self.in_line([PLAIN] * 6, act)
        self.assertEqual(self.program.call("POST", "/orchestrate/other/x", body=b"{}").body, b"/x")
        gate.set()
        start = now()
        for target, caller in callers.items():
            self.assert_own(target, caller)
            self.assertEqual(len(self.a.sent_to(target)), 1)
        self.assertLess(elapsed_since(start), AT_ONCE)
        self.assertEqual(len({request.connection_id for request in self.a.requests}), 1)
        self.all_is_well()

    def test_u32_its_time_out_ends_the_connection(self):
        silent = lambda exchange, line: answers.silent(exchange)
        kinds = [PLAIN, PLAIN, GET, PLAIN, MARKED]
        callers = self.in_line(kinds, silent, "--step-timeout", "800ms", lead=0.4)
        front, *behind = callers
        detail = self.assert_step_failed(callers[front].answer(), 504, "a")
        self.assertRegex(detail, r"step.*\b800 ms")
        start = now()
        for target in behind:
            answer = callers[target].answer()
            kind = kinds[int(target[1:])]
            if kind is PLAIN:
                self.assert_step_failed(answer, 502, "a")
                self.assertEqual(len(self.a.sent_to(target)), 1)
            else:
                self.assertEqual((answer.status, answer.body), (200, target.encode()))
                self.assertEqual(len(self.a.sent_to(target)), 2)
        self.assertLess(elapsed_since(start), 0.4, "their own limit")
        first = self.a.connections[self.a.sent_to(front)[0].connection_id - 1]
        self.assertTrue(first.peer_closed.wait(1.0), "the connection was kept")
        self.all_is_well()

    def test_u32_one_behind_times_out_and_keeps_its_place(self):
        # The late one has used up most of its pipeline's time at another function.
        for _ in range(3):
            if self.behind_times_out():
                return
        self.fail("the program never had the three in line")

    def behind_times_out(self):
        self.served("--pipeline-timeout", "800ms")
        gate_a, gate_b = self.gate(), self.gate()
        self.b.script = answers.held(gate_b, tell)

        def act(exchange, line):
            gate_a.wait(10.0)
            for request in line:
                tell(exchange, request)

        line = self.a.script = Line(3, act, 0.6)
        late = self.send("late", ("two", "POST", b"{}"))
        start = now()
        self.b.wait_for(1)
        eventually(lambda: elapsed_since(start) > 0.5, 5.0)
        front = self.send("front", PLAIN)
        self.a.wait_for(1)
        gate_b.set()
        eventually(lambda: self.a.sent_to("/late") or elapsed_since(start) > 0.7, 5.0)
        last = self.send("last", PLAIN)
        in_line = line.seen.wait(1.0) and line.calls[1].target == "/late"
        answer = late.answer()
        took = elapsed_since(start)
        gate_a.set()
        got = front.answer(), last.answer()
        if not in_line or got[0].status == 504:
            return False
        self.assert_step_failed(answer, 504, "a")
        self.assertTrue(0.79 < took < 0.8 + 0.3, f"after {took} s")
        self.assertEqual([(each.status, each.body) for each in got], [(200, b"/front"), (200, b"/last")])
        self.assertEqual(len({request.connection_id for request in self.a.requests}), 1, "the place was not kept")
        self.all_is_well()
        return True


@expand
class NoLine(LineCase):
    """The cases in which a call has its connection to itself."""

    COUNT = 4

    def nothing_in_line(self, kind=PLAIN):
        line = self.a.script = Line(2, lambda exchange, calls: [tell(exchange, call) for call in calls], 0.1)
        callers = {f"/{number}": self.send(number, kind) for number in range(self.COUNT)}
        for target, caller in callers.items():
            self.assert_own(target, caller)
        self.assertFalse(line.seen.is_set(), f"in line: {line.calls}")

    def test_u31_depth_1(self):
        self.served("--pipelining-depth", "1")
        self.nothing_in_line()

    def test_u31_pipelining_false(self):
        self.served()
        self.nothing_in_line(("alone", "POST", b"{}"))

    def test_u31_an_unknown_function(self):
        self.served(warm=CLEAN // 2)
        self.nothing_in_line()

    @rows({
        "close": lambda exchange: answers.closing(exchange.request.target)(exchange),
        "extra bytes": lambda exchange: answers.raw(
            answers.whole(200, exchange.request.target) + b"x", "silent"
        )(exchange),
        "no end": lambda exchange: answers.until_end(exchange.request.target.encode())(exchange),
    })
    def test_u31_after_an_answer_with(self, script):
        self.served()
        self.a.script = script
        self.assert_own("/bad", self.send("bad", PLAIN))
        self.a.wait_for_no_connection()
        self.nothing_in_line()

    def test_u31_no_more_than_the_depth(self):
        depth, longest = 3, []

        def act(exchange, line):
            more = exchange.next_in_line(0.3)
            longest.append(len(line) + (more is not None))
            for request in line + [more] * (more is not None):
                tell(exchange, request)

        callers = self.in_line([PLAIN] * depth, act, "--pipelining-depth", str(depth))
        for number in range(depth, depth + 5):
            callers[f"/{number}"] = self.send(number, PLAIN)
        for target, caller in callers.items():
            self.assert_own(target, caller)
        self.assertEqual(longest, [depth])
        self.all_is_well()
