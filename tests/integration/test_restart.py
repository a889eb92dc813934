"""Ending and beginning again without a caller who notices: SIGTERM under load, LISTEN_FDS, SIGHUP."""

import os
import signal
import socket
import sys
import threading

from support import answers, client
from support.case import Case, two_cores
from support.program import Program
from support.store import config
from support.waiting import eventually

# Becomes the program behind its words, with descriptors from 3 on as sd_listen_fds(3) tells.
PASS = """
import os, sys
given = list(map(int, sys.argv[1].split(",")))
for number, descriptor in enumerate(given):
    os.dup2(descriptor, 100 + number)
for number in range(len(given)):
    os.dup2(100 + number, 3 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)), LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


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
        descriptors = [each.fileno() for each in sockets]
        before = (sys.executable, "-c", PASS, ",".join(map(str, descriptors)), names)
        program = Program("--cores", str(cores), *self.words, before=before, pass_fds=descriptors)
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
