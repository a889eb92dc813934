"""Many pipelines as they look in life, in a real server, and what the server has seen of them."""
import json
import random
import socket
import sys
import threading
import time

from lib import ROOT

sys.path.insert(0, str(ROOT / "tests/integration"))

from support.store import PREFIX, StoreServer  # noqa: E402
from support.waiting import eventually  # noqa: E402

# Ten of each, and a pipeline's kind is its number mod 10, so that ten pipelines are the same mixture
# as a hundred thousand.
WORDS = ["process-order", "enrich-customer", "settle-invoice", "index-document", "notify-partner",
         "resize-picture", "score-lead", "archive-ticket", "plan-delivery", "import-catalog"]
FUNCTIONS = ["validate-order", "charge-payment", "send-confirmation", "lookup-customer",
             "reserve-stock", "write-audit-log", "render-template", "detect-language",
             "compute-discount", "publish-event"]
AT_ONCE = 1000


def name_of(number):
    """bench/load/callers.cpp computes the same."""
    return f"{WORDS[number % len(WORDS)]}-{number:06d}"


def config_of(number, version=0):
    """Three steps, two pipelines of ten parallel; each version calls other functions."""
    steps = [FUNCTIONS[(number + version + offset) % len(FUNCTIONS)] for offset in (0, 3, 7)]
    mode = "parallel" if number % 5 == 4 else "sequential"
    return json.dumps({"mode": mode, "steps": steps}, separators=(",", ":"))


def turned(number):
    """The config with the other mode: its answers can be told from those of config_of()."""
    config = json.loads(config_of(number))
    config["mode"] = "parallel" if config["mode"] == "sequential" else "sequential"
    return json.dumps(config, separators=(",", ":"))


def set_command(key, value):
    words = [word.encode() for word in ("SET", key, value)]
    return b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Writer:
    """SETs, many of them on their way at a time."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, commands):
        self._socket.sendall(b"".join(commands))

    def read_replies(self, count):
        missing = 5 * count  # "+OK\r\n" each
        while missing > 0:
            got = self._socket.recv(65536)
            if not got or got.replace(b"+OK\r\n", b"").strip(b"+OK\r\n"):
                raise SystemExit(f"the store answers a SET with {got[:100]!r}")
            missing -= len(got)

    def set_all(self, commands):
        for first in range(0, len(commands), AT_ONCE):
            batch = commands[first:first + AT_ONCE]
            self.send(batch)
            self.read_replies(len(batch))

    def close(self):
        self._socket.close()


class Stored:
    """A server of its own that holds `count` pipelines."""

    def __init__(self, kind, count):
        self.count = count
        self.server = StoreServer(kind).start()
        self.url, self.port = self.server.url, self.server.port
        self._client = self.server.client()
        self.write()

    def write(self, version=0):
        """All of them."""
        writer = Writer(self.port)
        writer.set_all([set_command(PREFIX + name_of(number), config_of(number, version))
                        for number in range(self.count)])
        writer.close()

    def set(self, number, config):
        self._client("SET", PREFIX + name_of(number), config)

    def values_read(self):
        """How many values have been read from it ever since."""
        for line in self._client("INFO", "commandstats").decode().splitlines():
            if line.startswith("cmdstat_getrange:calls="):
                return int(line.partition("=")[2].partition(",")[0])
        return 0

    def wait_until_read(self, count, deadline=120):
        """Until so many values more have been read; returns how many there were before."""
        before = self.values_read()
        eventually(lambda: self.values_read() >= before + count, deadline, f"{count} values read")
        return before

    def wait_until_quiet(self, since, count, deadline=120):
        """Until `count` values have been read since `since`, and no more for a while."""
        seen = [since]

        def quiet():
            seen.append(self.values_read())
            return seen[-1] >= since + count and seen[-1] == seen[-2]

        eventually(quiet, deadline, f"{count} values read, and no more", interval=0.25)
        return seen[-1]

    def close(self):
        self.server.close()


class Storm:
    """SETs at a steady rate, of pipelines chosen at random, until the `with` block ends.

    `prefix`: others than PREFIX are written all the same, and followed by nobody. `seed`: another
    one each time, else the same pipelines would get the configs that they have.
    """

    def __init__(self, stored, rate, seconds, prefix, seed):
        chosen = random.Random(seed)
        numbers = [chosen.randrange(stored.count) for _ in range(int(rate * seconds * 1.5))]
        self._commands = [set_command(prefix + name_of(number), config_of(number, seed))
                          for number in numbers]
        self._rate, self._port = rate, stored.port
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.written, self.seconds = 0, 0.0

    def _write(self):
        writer, began = Writer(self._port), time.monotonic()
        while self.written < len(self._commands):
            due = int((time.monotonic() - began) * self._rate) - self.written
            if due > 0:
                writer.send(self._commands[self.written:self.written + due])
                writer.read_replies(due)
                self.written += due
            if self._ended.wait(max(0, began + (self.written + 1) / self._rate - time.monotonic())):
                break
        self.seconds = time.monotonic() - began
        writer.close()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
