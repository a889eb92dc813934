#!/usr/bin/env python3
"""Runs the black-box suite against a built program.

    run.py --binary PATH [--valkey-server PATH] [--redis-server PATH] [--promtool PATH]
           [--nginx PATH] [--caddy PATH] [--prometheus PATH]
           [-k SUBSTRING] [-j N] [-v]

Classes are spread over worker processes. The last line is `N passed, N failed`.
"""

import argparse
import importlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
import unittest
from concurrent import futures

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from support import settings  # noqa: E402

TEST_SECONDS_MAX = 45


class TooLong(Exception):
    """A test ran longer than any test may."""


def _too_long(*_):
    raise TooLong(f"still running after {TEST_SECONDS_MAX} s")


class Outcome(unittest.TestResult):
    """Collects (test id, reason, details) of what failed, and how long each test took."""

    def __init__(self):
        super().__init__()
        self.bad, self.good, self.times = {}, [], {}
        self._start = 0.0

    def startTest(self, test):
        super().startTest(test)
        self._start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, TEST_SECONDS_MAX)

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.times[test.id()] = time.monotonic() - self._start
        super().stopTest(test)

    def _note(self, test, error):
        reason = " ".join(str(error[1]).split()) or error[0].__name__
        if not issubclass(error[0], AssertionError):
            reason = f"{error[0].__name__}: {reason}"
        self.bad.setdefault(test.id(), (reason, "".join(traceback.format_exception(*error))))

    def addError(self, test, error):
        self._note(test, error)

    def addFailure(self, test, error):
        self._note(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._note(subtest, error)

    def addSkip(self, test, reason):
        self._note(test, (AssertionError, AssertionError(f"skipped: {reason}"), None))

    def addSuccess(self, test):
        self.good.append(test.id())


def discover(wanted):
    """[(module, class, [test names])] of everything whose id contains `wanted`."""
    found = []
    for file in sorted(os.listdir(HERE)):
        if not (file.startswith("test_") and file.endswith(".py")):
            continue
        module = importlib.import_module(file[:-3])
        for name, cls in sorted(vars(module).items()):
            if not (isinstance(cls, type) and issubclass(cls, unittest.TestCase)):
                continue
            if cls.__module__ != module.__name__:
                continue
            # A sanitizer looks at memory through pipes; it takes all of it for bad without descriptors.
            if getattr(cls, "takes_all_descriptors", False) and settings.has_sanitizers():
                continue
            tests = [
                test
                for test in unittest.defaultTestLoader.getTestCaseNames(cls)
                if not wanted or wanted in f"{module.__name__}.{name}.{test}"
            ]
            if tests:
                found.append((module.__name__, name, tests))
    return found


def run_class(job):
    """In a worker: all the wanted tests of one class."""
    module, name, tests = job
    cls = getattr(sys.modules[module], name)
    suite = unittest.TestSuite([cls(test) for test in tests])
    outcome = Outcome()
    signal.signal(signal.SIGALRM, _too_long)
    try:
        suite.run(outcome)
    except TooLong as late:
        outcome.bad[f"{module}.{name}"] = (str(late), "")
    ids = [f"{module}.{name}.{test}" for test in tests]
    passed = [test for test in ids if test in outcome.good and test not in outcome.bad]
    bad = dict(outcome.bad)
    fixture = next((value for key, value in bad.items() if key not in ids), None)
    for test in ids:
        if test not in passed and not any(key.startswith(test) for key in bad):
            bad[test] = fixture or ("did not run", "")
    for key in [key for key in bad if key.startswith("setUpClass")]:
        del bad[key]
    return module, passed, bad, outcome.times


def is_alone(job):
    module, name, _ = job
    return getattr(getattr(sys.modules[module], name), "alone", False)


def outcome_of(done, job):
    """What a worker found; a worker that died fails the tests it had."""
    error = done.exception()
    if error is None:
        return done.result()
    module, name, tests = job
    reason = (f"the worker died: {error!r}", "")
    return module, [], {f"{module}.{name}.{test}": reason for test in tests}, {}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--valkey-server")
    parser.add_argument("--redis-server")
    parser.add_argument("--promtool")
    parser.add_argument("--nginx")
    parser.add_argument("--caddy")
    parser.add_argument("--prometheus")
    parser.add_argument("-k", default="", metavar="SUBSTRING")
    parser.add_argument("-j", type=int, default=4, metavar="N")
    parser.add_argument("-v", action="store_true", help="show the whole trace of a failure")
    parser.add_argument("--slowest", type=int, default=0, metavar="N", help="list the N slowest")
    return parser.parse_args()


def main():
    options = arguments()
    settings.choose(options.binary, options.valkey_server, options.redis_server, options.promtool,
                    options.nginx, options.caddy, options.prometheus)
    if not os.access(settings.binary, os.X_OK):
        print(f"{settings.binary} is no program that can be run\n0 passed, 1 failed")
        return 1
    jobs = discover(options.k)
    left = {}
    for module, _, tests in jobs:
        left[module] = left.get(module, 0) + 1
    totals = {module: [0, 0] for module in left}
    times = {}

    def judge(done, job):
        module, passed, bad, took = outcome_of(done, job)
        times.update(took)
        totals[module][0] += len(passed)
        totals[module][1] += len(bad)
        for test, (reason, details) in sorted(bad.items()):
            print(f"FAIL {test}: {reason[:1200]}")
            if options.v:
                print(details)
        left[module] -= 1
        if left[module] == 0:
            print(f"{module}: {totals[module][0]} passed, {totals[module][1]} failed", flush=True)

    context = multiprocessing.get_context("fork")
    longest_first = sorted(jobs, key=lambda job: -len(job[2]))
    # A browser takes all CPUs for itself: beside one, what others measure would be late.
    for some, workers in (([job for job in longest_first if not is_alone(job)], max(1, options.j)),
                          ([job for job in longest_first if is_alone(job)], 1)):
        with futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
            running = {pool.submit(run_class, job): job for job in some}
            for done in futures.as_completed(running):
                judge(done, running[done])
    for test in sorted(times, key=times.get, reverse=True)[: options.slowest]:
        print(f"{times[test]:6.2f} s  {test}")
    passed = sum(good for good, _ in totals.values())
    failed = sum(bad for _, bad in totals.values())
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
