"""The base of tests of section 4: a program on two cores, a real server, and several connections."""

import sys

from support import answers
from support.case import Case, two_cores
from support.store import StoreServer
from support.waiting import eventually

# Enough for the kernel to spread them over both cores' listeners.
CONNECTIONS = 12
# The contract's 50 ms at p99 is measured by a benchmark; here only that it is not the polling.
IN_FORCE = 1.0
NEVER = "1h"


class StoreCase(Case):
    """Functions `one` and `two` answer with their names. Subclasses say which server."""

    kind = None

    def setUp(self):
        self.fn = {name: self.function(name, answers.text(name)) for name in ("one", "two")}
        self.server = StoreServer(self.kind)
        self.addCleanup(self.server.close)
        self.server.start()

    def serve(self, *arguments, url=None, refresh=NEVER, **more):
        self.program = self.start(
            url or self.server.url,
            "--refresh-interval", refresh, *arguments,
            cores=two_cores(),
            resolve={name: made.address for name, made in self.fn.items()},
            **more,
        )
        self.callers = [self.connect(self.program.address) for _ in range(CONNECTIONS)]
        return self.program

    def answers_of(self, name):
        """What the connections are told: the set of (status, first words)."""
        got = (caller.call("GET", f"/orchestrate/{name}") for caller in self.callers)
        return {(answer.status, answer.body if answer.status == 200 else b"") for answer in got}

    def in_force(self, name, *wanted, deadline=IN_FORCE):
        """Waits until every connection, so every core, gives exactly this answer."""
        last = []

        def look():
            last[:] = [self.answers_of(name)]
            if last[0] != {wanted}:
                raise AssertionError(f"it answers {last[0]}")
            return True

        eventually(look, deadline, f"/orchestrate/{name} answering {wanted} everywhere")

    def runs(self, name, function, deadline=IN_FORCE):
        self.in_force(name, 200, function.encode(), deadline=deadline)

    def gone(self, name, deadline=IN_FORCE):
        self.in_force(name, 404, b"", deadline=deadline)


def with_both_servers(cls):
    """Puts the tests of `cls` into its module twice: once with Valkey and once with Redis."""
    module = sys.modules[cls.__module__]
    for kind in ("valkey", "redis"):
        name = f"{cls.__name__.removesuffix('Base')}With{kind.capitalize()}"
        made = type(name, (cls,), {"kind": kind, "__module__": cls.__module__})
        setattr(module, name, made)
