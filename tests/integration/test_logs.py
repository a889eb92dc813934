"""One line an event on stderr; what repeats is summed up; a stderr that nobody reads stalls nothing."""

import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
from datetime import datetime

from support import answers
from support.case import Case, two_cores
from support.store import config
from support.waiting import elapsed_since, eventually, now, tries

PAGE = 4096


class Pipe:
    """What a program gets as stderr: as small as a pipe can be, read when the test says so."""

    def __init__(self):
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, PAGE)
        os.set_blocking(self.reading, False)
        self._text = b""

    @property
    def identity(self):
        status = os.fstat(self.writing)
        return f"{status.st_dev}:{status.st_ino}"

    def is_full(self):
        poll = select.poll()
        poll.register(self.writing, select.POLLOUT)
        return not poll.poll(0)

    def lines(self):
        """All whole ones until now."""
        try:
            while more := os.read(self.reading, 1 << 16):
                self._text += more
        except BlockingIOError:
            pass
        return self._text.decode().split("\n")[:-1]

    def close_reading(self):
        os.close(self.reading)
        self.reading = None

    def close(self):
        for end in filter(None, (self.reading, self.writing)):
            os.close(end)


def wordy(number):
    """A pipeline that is good, with a long word to complain of."""
    return json.dumps({"steps": ["a"], f"{number:04d}" + "x" * 500: 1})


class Logs(Case):
    def setUp(self):
        self.a = self.function("a", answers.text("out of a"))
        self.store = self.directory({"p": config("a")})

    def served(self, *arguments, **more):
        self.program = self.start(
            self.store.url, "--refresh-interval", "1h", *arguments, cores=two_cores(),
            resolve={"a": self.a.address}, **more,
        )
        return self.program

    def served_quietly(self, *arguments, as_journal=False):
        """With a stderr of the test's own, and so on an address that need not be told there."""
        self.pipe = Pipe()
        self.addCleanup(self.pipe.close)
        folder = tempfile.mkdtemp(prefix="fnkit-logs-")
        self.addCleanup(shutil.rmtree, folder, True)
        address = os.path.join(folder, "s")
        return self.served(
            *arguments, listen=(f"unix:{address}",), known_address=address,
            stderr=self.pipe.writing,
            env={"JOURNAL_STREAM": self.pipe.identity if as_journal else "1:1"},
        )

    def runs(self, name):
        answer = self.program.call("POST", f"/orchestrate/{name}", body=b"{}")
        return (answer.status, answer.body) == (200, b"out of a")

    def refuses(self):
        try:
            self.connect(self.program.address)
        except ConnectionRefusedError:
            return True
        return False

    def change(self, name, value=None):
        self.store.set(name, value or config("a"))
        eventually(lambda: self.runs(name), 15.0, f"{name} in force", interval=0.002)

    def fill_stderr(self, further=0):
        """Changes, each with a line of half a kilobyte, until no more goes into the pipe; then further ones."""
        for number in range(9):
            self.change(f"w{number}", wordy(number))
        eventually(self.pipe.is_full, 5.0, "a full stderr")
        for number in range(further):
            self.store.set(f"w{number % 100}", config("a") + " " * (number % 7))
        self.change("after-the-flood")

    def says(self, message):
        eventually(
            lambda: any(f'"msg":"{message}"' in line for line in self.pipe.lines()),
            5.0, f"a line with {message}", interval=0.001,
        )

    def ends_well(self):
        start = now()
        self.program.send_signal(signal.SIGTERM)
        self.assertEqual(self.program.wait(5.0), 0)
        self.assertLess(elapsed_since(start), 2.0)

    def test_a_full_stderr_stalls_neither_requests_nor_changes_nor_the_end(self):
        self.served_quietly()
        self.fill_stderr(further=2000)
        self.assertTrue(self.pipe.is_full())
        with self.connect(self.program.address) as caller:
            for clock in tries(0.02):
                with clock:
                    self.assertEqual(caller.call("POST", "/orchestrate/p", body=b"{}").status, 200)
        self.store.remove("p")
        eventually(lambda: not self.runs("p"), 5.0, "the removal in force")
        self.ends_well()

    def test_when_stderr_is_read_again_lines_come(self):
        self.served_quietly("--log-format", "json")
        self.fill_stderr(further=2000)
        self.store.remove("p")
        self.says("pipeline removed")
        self.program.send_signal(signal.SIGTERM)
        self.says("ended")
        self.assertEqual(self.program.wait(5.0), 0)
        for line in self.pipe.lines():
            json.loads(line)

    def test_a_stderr_closed_at_the_other_end_ends_nothing(self):
        self.served_quietly()
        self.pipe.close_reading()
        for number in range(30):
            self.change(f"n{number}")
        self.ends_well()

    def test_what_repeats_is_summed_up(self):
        count = 150
        self.served("--log-format", "json")
        for number in range(count):
            self.change(f"n{number}")
        self.program.stop()
        events = [json.loads(line) for line in self.program.stderr.splitlines()]
        changed = [event for event in events if event["msg"] == "pipeline changed"]
        self.assertEqual([event["name"] for event in changed[:9]], [f"n{n}" for n in range(9)])
        self.assertEqual(sum(int(event.get("repeated", 1)) for event in changed), count)
        self.assertLess(len(changed), count)
        times = [datetime.fromisoformat(event["ts"].rstrip("Z")) for event in changed]
        times.pop()  # the last sum, which the end of the program did not let wait for its second to be over
        for earlier, later in zip(times, times[10:]):
            # Stamped a moment after it was judged.
            self.assertGreater((later - earlier).total_seconds(), 0.9, "eleven in a second")

    def test_any_value_leaves_a_line_valid_json(self):
        self.served("--log-format", "json")
        names = ['quo"te', "line\nbreak", "back\\slash", "\x1b[31m", "gr\u00fc\u00df"]
        for name in names:
            self.store.set(name, config("a"))
        self.change("last")
        self.program.stop()
        events = [json.loads(line) for line in self.program.stderr.splitlines()]
        ignored = {event["name"] for event in events if event["msg"].startswith("ignored")}
        self.assertEqual(ignored, set(names))

    def test_ending_at_once_does_not_lose_the_last_line(self):
        self.served_quietly("--log-format", "json")
        self.fill_stderr()
        self.a.reset()
        self.a.script = answers.held(self.gate(), answers.text("late"))
        caller = self.connect(self.program.address)
        caller.send_request("POST", "/orchestrate/p", body=b"{}")
        self.a.wait_for(1)
        self.program.send_signal(signal.SIGTERM)
        eventually(self.refuses, 5.0, "new connections refused")
        self.program.send_signal(signal.SIGINT)
        self.says("ending at once, requests in progress are lost")
        self.assertEqual(self.program.wait(5.0), 1)

    def test_the_journal_gets_priorities(self):
        self.served_quietly("--log-format", "json", as_journal=True)
        self.ends_well()
        for line in self.pipe.lines():
            event = json.loads(line[3:])
            self.assertEqual(line[:3], {"info": "<6>", "warning": "<4>"}[event["level"]])

    def test_nobody_else_gets_priorities(self):
        self.served_quietly("--log-format", "json")
        self.ends_well()
        for line in self.pipe.lines():
            json.loads(line)
