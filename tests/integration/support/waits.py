"""How long calls wait: programs that differ in their flags, under the same load at the same time.

Each program has a slow function, which takes 50 µs and then long, in turn, and a fast one. What a call
waits is its latency less the time that the function says it took, so it
is the program's doing, or the machine's noise, which all programs share.
"""

import subprocess

from support import settings
from support.process import Process, complain_of_sanitizers
from support.program import serve
from support.store import StoreDirectory, config

SLOW_TIMES_US = (50, 200_000)


class Waits:
    """Of the calls to one function through one program; times in milliseconds."""

    def __init__(self, words):
        self.calls, self.failed = int(words[0]), int(words[1])
        self.p50, self.p99, self.most = (int(word) / 1e6 for word in words[2:5])

    def __repr__(self):
        return (f"{self.calls} calls, {self.failed} failed, "
                f"waits: p50 {self.p50:.3f} ms, p99 {self.p99:.3f} ms, most {self.most:.3f} ms")

    def good(self):
        return self.calls > 0 and self.failed == 0


class WaitMeasurement:
    """`programs`: a name → the flags of that program. They run until close()."""

    def __init__(self, programs, slow_times_us=SLOW_TIMES_US):
        self._pipelines = StoreDirectory({"slow": config("slow"), "fast": config("fast")})
        self._processes, self._programs, self.complaints = [], {}, ""
        try:
            for name, flags in programs.items():
                self._start(name, flags, slow_times_us)
        except BaseException:
            self.close()
            raise

    def _start(self, name, flags, slow_times_us):
        functions = {"slow": self._function(*slow_times_us), "fast": self._function(0)}
        program = serve(self._pipelines.url, *flags, resolve=functions)
        self._processes.append(program)
        self._programs[name] = program
        program.wait_until_ready()

    def _function(self, *times):
        process = Process([settings.helper("timed_function"), *map(str, times)])
        self._processes.append(process)
        return process.wait_for_line(r"^(127\.0\.0\.1:\d+)$", stream="stdout")[1]

    def run(self, seconds, slow_callers, fast_callers, slow_pause_us=10_000, fast_pause_us=8_000):
        """{(program's name, "slow" or "fast"): Waits}; failed calls are told in complaints."""
        groups, words = [], []
        for name, program in self._programs.items():
            address = f"127.0.0.1:{program.address[1]}"
            for pipeline, callers, pause in (("slow", slow_callers, slow_pause_us),
                                             ("fast", fast_callers, fast_pause_us)):
                words.append(f"{len(groups)},{address},{pipeline},{callers},{pause}")
                groups.append((name, pipeline))
        done = subprocess.run([settings.helper("timed_callers"), str(seconds), *words],
                              capture_output=True, text=True, timeout=seconds + 30)
        complain_of_sanitizers(done.stderr, "timed_callers")
        if done.returncode != 0:
            raise AssertionError(f"timed_callers: {done.returncode}, {done.stderr[-800:]}")
        self.complaints += done.stderr
        rows = [line.split() for line in done.stdout.splitlines()]
        return {groups[int(row[0])]: Waits(row[1:]) for row in rows}

    def stop(self):
        """The programs are to end well; close() is still to follow."""
        for program in self._programs.values():
            program.stop()

    def close(self):
        for process in self._processes:
            process.kill()
        self._pipelines.close()
