"""What bench/load/store measures: each function returns its figures by name."""
import statistics
import threading
import time

from followed import Caller, Followed, Load
from lib import cpu_seconds
from pipelines import PREFIX, Storm, config_of, turned

CHANGES_APART_SECONDS = 0.005  # with ten names each rests longer than the program lets it rest
ELSEWHERE = "elsewhere:"
# Comparing everything has a figure of its own; elsewhere it would fall into some rounds only.
UNCOMPARED = ("--refresh-interval", "1h")


def share(values, part):
    return sorted(values)[int(part * (len(values) - 1))]


class Bench:
    """The stores by their number of pipelines, and how programs are started."""

    def __init__(self, options, stores, functions, cpus, worker_cpu):
        self.options, self.stores, self.worker_cpu = options, stores, worker_cpu
        self._functions, self._cpus = functions, cpus

    def follow(self, count, *flags):
        return Followed(self.options.build, self.stores[count], self._functions, self._cpus, flags)


def start_times(bench, count):
    """From spawn to ready, and what the control thread had worked then."""
    seconds, control = [], []
    for _ in range(bench.options.starts):
        program = bench.follow(count)
        seconds.append(program.seconds_to_ready)
        control.append(program.control())
        program.close()
    return {"ready": statistics.median(seconds), "control": statistics.median(control)}


def memory(bench, count):
    """Resident bytes at three moments, and the control thread's CPU seconds a comparison."""
    stored, comparisons = bench.stores[count], bench.options.comparisons
    program = bench.follow(count, "--refresh-interval", "1s")
    found = {"loaded": program.resident_bytes()}
    try:
        before = stored.wait_until_quiet(stored.values_read(), 0)
        control = program.control()
        since = stored.values_read()
        stored.wait_until_quiet(since, comparisons * count)
        done = (stored.values_read() - before) / count
        found["comparison"] = (program.control() - control) / done
        found["compared"] = program.resident_bytes()
        for turn in range(bench.options.changes_of_all):
            since = stored.values_read()
            stored.write(version=turn + 1)
            stored.wait_until_quiet(since, 2 * count)
        found["changed"] = program.resident_bytes()
    finally:
        program.close()
        stored.write()
    return found


def change_times(bench, count):
    """Of changes one after another, in milliseconds from the store's reply to in force."""
    program = bench.follow(count)
    caller = Caller(program.address)
    pause, taken, pick = threading.Event(), [], 7919
    try:
        control, began = program.control(), time.monotonic()
        for change in range(bench.options.changes):
            number = change * pick % count
            # Which of its modes it has now: every round over all names turns it.
            plain = change // count % 2 == 1
            config = config_of(number) if plain else turned(number)
            merged = (number % 5 == 4) == plain
            taken.append(program.turn(caller, number, config, merged))
            pause.wait(max(0, began + (change + 1) * CHANGES_APART_SECONDS - time.monotonic()))
        cost = (program.control() - control) / len(taken)
    finally:
        caller.close()
        program.close()
        bench.stores[count].write()
    return {"p50": share(taken, 0.5), "p99": share(taken, 0.99), "max": max(taken),
            "control": cost * 1e6}


FEW_STORED, MANY_CALLED, FEW_CALLED = "few", "many", "few of many"


def rates(bench, few, many):
    """Of few pipelines, of many, and of few among many: requests/s and CPU microseconds a request."""
    programs = {count: bench.follow(count, *UNCOMPARED) for count in (few, many)}
    arms = {FEW_STORED: (programs[few], few), MANY_CALLED: (programs[many], many),
            FEW_CALLED: (programs[many], few)}
    rounds = {arm: [] for arm in arms}
    load = Load(bench.options, 0)
    try:
        for program, called in arms.values():
            load.run(program, 1, called)
        for turn in range(bench.options.rounds):
            # Who is first changes, as the second one's machine may be warmer.
            for arm in arms if turn % 2 == 0 else reversed(arms):
                rounds[arm].append(one_rate(*arms[arm], load, bench.options.seconds))
    finally:
        for program in programs.values():
            program.close()
    return {arm: {name: [each[name] for each in rounds[arm]] for name in rounds[arm][0]}
            for arm in arms}


def one_rate(program, called, load, seconds):
    used, (worker, _) = cpu_seconds(program.pid), program.worker()
    calls, rate, _ = load.run(program, seconds, called)
    return {"rate": rate, "cpu": (cpu_seconds(program.pid) - used) / calls * 1e6,
            "worker": (program.worker()[0] - worker) / calls * 1e6}


class Watch:
    """On which CPU the control thread is found, looked at now and then in a `with` block."""

    def __init__(self, program, worker_cpu):
        self._program, self._worker_cpu = program, worker_cpu
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.looks = self.beside = 0

    def _look(self):
        while not self._ended.wait(0.05):
            self.looks += 1
            self.beside += self._program.control_cpu() == self._worker_cpu

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


# What is written while calls are measured.
QUIET, OTHERS, STORM = "nothing written", "writes elsewhere", "storm"


def storms(bench, count):
    """What is written → a list of figures, one of each round, taking turns."""
    program, stored = bench.follow(count, *UNCOMPARED), bench.stores[count]
    load = Load(bench.options, bench.options.rate)
    rounds = {QUIET: [], OTHERS: [], STORM: []}
    try:
        load.run(program, 1)
        for turn in range(bench.options.storm_rounds):
            for what in list(rounds) if turn % 2 == 0 else reversed(list(rounds)):
                rounds[what].append(one_storm(bench, program, load, what, turn + 1))
                stored.wait_until_quiet(stored.values_read(), 0)
    finally:
        program.close()
        stored.write()
    return rounds


def one_storm(bench, program, load, what, turn):
    stored, seconds = program.stored, bench.options.storm_seconds
    control, (worker, waited), read = program.control(), program.worker(), stored.values_read()
    with Watch(program, bench.worker_cpu) as watch:
        if what == QUIET:
            calls, rate, times = load.run(program, seconds)
            writes = 0
        else:
            prefix = PREFIX if what == STORM else ELSEWHERE
            with Storm(stored, bench.options.storm_rate, seconds, prefix, turn) as storm:
                calls, rate, times = load.run(program, seconds)
            writes = storm.written / storm.seconds
    worker_after, waited_after = program.worker()
    return {**times, "rate": rate, "writes": writes,
            "read": (stored.values_read() - read) / seconds,
            "control": (program.control() - control) / seconds * 100,
            "worker": (worker_after - worker) / calls * 1e6,
            "waited": (waited_after - waited) / calls * 1e6,
            "beside": watch.beside / max(1, watch.looks) * 100}
