"""Functions that hang, die, restart or fail: the rows X03 to X05, X07 and X08 of the table of faults.

Each has its status and its time, leaves other functions alone, and is over when the function is well.
X01 and X02 are in test_function_unreachable.py, X06 in test_function_dns.py, X09 to X11 in
test_callers_gone.py.
"""

import json
import threading

from support import answers
from support.case import ServedCase, pipelines_of
from support.cases import expand, rows
from support.client import Client
from support.fault_case import FaultCase
from support.waiting import QUICK, elapsed_since, eventually, now, tries

MIB = 1024 * 1024


@expand
class Silent(FaultCase):
    LIMIT = 0.5

    @rows({"nothing": b"", "half a head": b"HTTP/1.1 200 OK\r\nConte", "an interim answer": answers.head(103),
           "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi"})
    def test_x03_504_at_the_step_limit_after(self, part):
        made = self.function("a")
        self.served(made.address, "--step-timeout", "500ms", "--step-connections-max", "1")
        for clock in tries(self.LIMIT * 1.01 + 0.05, 8):
            made.reset()
            made.script = answers.each(answers.raw(part, "silent"), answers.text("next"))
            with clock:
                answer = self.get()
            self.assertGreater(clock.seconds, self.LIMIT * 0.99)
            detail = self.assert_step_failed(answer, 504, "a")
            self.assertRegex(detail, r"(?i)step.*\b500 ms\b")
            # The slot is free, the connection closed, the next call on another.
            self.assertEqual(self.get().body, b"next")
            first, second = made.requests
            self.assertNotEqual(first.connection_id, second.connection_id)
            self.assertTrue(made.connections[first.connection_id - 1].peer_closed.wait(1.0))
        self.others_are_well()

    def test_x03_504_at_the_pipeline_limit(self):
        made = self.function("a", answers.silent)
        self.served(made.address, "--pipeline-timeout", "500ms")
        for clock in tries(self.LIMIT * 1.01 + 0.05, 8):
            with clock:
                answer = self.program.call("POST", "/orchestrate/two", body=b"{}")
            self.assertGreater(clock.seconds, self.LIMIT * 0.99)
            detail = self.assert_step_failed(answer, 504, "a")
            self.assertRegex(detail, r"(?i)pipeline.*\b500 ms\b")
        made.wait_for_no_connection(1.0)
        self.others_are_well()


@expand
class Dies(FaultCase):
    @rows({
        f"{name} {then}": (data, then)
        for then in ("close", "reset")
        for name, data in {
            "after the head": answers.head(200, [("Content-Length", str(MIB))]),
            "in the body": answers.whole(200, bytes(MIB))[:-1],
            "between chunks": answers.head(200, [("Transfer-Encoding", "chunked")])
            + b"80000\r\n" + bytes(0x80000) + b"\r\n",
        }.items()
    })
    def test_x04_mid_answer_is_502_and_never_a_short_200(self, data, then):
        made = self.function("a")
        self.served(made.address)
        for clock in tries(0.25):
            made.script = answers.raw(data, then)
            with clock:
                for caller in self.send_many(10):
                    self.assert_step_failed(caller.answer(), 502, "a")
            made.script = answers.text("next")
            self.assertEqual(self.get().body, b"next")
        self.others_are_well()


class Restarts(FaultCase):
    def test_x05_no_call_goes_to_a_connection_that_has_ended(self):
        made = self.function("a")
        self.served(made.address)
        for clock in tries(0.25):
            gate = self.gate()
            made.script = answers.held(gate, answers.text("a"))
            held = self.send_many(8)
            eventually(lambda: len(made.open_connections()) >= 8, 5.0, "eight connections")
            gate.set()
            self.assertEqual([caller.answer().body for caller in held], [b"a"] * 8)
            old = len(made.connections)
            made.restart()
            made.reset()
            with clock:
                statuses = [caller.answer().status for caller in self.send_many(20)]
            self.assertEqual(statuses, [200] * 20)
            self.assertEqual(len(made.requests), 20)
            self.assertTrue(all(request.connection_id > old for request in made.requests))
        self.others_are_well()

    def test_x05_under_load_nothing_is_lost_or_sent_twice(self):
        made = self.function("a", lambda exchange: answers.text(exchange.request.target)(exchange))
        self.served(made.address)
        callers = [Hammer(self.program.address, f"{number}-") for number in range(4)]
        for caller in callers:
            self.addCleanup(caller.stop)
        for _ in range(3):
            done = len(made.requests)
            eventually(lambda: len(made.requests) > done + 100, 10.0, "calls between the restarts")
            made.restart()
            for clock in tries(2.5, 1):
                with clock:
                    eventually(lambda: self.get().status == 200, 5.0, "the function used again")
        counts = {}
        for request in made.requests:
            counts[request.target] = counts.get(request.target, 0) + 1
        for caller in callers:
            caller.stop()
            self.assertIsNone(caller.problem)
            self.assertLessEqual(max(map(len, map(made.sent_to, caller.failed)), default=0), 1)
        self.assertEqual([target for target, count in counts.items() if count > 1 and target != "/"], [])
        self.others_are_well()


