"""Random changes of a real store, one after another, while a program's cores are asked all the time."""

import collections
import math

from support import settings
from support.case import two_cores
from support.process import Process
from support.program import serve
from support.store import PREFIX, StoreServer
from support.store_kinds import Changes
from support.store_model import Wrong, good
from support.waiting import now
from support.watcher import Watcher

NAMES = ("p", "q", "r", "order-eu", "a.b_c~d", "tenant:7@x", "x!$&'()*+,;=", "UPPER", "0", "n" * 128)
# Past the time a change may take, by far: whoever waits so long has missed it.
IN_FORCE_MAX = 2.0
PAUSES = ((0.0, 0.002), (0.0, 0.02), (0.0, 0.06))
PAUSE_WEIGHTS = (5, 4, 1)
COMPARED_EVERY = 250


class Latencies:
    """In milliseconds, from the server's reply to in force on all cores."""

    def __init__(self):
        self.of_kind = collections.defaultdict(list)
        self.without_effect = collections.Counter()

    def all(self):
        return sorted(latency for each in self.of_kind.values() for latency in each)

    def part(self, share):
        ordered = self.all()
        return ordered[round(share * (len(ordered) - 1))] if ordered else float("nan")

    def __str__(self):
        return " ".join(f"{name}={self.part(share):.2f}ms" for name, share in
                        (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)))


class Player(Watcher):
    """Makes changes, and counts how long they take from the server's reply to in force."""

    def __init__(self, program, server, seed, cores):
        super().__init__(program, NAMES, cores, seed)
        self.latencies = Latencies()
        self.played, self.slowest = 0, (0.0, "nothing")
        self._store, self._aside = server.client(), server.client()
        self._changes = Changes(self.random, self.model, self._aside)
        self.observer.also_watch(self._store)

    def play(self, count, seconds_max=math.inf):
        until = now() + seconds_max
        while self.played < count and now() < until:
            change = self._changes.next()
            self.played += 1
            try:
                self._make(change)
                self.pause(self.random.uniform(*self.random.choices(PAUSES, PAUSE_WEIGHTS)[0]))
                if self.played % COMPARED_EVERY == 0:
                    self._compare()
            except Wrong as wrong:
                what = f"change {self.played}, {change.kind} {str(change.commands)[:300]}"
                raise Wrong(f"{what}: {wrong}") from None
        self._compare()

    def _compare(self):
        """The model with the server, and every name with every core."""
        self.model.compare_with(self._aside)
        self.model.begin([])
        self.ask_everything()

    def _make(self, change):
        if change.settle is not None:
            self.all_idle()  # which states are right is not known before the replies
        names = self.model.begin(change.effects)
        for words in change.commands:
            self._store.send(*words)
        while not self.observer.turn(IN_FORCE_MAX):
            self.ask_about(names)
        replies = [self._store.reply() for _ in change.commands]
        if change.settle is not None:
            names = self.model.begin(change.settle(replies))
        replied = now()
        if change.until_gone is not None:
            replied = self._gone(change.until_gone, names)
        right = self.until_right(names, replied, IN_FORCE_MAX)
        if any(name.changes() for name in names):
            latency = 1000 * max(0.0, right - replied)
            self.latencies.of_kind[change.kind].append(latency)
            self.slowest = max(self.slowest, (latency, f"{change.kind} {str(change.commands)[:200]}"))
        else:
            self.latencies.without_effect[change.kind] += 1

    def _gone(self, name, names):
        """When the server said that it is gone."""
        until = now() + 10 * IN_FORCE_MAX
        while now() < until:
            self._store.send("TYPE", PREFIX + name)
            while not self.observer.turn(IN_FORCE_MAX):
                self.ask_about(names)
            if self._store.reply() == "none":
                return now()
        raise Wrong(f"the server never let go of {name}")


class Setting:
    """A server, a function that says which step was called, and a program on two cores."""

    def __init__(self, kind, flags=(), forbidden=()):
        self._ends, self.first = [], {name: good(f"first-{name[:1]}") for name in NAMES[:3]}
        try:
            self._start(kind, flags, forbidden)
        except BaseException:
            self.close()
            raise

    def _start(self, kind, flags, forbidden):
        self.server = StoreServer(kind)
        self._ends.append(self.server.close)
        self.server.start()
        db = self.server.client()
        db("MSET", *(word for name, value in self.first.items() for word in (PREFIX + name, value.text)))
        url = self.server.url
        if forbidden:
            db("ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", *(f"-{each}" for each in forbidden))
            url = url.replace("//", "//app:pw@")
        function = Process([settings.helper("timed_function"), "0"])
        self._ends.append(function.kill)
        address = function.wait_for_line(r"^(127\.0\.0\.1:\d+)$", stream="stdout")[1]
        self.program = serve(url, "--refresh-interval", "1h", "--step-url", f"http://{address}/{{step}}",
                             *flags, cores=two_cores())
        self._ends.append(self.program.kill)
        self.program.wait_until_ready()

    def play(self, count, seed, seconds_max=math.inf):
        """The player, afterwards; Wrong when an answer was wrong."""
        player = Player(self.program, self.server, seed, two_cores())
        self._ends.append(player.close)
        player.begin(self.first)
        player.play(count, seconds_max)
        self.program.stop()
        return player

    def close(self):
        while self._ends:
            self._ends.pop()()
