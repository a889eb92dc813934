"""Machines that have no descriptor left, or stop the program and let it go on: HTTP.md section 7, X16, X17, X29."""

import os
import resource
import signal
import socket

from support import answers, client
from support.case import Case
from support.store import config
from support.waiting import eventually, trickle_pause

SPARE = 8


class MachineCase(Case):
    def setUp(self):
        self.a = self.function("a", answers.text("out"))
        self.store = self.directory({"p": config("a"), "gone": config("b")})
        self.program = self.start(self.store.url, cores=1, resolve={"a": self.a.address, "b": self.refusing_address()})

    def call(self, pipeline="p"):
        return self.program.call("POST", f"/orchestrate/{pipeline}", body=b"in")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.program.pid}/fd"))

    def allow(self, descriptors):
        _, most = resource.prlimit(self.program.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.program.pid, resource.RLIMIT_NOFILE, (descriptors, most))

    def cpu_seconds(self):
        with open(f"/proc/{self.program.pid}/schedstat", encoding="ascii") as file:
            own = int(file.read().split()[0])
        for thread in os.listdir(f"/proc/{self.program.pid}/task"):
            with open(f"/proc/{self.program.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                own += int(file.read().split()[0])
        return own / 1e9


class NoDescriptors(MachineCase):
    takes_all_descriptors = True

    def setUp(self):
        super().setUp()
        self.assertEqual(self.call().status, 200)
        self.before = self.descriptors()
        self.allow(self.before + SPARE)

    def fill(self):
        """Connections until none is accepted any more; that of the last ones waits."""
        waiting = [self.connect(self.program.address) for _ in range(4 * SPARE)]
        eventually(lambda: self.descriptors() >= self.before + SPARE, 5.0, "no descriptor being left")
        return waiting

    def test_x16_it_does_not_spin_and_goes_on_when_there_are_some_again(self):
        waiting = self.fill()
        begun = self.cpu_seconds()
        trickle_pause(1.0)
        self.assertLess(self.cpu_seconds() - begun, 0.2, "a busy loop")
        self.allow(4096)
        for each in waiting:
            each.send_request("GET", "/health")
        for each in waiting:
            self.assertEqual(each.answer().status, 200)

    def test_x16_those_that_are_connected_are_served_meanwhile(self):
        caller = self.connect(self.program.address)
        self.assertEqual(caller.call("POST", "/orchestrate/p", body=b"in").status, 200)
        self.fill()
        for _ in range(20):
            self.assertEqual(caller.call("POST", "/orchestrate/p", body=b"in").body, b"out")

    def test_x17_a_call_without_a_descriptor_is_502_and_the_next_one_goes_well(self):
        caller = self.connect(self.program.address)
        self.assertEqual(caller.call("GET", "/health").status, 200)
        self.fill()
        for _ in range(5):
            self.assertIn(caller.call("POST", "/orchestrate/gone", body=b"in").status, (502, 503))
        self.allow(4096)
        self.assertEqual(caller.call("POST", "/orchestrate/p", body=b"in").body, b"out")

    def test_descriptors_come_back(self):
        waiting = self.fill()
        for each in waiting:
            each.close()
        eventually(lambda: self.descriptors() <= self.before, 5.0, "descriptors being as many as before")
        self.assertEqual(self.call().status, 200)


class Stopped(MachineCase):
    def test_x29_it_goes_on_after_sigcont(self):
        gate = self.gate()
        self.a.script = answers.held(gate, answers.text("out"))
        caller = self.connect(self.program.address)
        caller.send_request("POST", "/orchestrate/p", body=b"in")
        self.a.wait_for(1)
        self.program.send_signal(signal.SIGSTOP)
        late = socket.create_connection(self.program.address)
        self.addCleanup(late.close)
        late.sendall(client.request_bytes("GET", "/health"))
        gate.set()
        trickle_pause(1.0)
        self.program.send_signal(signal.SIGCONT)
        self.assertEqual(caller.answer().body, b"out")
        self.assertTrue(late.recv(100).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(self.call().body, b"out")

    def test_x29_signals_that_mean_nothing_do_nothing(self):
        for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH, signal.SIGURG):
            self.program.send_signal(number)
        for _ in range(20):
            self.assertEqual(self.call().body, b"out")
