"""The base of the test classes: a running program, its functions and its store."""

import os
import socket
import threading
import unittest

from support.client import Client, call
from support.function import Function
from support.program import serve
from support.store import StoreDirectory, config


def pipelines_of(**steps):
    """name="a,b" → sequential configs; a leading `|` makes it parallel: name="|a,b"."""
    made = {}
    for name, words in steps.items():
        mode = "parallel" if words.startswith("|") else "sequential"
        names = [word for word in words.lstrip("|").split(",") if word]
        made[name.replace("_", "-")] = config(*names, mode=mode)
    return made


def two_cores():
    """As many cores as two, where the machine has them."""
    return min(2, len(os.sched_getaffinity(0)))


class Case(unittest.TestCase):
    """Nothing is started yet; whatever a test starts through here ends with it."""

    maxDiff = 4000

    def gate(self):
        """An Event that is opened at the end of the test at the latest."""
        event = threading.Event()
        self.addCleanup(event.set)
        return event

    def function(self, name, script=None):
        made = Function(name, script)
        self.addCleanup(made.close)
        return made

    def directory(self, pipelines=None):
        made = StoreDirectory(pipelines)
        self.addCleanup(made.close)
        return made

    def start(self, cache_url, *arguments, ready=True, **more):
        """Starts `serve`; at the end of the test it is stopped, unless it ended before."""
        program = serve(cache_url, *arguments, **more)

        def stop():
            try:
                if program.alive():
                    program.stop()
                else:
                    program.wait()
            finally:
                program.kill()

        self.addCleanup(stop)
        return program.wait_until_ready() if ready else program

    def connect(self, address, **more):
        client = Client(address, **more)
        self.addCleanup(client.close)
        return client

    def refusing_address(self):
        """A port that is taken and does not listen: connecting to it is refused."""
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        return f"127.0.0.1:{taken.getsockname()[1]}"

    def assert_error(self, answer, status, body):
        """An error of our own: exact status, exact JSON bytes, JSON content-type, a request id."""
        self.assertEqual((answer.status, answer.body), (status, body.encode()))
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertTrue(answer.header("x-request-id"), "no x-request-id")

    def assert_step_failed(self, answer, status, step):
        """`{"error":"Step failed","step":…,"detail":…}`; returns the detail."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertEqual(answer.keys(), ["error", "step", "detail"])
        told = answer.json()
        self.assertEqual((told["error"], told["step"]), ("Step failed", step))
        self.assertIsInstance(told["detail"], str)
        self.assertTrue(told["detail"], "the reason is empty")
        return told["detail"]


class ServedCase(Case):
    """One program for the whole class, over a directory of pipelines, with fake functions a, b, c."""

    functions = ("a", "b", "c")
    pipelines = pipelines_of(one="a", two="a,b", three="a,b,c", all="|a,b,c", both="|a,b", alone="|a")
    arguments = ()
    cores = 1
    env = None

    @classmethod
    def setUpClass(cls):
        cls.fn = {name: Function(name) for name in cls.functions}
        for made in cls.fn.values():
            cls.addClassCleanup(made.close)
        cls.store = StoreDirectory(cls.pipelines)
        cls.addClassCleanup(cls.store.close)
        resolve = {name: made.address for name, made in cls.fn.items()}
        resolve.update(cls.more_resolve())
        cls.program = serve(
            cls.store.url, *cls.arguments, cores=cls.cores, resolve=resolve, env=cls.env
        )
        cls.addClassCleanup(cls.program.kill)
        cls.program.wait_until_ready()
        cls.address = cls.program.address

    @classmethod
    def more_resolve(cls):
        return {}

    @classmethod
    def tearDownClass(cls):
        cls.program.stop()

    def setUp(self):
        for made in self.fn.values():
            made.reset()

    def tearDown(self):
        self.program.complain_if_dead()
        problems = [problem for made in self.fn.values() for problem in made.problems]
        self.assertEqual(problems, [], "a function was sent something that is not good HTTP")

    def call(self, target, method="GET", headers=(), body=None, **more):
        return call(self.address, method, target, headers, body, **more)

    def post(self, target, body=b"{}", headers=(), **more):
        return call(self.address, "POST", target, headers, body, **more)

    def client(self, **more):
        return self.connect(self.address, **more)
