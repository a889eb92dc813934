"""A steady load on a program, of which every call is kept: when it was sent and how long it waited.

And whether it was the machine that stood still then, which is nothing that the program could mend.
"""

import math

from support import settings
from support.process import Process, complain_of_sanitizers
from support.waiting import now

CALLERS_PER_PIPELINE = 24
LAST_ANSWERS_SECONDS = 15


class Stalls:
    """When even a thread that goes before all others did not run on some CPU."""

    def __init__(self):
        self._process = Process([settings.helper("stalls")])
        self._process.wait_for_line("^watching", stream="stdout")

    def found(self):
        """(begin, end), in order and apart from each other."""
        lines = [line.split() for line in self._process.stdout.splitlines()]
        spans = sorted((int(words[2]) / 1e9, int(words[3]) / 1e9) for words in lines if words[0] == "stall")
        joined = []
        for begin, end in spans:
            if joined and begin <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((begin, end))
        return joined

    def close(self):
        self._process.kill()


def overlap(spans, begin, end):
    return sum(max(0.0, min(end, last) - max(begin, first)) for first, last in spans)


class Calls:
    """Waits in milliseconds of the calls that were sent in some time, and those less the stalls."""

    def __init__(self, calls, stalls):
        self.all = sorted(wait for _, wait in calls)
        self.waits = sorted(wait - 1000 * overlap(stalls, sent, sent + wait / 1000) for sent, wait in calls)

    def slower_than(self, milliseconds):
        return sum(wait > milliseconds for wait in self.waits)

    def part(self, share):
        return self.waits[round(share * (len(self.waits) - 1))] if self.waits else math.nan


class Load:
    """`pipelines` are called in equal parts, `rate` times a second altogether, for `seconds`."""

    def __init__(self, address, pipelines, rate, seconds):
        callers = CALLERS_PER_PIPELINE * len(pipelines)
        # A pause is random, so half of the longest on average.
        pause_us = round(2 * 1e6 * callers / rate)
        groups = [f"{name},127.0.0.1:{address[1]},{name},{CALLERS_PER_PIPELINE},{pause_us}"
                  for name in pipelines]
        self._seconds, self._begun = seconds, now()
        self._stalls = Stalls()
        self._process = Process([settings.helper("timed_callers"), "--each", str(seconds), *groups])
        self._calls, self.failed, self.complaints = [], 0, ""

    def finish(self):
        """Waits for the end of it."""
        left = self._begun + self._seconds - now()
        status = self._process.wait(max(0.0, left) + LAST_ANSWERS_SECONDS)
        self.complaints = self._process.stderr
        complain_of_sanitizers(self.complaints, "timed_callers")
        if status != 0:
            raise AssertionError(f"timed_callers: {status}, {self.complaints[-800:]}")
        for line in self._process.stdout.splitlines():
            words = line.split()
            if words[0] == "call":
                self._calls.append((int(words[2]) / 1e9, int(words[3]) / 1e6))
            else:
                self.failed += int(words[2])

    def between(self, begin, end):
        """The good calls that were sent then; moments of the monotonic clock, as now() is."""
        return Calls([call for call in self._calls if begin <= call[0] < end], self._stalls.found())

    def close(self):
        self._process.kill()
        self._stalls.close()
