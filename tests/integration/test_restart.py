"""Ending and beginning again without a caller who notices: SIGTERM under load, LISTEN_FDS, SIGHUP."""

import os
import signal
import socket
import threading

from support import answers, client
from support.case import Case, two_cores
from support.passing import passed_to
from support.process import Process
from support.program import serve
from support.store import config
from support.waiting import eventually


class Callers:
    """Calls one after the other, each on a connection of its own or on one for all, until stop()."""

    def __init__(self, address, count, target, keeps_connection):
        self._address, self._target, self._keeps = address, target, keeps_connection
        self._stopping = threading.Event()
        self.answered, self.wrong = 0, []
        self._threads = [threading.Thread(target=self._call) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _call(self):
        caller = None
        while not self._stopping.is_set():
            try:
                caller = caller or client.Client(self._address)
                answer = caller.call("POST", self._target, body=b"in")
                if (answer.status, answer.body) != (200, b"out"):
                    self.wrong.append(f"{answer.status} {answer.body!r}")
                self.answered += 1
                if not self._keeps or answer.says_close:
                    caller.close()
                    caller = None
            except Exception as error:  # whatever a caller would see is counted
                self.wrong.append(repr(error))
                caller = None

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join()


class RestartCase(Case):
    def setUp(self):
        self.a = self.function("a", answers.text("out"))
        self.store = self.directory({"p": config("a")})
        self.words = ["--cache-url", self.store.url, "--resolve", f"a={self.a.address}"]

    def listening(self):
        made = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.addCleanup(made.close)
        return made

    def passed(self, sockets, names="", cores=two_cores()):
        program = passed_to(sockets, *self.words, names=names, cores=cores)
        self.addCleanup(program.kill)
        return program

    def callers(self, address, **more):
        callers = Callers(address, 4, "/orchestrate/p", **more)
        self.addCleanup(callers.stop)
        return callers


class Passed(RestartCase):
    def test_it_listens_on_what_it_is_passed_and_not_on_its_own(self):
        public, admin = self.listening(), self.listening()
        program = self.passed([public, admin], "http:admin")
        self.assertEqual(program.address, public.getsockname())
        self.assertEqual(program.admin_address, admin.getsockname())
        program.wait_until_ready()
        self.assertEqual(program.call("POST", "/orchestrate/p", body=b"in").body, b"out")
        self.assertEqual(client.call(program.admin_address, "GET", "/orchestrate/p").status, 404)
        program.stop()

    def test_variables_for_another_process_are_not_followed(self):
        program = self.start(self.store.url, env={"LISTEN_FDS": "1", "LISTEN_PID": "1"})
        self.assertEqual(program.call("GET", "/health").status, 200)

    def test_what_is_no_listening_socket_is_named(self):
        connected = socket.create_connection(self.listening().getsockname())
        self.addCleanup(connected.close)
        program = self.passed([connected])
        self.assertEqual(program.wait(), 1)
        self.assertRegex(program.stderr, "descriptor 3 of LISTEN_FDS is no stream socket that listens")

    def test_a_unix_sockets_file_stays(self):
        path = os.path.join(self.store.path, "socket")
        made = socket.socket(socket.AF_UNIX)
        self.addCleanup(made.close)
        made.bind(path)
        made.listen(100)
        program = self.passed([made])
        eventually(lambda: client.call(path, "GET", "/readyz").status == 200, 5.0, "readiness")
        self.assertEqual(client.call(path, "POST", "/orchestrate/p", body=b"in").body, b"out")
        program.stop()
        self.assertTrue(os.path.exists(path))

    def test_restarts_under_load_lose_nothing(self):
        public = self.listening()
        program = self.passed([public])
        program.wait_until_ready()
        callers = [self.callers(public.getsockname(), keeps_connection=keeps) for keeps in (True, False)]
        for _ in range(3):
            program.stop()
            before = [each.answered for each in callers]
            program = self.passed([public])
            eventually(lambda: all(each.answered > 50 + had for each, had in zip(callers, before)),
                       20.0, f"callers being answered again: {[each.wrong for each in callers]}")
        for each in callers:
            each.stop()
            self.assertEqual(each.wrong, [])
        program.stop()


class Beside(RestartCase):
    def beside(self, last):
        program = serve(None, *self.words, "--replace", str(last.pid), cores=two_cores(),
                        listen=("%s:%d" % last.address,))
        self.addCleanup(program.kill)
        return program

    def test_the_next_takes_over_under_load_and_nothing_is_lost(self):
        program = self.start(self.store.url, cores=two_cores(), resolve={"a": self.a.address})
        callers = [self.callers(program.address, keeps_connection=keeps) for keeps in (True, False)]
        for _ in range(3):
            last, program = program, self.beside(program)
            self.assertEqual(last.wait(10.0), 0, last.stderr)
            before = [each.answered for each in callers]
            eventually(lambda: all(each.answered > 50 + had for each, had in zip(callers, before)),
                       20.0, f"callers being answered: {[each.wrong for each in callers]}")
        for each in callers:
            each.stop()
            self.assertEqual(each.wrong, [])
        program.stop()

    def test_without_pipelines_the_last_one_goes_on(self):
        program = self.start(self.store.url, cores=1, resolve={"a": self.a.address})
        beside = serve("redis://127.0.0.1:1", "--replace", str(program.pid), listen=("%s:%d" % program.address,))
        self.addCleanup(beside.kill)
        beside.wait_for_line("store unreachable")
        self.assertTrue(program.alive())
        beside.stop()
        self.assertEqual(program.call("POST", "/orchestrate/p", body=b"in").body, b"out")

    def test_another_program_is_left_alone(self):
        other = Process(["sleep", "60"])
        self.addCleanup(other.kill)
        program = self.start(self.store.url, "--replace", str(other.pid), ready=False)
        program.wait_for_line(f"cannot end the server to be replaced.*{other.pid} is another program, 'sleep'")
        self.assertTrue(other.alive())
        self.assertEqual(program.call("GET", "/health").status, 200)

    def test_it_does_not_replace_itself(self):
        program = self.start(self.store.url, before=("sh", "-c", 'exec "$@" --replace $$', "sh"))
        program.wait_for_line(f"cannot end the server to be replaced.*{program.pid} is this process itself")
        self.assertEqual(program.call("GET", "/health").status, 200)

    def test_one_that_cannot_be_ended_is_said(self):
        program = self.start(self.store.url, "--replace", "4194304", ready=False)
        program.wait_for_line("cannot end the server to be replaced.*4194304")
        self.assertEqual(program.call("GET", "/health").status, 200)


class UnderLoad(RestartCase):
    def test_a_reload_of_tokens_fails_no_request(self):
        tokens = os.path.join(self.store.path, "tokens")
        with open(tokens, "w", encoding="ascii") as file:
            file.write("one\n")
        program = self.start(self.store.url, "--auth-token-file", tokens, cores=two_cores(),
                             resolve={"a": self.a.address}, ready=False)
        eventually(lambda: program.call("GET", "/readyz").status == 200, 5.0, "readiness")
        wrong, stopping = [], threading.Event()

        def call():
            with client.Client(program.address) as caller:
                while not stopping.is_set():
                    answer = caller.call("POST", "/orchestrate/p", [("authorization", "Bearer one")], b"in")
                    if answer.status != 200:
                        wrong.append(answer.status)

        thread = threading.Thread(target=call)
        thread.start()
        for number in range(20):
            with open(tokens, "w", encoding="ascii") as file:
                file.write(f"one\ntwo{number}\n")
            program.send_signal(signal.SIGHUP)
            headers = [("authorization", f"Bearer two{number}")]
            eventually(lambda: program.call("POST", "/orchestrate/p", headers, b"in").status == 200, 2.0, "the token")
        stopping.set()
        thread.join()
        self.assertEqual(wrong, [])