class Hammer:
    """A caller that goes on calling, each call with an id of its own, on a thread."""

    def __init__(self, address, prefix):
        self.failed, self.problem = [], None
        self._address, self._prefix = address, prefix
        self._go_on = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        number = 0
        try:
            with Client(self._address) as caller:
                while not self._go_on.is_set():
                    number += 1
                    name = f"{self._prefix}{number}"
                    start = now()
                    answer = caller.call("POST", f"/orchestrate/one/{name}", body=b"{}")
                    late = elapsed_since(start) > 5.0
                    if answer.status == 502:
                        self.failed.append(f"/{name}")
                    elif late or (answer.status, answer.body) != (200, f"/{name}".encode()):
                        raise AssertionError(f"{name}: {answer} after {elapsed_since(start)} s")
        except (AssertionError, OSError) as error:
            self.problem = repr(error)

    def stop(self):
        self._go_on.set()
        self._thread.join(10.0)


class OneOfParallel(ServedCase):
    pipelines = pipelines_of(one="a", both="|a,b", all="|a,b,c")

    def test_x07_answered_at_once_and_the_others_abandoned(self):
        for clock in tries(QUICK):
            self.setUp()
            self.fn["a"].script = self.fn["c"].script = answers.silent
            self.fn["b"].script = answers.text('no "b"', 418)
            caller = self.client()
            with clock:
                caller.send_request("POST", "/orchestrate/all", body=b"{}")
                answer = caller.answer()
            failure = {"step": "b", "status": 418, "body": 'no "b"'}
            self.assertEqual((answer.status, answer.keys()), (502, ["error", "details", "failures"]))
            self.assertEqual(answer.json()["failures"], [failure])
            self.assertEqual(json.loads(answer.json()["details"]), failure)
            for name in ("a", "c"):
                self.fn[name].wait_for_no_connection(1.0)
            caller.expect_quiet_and_open()
            self.setUp()
            merged = b'{"a":{"from":"a"},"b":{"from":"b"},"c":{"from":"c"}}'
            self.assertEqual(self.post("/orchestrate/all").body, merged)

    def test_x07_late_answers_of_abandoned_calls_reach_nobody(self):
        for clock in tries(QUICK):
            self.setUp()
            gate = self.gate()
            self.fn["a"].script = answers.each(answers.held(gate, answers.text("stale")), answers.text("fresh"))
            self.fn["b"].script = answers.each(answers.text("no", 500), answers.text("fine"))
            with clock:
                self.assertEqual(self.post("/orchestrate/both").status, 502)
            self.fn["a"].wait_for(1)
            gate.set()
            for _ in range(5):
                self.assertEqual(self.post("/orchestrate/both").body, b'{"a":"fresh","b":"fine"}')


@expand
class StepFails(ServedCase):
    """A step that answers outside 200–299 stops the pipeline."""

    STATUSES = (
        300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 409, 418, 422, 429, 500, 501, 502, 503, 504, 599
    )

    @rows({str(status): status for status in STATUSES})
    def test_x08_status(self, status):
        told = {"error": "Step failed", "step": "b", "status": status, "body": "it's \"no\""}
        elsewhere = [("Location", f"http://{self.fn['c'].address}/")]
        for clock in tries(QUICK):
            self.setUp()
            self.fn["b"].script = answers.reply(status, "it's \"no\"", headers=elsewhere)
            with clock:
                answer = self.post("/orchestrate/three")
            self.assert_error(answer, status, json.dumps(told, separators=(",", ":")))
            self.assertIsNone(answer.header("location"))
            self.assertIsNone(answer.header("www-authenticate"))
            self.assertEqual(self.fn["c"].requests, [], "later steps are not called, redirects not followed")
            self.setUp()
            self.assertEqual(self.post("/orchestrate/three").body, b'{"from":"c"}')
