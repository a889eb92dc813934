"""Waiting for a condition, with a deadline. The only place where a test lets time pass."""

import threading
import time

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
