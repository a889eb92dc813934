"""Functions that cannot be connected to: the rows X01 (refused) and X02 (blackholed) of the table of faults."""

import socket
import threading

from support import answers
from support.case import Case
from support.client import Client
from support.fault_case import FaultCase
from support.function import Blackhole, Function
from support.namespace import Enclosed
from support.store import config
from support.waiting import QUICK, elapsed_since, eventually, now, tries


class Down(FaultCase):
    REFUSED_IN, BACK_IN = 0.02, 1.0

    def setUp(self):
        self.taken = socket.socket()  # bound, so nobody else's; it does not listen yet
        self.addCleanup(self.taken.close)
        self.taken.bind(("127.0.0.1", 0))
        self.port = self.taken.getsockname()[1]
        self.served(f"127.0.0.1:{self.port}")

    def test_x01_refused_is_502_within_20_ms(self):
        caller = self.connect(self.program.address)
        for _ in range(20):  # also while the address is left out
            for clock in tries(self.REFUSED_IN):
                with clock:
                    answer = caller.call("POST", "/orchestrate/one", body=b"{}")
                self.assert_step_failed(answer, 502, "a")
        with_b = self.program.call("POST", "/orchestrate/two", body=b"{}")
        self.assert_step_failed(with_b, 502, "a")
        self.others_are_well()

    def test_x01_64_callers_all_have_their_502_at_once(self):
        for clock in tries(0.25):
            with clock:
                for caller in self.send_many(64):
                    self.assert_step_failed(caller.answer(), 502, "a")
        self.others_are_well()

    def test_x01_works_again_within_a_second(self):
        for clock in tries(self.BACK_IN, 8):
            self.setUp()
            caller, start = self.connect(self.program.address), now()
            while elapsed_since(start) < 1.5:  # long enough for the longest wait
                answer = caller.call("POST", "/orchestrate/one", body=b"{}")
                self.assert_step_failed(answer, 502, "a")
            with clock:
                self.taken.listen(512)
                made = Function("a", listener=self.taken)
                self.addCleanup(made.close)
                eventually(lambda: self.get().status == 200, 5.0, "the function used again")
            self.assertEqual([self.get().status for _ in range(20)], [200] * 20)
            self.others_are_well()


class Refused(Case):
    """X01, as seen by the kernel."""

    CALLERS, SECONDS = 64, 2.0

    def test_x01_a_dead_function_is_not_stormed(self):
        store = self.directory({"one": config("dead")})
        inside = Enclosed(self, store.url, resolve={"dead": "127.0.0.1:8080"})
        callers = [self.connect(inside.program.address) for _ in range(self.CALLERS)]
        calls, start = 0, now()
        while elapsed_since(start) < self.SECONDS:
            for caller in callers:
                caller.send_request("POST", "/orchestrate/one", body=b"{}")
            for caller in callers:
                self.assert_step_failed(caller.answer(), 502, "dead")
            calls += len(callers)
        # All may try at first; then one after each wait of 50 ms to 0.8 s.
        self.assertLessEqual(inside.connects(), self.CALLERS + 16, f"connections tried by {calls} calls")


class Blackholed(FaultCase):
    LIMIT = 1.0

    def setUp(self):
        self.hole = Blackhole()
        self.addCleanup(self.hole.close)
        self.full, self.fillers, self.port = self.hole.listener, self.hole.fillers, self.hole.port

    def serve_blackholed(self, *arguments):
        self.served(f"127.0.0.1:{self.port}", "--connect-timeout", "1s", *arguments)

    def connecting(self):
        """Sockets in SYN_SENT to the full listener, but for our own."""
        with open("/proc/net/tcp", encoding="ascii") as table:
            lines = [line.split()[2:4] for line in list(table)[1:]]
        found = [remote for remote, state in lines if state == "02" and int(remote[-4:], 16) == self.port]
        return len(found) - len(self.fillers) + 1

    def test_x02_504_at_the_connect_limit(self):
        self.serve_blackholed()
        for clock in tries(self.LIMIT + 0.05):
            with clock:
                answer = self.get()
            self.assertGreater(clock.seconds, self.LIMIT - 0.05)
            detail = self.assert_step_failed(answer, 504, "a")
            self.assertRegex(detail, r"(?i)connect.*\b1 s\b")
        self.others_are_well()

    def test_x02_200_calls_are_504_in_time_and_others_go_on(self):
        self.serve_blackholed()
        before = self.latencies()
        for clock in tries(self.LIMIT + 0.25, 5):
            with clock:
                callers = self.send_many(200)
                eventually(lambda: self.connecting() >= 1, 1.0, "connections being tried")
                self.assertLessEqual(self.connecting(), 128)
                during = self.latencies()
                for caller in callers:
                    self.assert_step_failed(caller.answer(), 504, "a")
        self.assertLess(during[50], 1.2 * before[50] + 0.005, "the median of another function's calls")

    def latencies(self):
        taken = []
        with Client(self.program.address) as caller:
            for _ in range(100):
                start = now()
                self.assertEqual(caller.call("POST", "/orchestrate/other", body=b"{}").body, b"b")
                taken.append(elapsed_since(start))
        return sorted(taken)

    def test_x02_works_again_when_it_accepts(self):
        self.serve_blackholed()
        self.assert_step_failed(self.get(), 504, "a")

        def serve():
            while True:
                try:
                    sock, _ = self.full.accept()
                    if sock.recv(65536):
                        sock.sendall(answers.whole(200, "back", headers=[("Connection", "close")]))
                    sock.close()
                except OSError:
                    return

        for filler in self.fillers:
            filler.close()
        threading.Thread(target=serve, daemon=True).start()
        for clock in tries(2.0, 8):
            with clock:
                eventually(lambda: self.get().status == 200, 5.0, "the function used again")
        self.full.shutdown(socket.SHUT_RDWR)

    def test_x02_more_than_may_wait_are_503_at_once(self):
        self.serve_blackholed("--step-connections-max", "2", "--step-waiting-max", "3")
        for clock in tries(QUICK, 8):
            callers = self.send_many(10)
            eventually(lambda: self.connecting() == 2, 1.0, "two connections being tried")
            self.others_are_well()
            with clock:
                self.assert_step_failed(self.get(), 503, "a")
            statuses = [caller.answer().status for caller in callers]
            self.assertEqual(set(statuses), {503, 504})
            # Whether or not those for whom a connection is opened count as waiting.
            self.assertIn(statuses.count(504), (3, 4, 5))

    def test_x02_waiting_for_a_free_connection_has_the_same_limit(self):
        gate = self.gate()
        made = self.function("a", answers.held(gate, answers.text("a")))
        self.served(made.address, "--connect-timeout", "300ms", "--step-connections-max", "1")
        (front,) = self.send_many(1)
        made.wait_for(1)
        for clock in tries(0.35):
            with clock:
                answer = self.get()
            self.assertGreater(clock.seconds, 0.29)
            detail = self.assert_step_failed(answer, 504, "a")
            self.assertRegex(detail, r"(?i)connect.*\b300 ms\b")
        gate.set()
        self.assertEqual(front.answer().body, b"a")
        self.assertEqual(len(made.requests), 1)
        self.assertEqual(self.get().body, b"a")
