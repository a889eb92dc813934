"""The program, following a store: when it is ready, what it holds, what its threads cost."""
import pathlib
import re
import socket
import subprocess
import tempfile
import time

from lib import pinned, threads
from pipelines import WORDS, eventually, name_of

BODY = b'{"orderId":123}'
LATENCIES = ("p50", "p99", "p99.9", "max")


class Caller:
    """One kept connection."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, method, target, body=b""):
        """The answer's status and body."""
        self._socket.sendall(f"{method} {target} HTTP/1.1\r\nHost: bench\r\nContent-Length: "
                             f"{len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while True:
            got = self._socket.recv(65536)
            if not got:
                raise SystemExit("the program closed a connection")
            answer += got
            head, end, rest = answer.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            if end and len(rest) == int(length.group(1)):
                return int(head.split()[1]), rest

    def close(self):
        self._socket.close()


class Followed:
    """One program with one worker, pinned by itself to the first CPU; the control thread is not.

    The log goes to a file: nobody who reads a pipe takes a CPU, or holds the program up.
    """

    def __init__(self, build, stored, functions, cpus, flags=()):
        self.stored = stored
        self._log = tempfile.NamedTemporaryFile(prefix="fnkit-store-log-")
        command = [pathlib.Path(build) / "fnkit-orchestrator", "serve", "--listen", "127.0.0.1:0",
                   "--cores", "1", "--cache-url", stored.url, *flags]
        for step, address in functions.items():
            command += ["--resolve", f"{step}={address}"]
        began = time.monotonic()
        self.process = pinned(cpus, command, stderr=self._log, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        try:
            self.address = eventually(self._listening, 10, "listening", interval=0.001)
            caller = Caller(self.address)
            eventually(lambda: caller.call("GET", "/readyz")[0] == 200, 120, "ready",
                       interval=0.002)
            self.seconds_to_ready = time.monotonic() - began
            caller.close()
        except BaseException:
            self.close()
            raise

    def _listening(self):
        found = re.search(r"listening.*address=(\S+)", pathlib.Path(self._log.name).read_text())
        return found and found.group(1)

    def resident_bytes(self):
        rollup = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Rss: +(\d+)", rollup, re.MULTILINE).group(1)) * 1024

    def control(self):
        """The control thread's CPU seconds; it is the first one."""
        return threads(self.pid)[self.pid][0] / 1e9

    def worker(self):
        """CPU seconds of the worker, and seconds that it was ready to run and did not."""
        of_threads = threads(self.pid)
        worker = next(times for thread, times in of_threads.items()
                      if pathlib.Path(f"/proc/{self.pid}/task/{thread}/comm").read_text() == "worker/0\n")
        return worker[0] / 1e9, worker[1] / 1e9

    def control_cpu(self):
        """The number of the CPU that the control thread ran on last."""
        stat = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[36])

    def turn(self, caller, number, config, merged):
        """Milliseconds from the store's reply to the first answer by `config`.

        `merged`: its mode is parallel, so the answer is not that of the last function.
        """
        self.stored.set(number, config)
        replied = time.monotonic()
        target = "/orchestrate/" + name_of(number)
        while caller.call("POST", target, BODY)[1].startswith(b'{"id"') == merged:
            if time.monotonic() > replied + 5:
                raise SystemExit(f"{target} was not changed in 5 s")
        return (time.monotonic() - replied) * 1e3

    def close(self):
        self.process.terminate()
        self.process.wait()
        self._log.close()


class Load:
    """Calls spread over a program's pipelines, and what they have shown."""

    def __init__(self, options, rate):
        self._callers = pathlib.Path(options.build) / "bench/callers"
        self._connections, self._rate = options.connections, rate

    def run(self, followed, seconds, called=None):
        """How many calls, how many a second, and the latencies in milliseconds by name.

        To the first `called` pipelines; all unless told.
        """
        words = [self._callers, followed.address, self._connections, seconds, self._rate,
                 ",".join(WORDS), called or followed.stored.count]
        done = subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE,
                              text=True)
        calls, failed, took, *times = map(int, done.stdout.split())
        if failed:
            raise SystemExit(f"{failed} of {calls} calls failed")
        return calls, calls / (took / 1e9), dict(zip(LATENCIES, (time / 1e6 for time in times)))
