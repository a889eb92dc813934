"""Child processes: started with a clean environment, ended by pid, their stderr kept and judged."""

import os
import re
import signal
import subprocess
import threading

from support.waiting import eventually

SANITIZER_MARKS = (
    "ERROR: AddressSanitizer",
    "runtime error:",
    "LeakSanitizer",
    "WARNING: ThreadSanitizer",
)
_PASSED_ON = re.compile(r"^(PATH|HOME|TMPDIR|LANG|.*SAN_OPTIONS|.*SAN_SYMBOLIZER_PATH|LLVM_.*|GCOV_.*)$")
EXIT_DEADLINE = 15.0


def clean_environment(extra=None):
    """Nothing that could be a setting of the program comes from the tester's shell."""
    kept = {key: value for key, value in os.environ.items() if _PASSED_ON.match(key)}
    kept.update(extra or {})
    return kept


def complain_of_sanitizers(text, who):
    for mark in SANITIZER_MARKS:
        at = text.find(mark)
        if at >= 0:
            raise AssertionError(f"{who}: sanitizer report: {text[at:at + 1500]}")


class Process:
    """A long-running child whose stderr is read line by line as it comes, unless it is given one."""

    def __init__(self, command, env=None, preexec=None, cwd=None, stderr=subprocess.PIPE, pass_fds=()):
        self.command = command
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=clean_environment(env),
            preexec_fn=preexec,
            pass_fds=pass_fds,
            cwd=cwd,
        )
        self.pid = self._child.pid
        self._lines = {"stdout": [], "stderr": []}
        self._readers = [
            threading.Thread(target=self._collect, args=(name,), daemon=True)
            for name in ("stdout", "stderr")
            if getattr(self._child, name)
        ]
        for reader in self._readers:
            reader.start()

    def _collect(self, name):
        with getattr(self._child, name) as pipe:
            for line in pipe:
                self._lines[name].append(line.decode("utf-8", "replace").rstrip("\n"))

    @property
    def stderr(self):
        return "\n".join(self._lines["stderr"])

    @property
    def stdout(self):
        return "\n".join(self._lines["stdout"])

    @property
    def output(self):
        return self.stdout + "\n" + self.stderr

    def alive(self):
        return self._child.poll() is None

    def complain_if_dead(self):
        if not self.alive():
            complain_of_sanitizers(self.stderr, "the program")
            raise AssertionError(
                f"the program ended by itself with {self._child.returncode}: {self.stderr[-800:]}"
            )

    def wait_for_line(self, pattern, deadline=10.0, stream="stderr"):
        """The first line that matches; fails at once when the process dies instead."""
        expression = re.compile(pattern)

        def look():
            for line in list(self._lines[stream]):
                found = expression.search(line)
                if found:
                    return found
            if not self.alive():
                for reader in self._readers:
                    reader.join(2.0)
                return next(filter(None, map(expression.search, self._lines[stream])), "dead")
            return None

        found = eventually(look, deadline, f"a line like /{pattern}/ on {stream}: {self.output[-800:]!r}")
        if found == "dead":
            self.complain_if_dead()
        return found

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def is_sanitized(self):
        """A sanitizer's shadow is terabytes; it also keeps what was freed for a while."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as sizes:
            return int(sizes.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") > 2**40

    def open_files(self):
        """How many: connections among them."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def freeze(self):
        """Stopped, as by a debugger: the kernel goes on receiving for it."""
        self.send_signal(signal.SIGSTOP)

        def stopped():
            states = []
            for task in os.listdir(f"/proc/{self.pid}/task"):
                with open(f"/proc/{self.pid}/task/{task}/stat", encoding="ascii") as stat:
                    states.append(stat.read().rpartition(")")[2].split()[0])
            return set(states) == {"T"}

        eventually(stopped, 5.0, "all threads stopped")

    def thaw(self):
        self.send_signal(signal.SIGCONT)

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self, deadline=EXIT_DEADLINE):
        """Its exit status; a process that does not end in time is killed, and that is a failure."""
        try:
            self._child.wait(deadline)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise AssertionError(f"still running after {deadline} s: {self.stderr[-800:]}") from None
        for reader in self._readers:
            reader.join(2.0)
        complain_of_sanitizers(self.stderr, "the program")
        return self._child.returncode

    def kill(self):
        if self.alive():
            self._child.kill()
        self._child.wait()
        for reader in self._readers:
            reader.join(2.0)

    def stop(self, number=signal.SIGTERM):
        """Ends it the polite way; anything but exit status 0 is a failure."""
        self.complain_if_dead()
        self.send_signal(number)
        code = self.wait()
        if code != 0:
            raise AssertionError(f"exit status {code} after SIGTERM, not 0: {self.stderr[-800:]}")
