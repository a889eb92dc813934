"""How soon a running program answers while other things happen."""

import threading

from support import client
from support.waiting import now


class Probe:
    """Asks for one thing again and again, on a new connection each time, until finish()."""

    def __init__(self, address, target, pause=0.02):
        self._address, self._target, self._pause = address, target, pause
        self._ms, self._stopping = [], threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self):
        while not self._stopping.wait(self._pause):
            begun = now()
            answer = client.call(self._address, "GET", self._target)
            self._ms.append(1000 * (now() - begun) if answer.status == 200 else float("inf"))

    def finish(self):
        """(p99 in milliseconds, the most, how many)"""
        self._stopping.set()
        self._thread.join()
        times = sorted(self._ms)
        return times[len(times) * 99 // 100], times[-1], len(times)
