"""Watches what each core answers: keep-alive connections, one known to be on each, and no threads.

The kernel spreads connections over the cores' listeners. Which core serves one is seen from outside:
its thread is the one whose run time grows while requests are sent over that connection alone.
"""

import json
import os
import re
import selectors
import socket

from support.waiting import now

CONNECTIONS_MAX = 100
REQUESTS_TO_TELL = 40
ANSWER_DEADLINE = 10.0
GONE, INVALID = "gone", "invalid"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def meaning(status, body):
    """The function that answered, GONE, INVALID, or the words of an answer that should not be."""
    try:
        told = json.loads(body)
        if status == 200:
            return told["target"].strip("/")
        if status == 404 and told["error"].startswith("Pipeline not found: "):
            return GONE
        if status == 500 and told["error"].startswith("Pipeline config invalid: "):
            return INVALID
    except (ValueError, KeyError, TypeError):
        pass
    return f"{status} {body[:300]!r}"


class CoreConnection:
    """One request at a time: ask(), and answer() when its socket is readable."""

    def __init__(self, address):
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(ANSWER_DEADLINE)
        self.name, self.sent = None, 0.0
        self._input = b""

    def fileno(self):
        return self.socket.fileno()

    def ask(self, name):
        self.name, self.sent, self._input = name, now(), b""
        self._send(f"/orchestrate/{name}")

    def _send(self, target):
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: observer\r\n\r\n".encode())

    def answer(self):
        """What the answer means; None while it is incomplete."""
        received = self.socket.recv(65536)
        if not received:
            raise AssertionError("the program closed a connection on which it was asked")
        self._input += received
        head, ended, body = self._input.partition(b"\r\n\r\n")
        if not ended:
            return None
        length = int(_LENGTH.search(head)[1])
        if len(body) < length:
            return None
        self.name, asked = None, self.name
        if asked is not None and len(body) > length:
            raise AssertionError(f"bytes behind the answer about {asked}: {body[length:]!r}")
        return meaning(int(head.split(None, 2)[1]), body)

    def make_work(self):
        """Many requests that leave everything as it is."""
        for _ in range(REQUESTS_TO_TELL):
            self._input = b""
            self._send("/livez")
            while self.answer() is None:
                pass


def run_times(pid):
    """Each thread's nanoseconds on a CPU."""
    times = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
            times[task] = int(stat.read().split()[0])
    return times


def thread_of(connection, pid):
    before = run_times(pid)
    connection.make_work()
    after = run_times(pid)
    return max(after, key=lambda task: after[task] - before.get(task, 0))


def connections_to_each_core(program, cores):
    """One connection a core; the program must have nothing else to do meanwhile."""
    found, others = {}, []
    try:
        while len(found) < cores:
            if len(found) + len(others) >= CONNECTIONS_MAX:
                raise AssertionError(f"{CONNECTIONS_MAX} connections reach {len(found)} cores")
            connection = CoreConnection(program.address)
            others.append(connection)
            thread = thread_of(connection, program.pid)
            if thread not in found:
                found[thread] = others.pop()
        return list(found.values())
    except BaseException:
        others += found.values()
        raise
    finally:
        for connection in others:
            connection.socket.close()


class Observer:
    """Asks each core about names, one request at a time on each, and hands every answer to `judge`.

    `judge(core, name, sent, answer)`: the core's number, when the request was sent, what it means.
    """

    def __init__(self, program, cores, judge):
        self._connections = connections_to_each_core(program, cores)
        self._judge = judge
        self._selector = selectors.DefaultSelector()
        for core, connection in enumerate(self._connections):
            self._selector.register(connection, selectors.EVENT_READ, core)
        self.asked = 0

    def also_watch(self, source):
        """turn() returns True when this has something to read."""
        self._selector.register(source, selectors.EVENT_READ, None)

    def watch_no_more(self, source):
        self._selector.unregister(source)

    def last_asked(self, core):
        return self._connections[core].sent

    def idle(self):
        """Numbers of the cores that may be asked."""
        return [core for core, each in enumerate(self._connections) if each.name is None]

    def ask(self, core, name):
        self._connections[core].ask(name)
        self.asked += 1

    def turn(self, seconds):
        """Waits for something to happen, at most so long, and hands on what was answered."""
        other = False
        for key, _ in self._selector.select(max(0.0, seconds)):
            if key.data is None:
                other = True
                continue
            connection = self._connections[key.data]
            name = connection.name
            answer = connection.answer()
            if answer is not None:
                self._judge(key.data, name, connection.sent, answer)
        return other

    def close(self):
        self._selector.close()
        for connection in self._connections:
            connection.socket.close()
