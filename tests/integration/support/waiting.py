"""Waiting for a condition, with a deadline. The only place where a test lets time pass, and the clocks."""

import os
import threading
import time

# For whatever need not wait for a time-out.
QUICK = 0.05

_pause = threading.Event()


def eventually(condition, deadline=5.0, saying="the condition", interval=0.01):
    """Returns the first true value of condition(). Failures inside it count as "not yet"."""
    end = time.monotonic() + deadline
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = f"last value: {value!r}"
        except (AssertionError, OSError) as error:
            last = f"last failure: {error}"
        if time.monotonic() >= end:
            raise AssertionError(f"{saying} did not come true in {deadline} s; {last}")
        _pause.wait(interval)


def trickle_pause(seconds):
    """For peers that are slow on purpose; not a way to wait for something."""
    _pause.wait(seconds)


def elapsed_since(start):
    return time.monotonic() - start


def now():
    return time.monotonic()


class Stopwatch:
    """The time of its `with` block; endless until there was one."""

    def __init__(self):
        self.seconds = float("inf")

    def __enter__(self):
        self._start = now()
        return self

    def __exit__(self, *_):
        self.seconds = elapsed_since(self._start)


def tries(bound, count=10):
    """`for clock in tries(0.05):` judges each time; once, what `with clock:` holds must be in time.

    A busy machine makes any single try late, and a slow program makes all of them late. FNKIT_TIME_SCALE
    allows a build that is slower by design so many times as long.
    """
    bound *= float(os.environ.get("FNKIT_TIME_SCALE", "1"))
    taken = []
    for _ in range(count):
        clock = Stopwatch()
        yield clock
        taken.append(clock.seconds)
        if clock.seconds <= bound:
            return
    raise AssertionError(f"{bound} s allowed; it took {', '.join(f'{t:.4f} s' for t in taken)}")
