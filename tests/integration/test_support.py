"""The tools of this suite tell good from bad: fake functions, the strict reader, the store client."""

import signal
import sys

import run
from support import answers, client, resp, wire
from support.case import Case
from support.process import Process
from support.store import PREFIX, StoreServer
from support.waiting import eventually, tries


class FakeFunction(Case):
    def setUp(self):
        self.f = self.function("f")
        self.address = ("127.0.0.1", self.f.port)

    def call(self, script, method="POST", body=b"in"):
        self.f.script = script
        return client.call(self.address, method, "/x?q=1", [("A", "b")], body)

    def test_records_what_it_received(self):
        answer = self.call(answers.text("hi"))
        self.assertEqual((answer.status, answer.body), (200, b"hi"))
        request = self.f.only_request()
        self.assertEqual((request.method, request.target, request.body), ("POST", "/x?q=1", b"in"))
        self.assertEqual(request.names(), ["a", "content-length", "host"])

    def test_answers_in_each_framing(self):
        self.assertEqual(self.call(answers.chunked(b"ab", b"c")).body, b"abc")
        self.assertEqual(self.call(answers.until_end(b"abc")).body, b"abc")
        self.assertEqual(self.call(answers.until_end(b"abc", "1.0")).body, b"abc")
        self.assertEqual(self.call(answers.closing(b"abc")).body, b"abc")
        self.assertEqual(self.call(answers.byte_by_byte(answers.whole(200, "abc"))).body, b"abc")
        self.assertEqual(self.call(answers.reply(204)).status, 204)

    def test_interim_answers_are_told_apart(self):
        data = answers.head(100) + answers.head(103) + answers.whole(200, "x")
        self.assertEqual(self.call(answers.raw(data)).interim, [100, 103])

    def test_a_cut_answer_is_noticed(self):
        with self.assertRaises(wire.Closed):
            self.call(answers.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "close"))
        with self.assertRaises(wire.Closed):
            self.call(answers.reset_without_answer)

    def test_a_second_answer_is_noticed(self):
        self.f.script = answers.raw(answers.whole(200, "a") * 2)
        caller = self.connect(self.address)
        self.assertEqual(caller.call("GET", "/").body, b"a")
        with self.assertRaises(wire.WireError):
            caller.expect_quiet_and_open()

    def test_waits_for_a_gate(self):
        gate = self.gate()
        self.f.script = answers.held(gate, answers.text("late"))
        caller = self.connect(self.address)
        caller.send_request("GET", "/")
        self.f.wait_for(1)
        gate.set()
        self.assertEqual(caller.answer().body, b"late")

    def test_refuses_a_request_that_is_not_http(self):
        caller = self.connect(self.address)
        caller.send(b"GET / HTTP/1.1\nHost: x\r\n\r\n")
        caller.expect_closed()
        eventually(lambda: self.f.problems, saying="a problem being recorded")

    def test_strict_reader_refuses(self):
        for data in (
            b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\na",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nX\r\n0\r\n\r\n",
        ):
            with self.assertRaises(wire.WireError, msg=repr(data)):
                self.call(answers.raw(data, "close"))


class Tables(Case):
    def test_each_row_of_answers_and_faults_has_a_test(self):
        names = "\n".join(test for _, _, tests in run.discover("") for test in tests)
        wanted = [f"u{number:02}" for number in range(1, 34)] + [f"x{number:02}" for number in range(1, 12)]
        self.assertEqual([row for row in wanted if f"_{row}_" not in names], [])


class Clocks(Case):
    def taking(self, *seconds, bound=1.0):
        """How many tries it took, each said to be so long."""
        made = 0
        for clock in tries(bound, len(seconds)):
            clock.seconds = seconds[made]
            made += 1
        return made

    def test_one_try_in_time_is_enough(self):
        self.assertEqual(self.taking(3.0, 0.9, 5.0), 2)

    def test_all_late_is_a_failure(self):
        with self.assertRaisesRegex(AssertionError, "1.0 s allowed; it took 1.1000 s, 1.2000 s"):
            self.taking(1.1, 1.2)

    def test_what_was_not_measured_is_a_failure(self):
        with self.assertRaisesRegex(AssertionError, "inf"):
            for _ in tries(1.0, 2):
                pass

    def test_a_wrong_try_is_a_failure_however_fast(self):
        with self.assertRaisesRegex(AssertionError, "wrong"):
            for clock in tries(1.0):
                with clock:
                    self.fail("wrong")


class StoreServers(Case):
    def check(self, kind):
        server = StoreServer(kind).start()
        self.addCleanup(server.close)
        server.set("p", "{}")
        self.assertEqual(server.get("p"), b"{}")
        over_unix = resp.StoreClient(server.socket_path)
        self.addCleanup(over_unix.close)
        self.assertEqual(over_unix("KEYS", PREFIX + "*"), [PREFIX.encode() + b"p"])
        with self.assertRaises(resp.ReplyError):
            over_unix("NO-SUCH-COMMAND")
        server.restart()
        self.assertIsNone(server.get("p"))

    def test_valkey_starts_and_restarts_empty(self):
        self.check("valkey")

    def test_redis_starts_and_restarts_empty(self):
        self.check("redis")


class Processes(Case):
    def python(self, code):
        made = Process([sys.executable, "-c", code])
        self.addCleanup(made.kill)
        return made

    def test_a_sanitizer_report_is_a_failure(self):
        made = self.python("import sys; sys.stderr.write('x.cpp:1: runtime error: bad\\n')")
        with self.assertRaisesRegex(AssertionError, "sanitizer report"):
            made.wait()

    def test_an_exit_status_other_than_0_is_a_failure(self):
        code = "import signal,sys;signal.signal(15,lambda *_:sys.exit(3));print('up',file=sys.stderr)"
        made = self.python(code + ";sys.stderr.flush();signal.pause()")
        made.wait_for_line("up")
        with self.assertRaisesRegex(AssertionError, "exit status 3"):
            made.stop(signal.SIGTERM)

    def test_an_early_death_is_noticed_while_waiting_for_a_line(self):
        with self.assertRaisesRegex(AssertionError, "ended by itself with 7"):
            self.python("raise SystemExit(7)").wait_for_line("never said")
