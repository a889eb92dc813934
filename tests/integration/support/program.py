"""The program under test: `serve`, and the commands that end by themselves."""

import subprocess

from support import client, settings
from support.process import Process, clean_environment, complain_of_sanitizers
from support.waiting import eventually

LISTENING = r'^(?!.*admin listening).*\blistening\b.*\baddress"?[=:]"?([^"\s]+)'
ADMIN_LISTENING = r'admin listening.*\baddress"?[=:]"?([^"\s]+)'


def parse_address(text):
    """`127.0.0.1:80`, `[::1]:80`, `unix:/path` → what a Client takes."""
    if text.startswith("unix:"):
        return text[len("unix:"):]
    if text.startswith("/"):
        return text
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port))


class Program(Process):
    """`serve` with its listeners on kernel-chosen ports, or where a test says that keeps stderr to itself."""

    def __init__(self, *arguments, known_address=None, command=("serve",), before=(), **more):
        """`before`: words of a program that becomes this one."""
        self._known_address = known_address
        super().__init__([*before, settings.binary, *command, *arguments], **more)

    @property
    def address(self):
        if self._known_address:
            return self._known_address
        return parse_address(self.wait_for_line(LISTENING)[1])

    @property
    def admin_address(self):
        return parse_address(self.wait_for_line(ADMIN_LISTENING)[1])

    def addresses(self, count):
        """Of all `count` listeners, in the order they were said."""
        import re

        def look():
            self.complain_if_dead()
            found = [re.search(LISTENING, line) for line in self.stderr.splitlines()]
            found = [parse_address(match[1]) for match in found if match]
            return found if len(found) >= count else None

        return eventually(look, 10.0, f"{count} lines with listening and address=")

    def call(self, method, target, headers=(), body=None, **more):
        return client.call(self.address, method, target, headers, body, **more)

    def wait_until_ready(self, deadline=10.0):
        address = self.address

        def ready():
            self.complain_if_dead()
            return client.call(address, "GET", "/readyz").status == 200

        eventually(ready, deadline, "GET /readyz answering 200")
        return self


def serve(cache_url, *arguments, cores=1, resolve=None, listen=("127.0.0.1:0",), **more):
    """Starts `serve`; does not wait."""
    words = []
    for address in listen:
        words += ["--listen", address]
    if cache_url is not None:
        words += ["--cache-url", cache_url]
    if cores is not None:
        words += ["--cores", str(cores)]
    for step, address in (resolve or {}).items():
        words += ["--resolve", f"{step}={address}"]
    return Program(*words, *arguments, **more)


class Finished:
    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr

    @property
    def output(self):
        return self.stdout + self.stderr

    def __repr__(self):
        return f"exit {self.code}; stdout {self.stdout[:600]!r}; stderr {self.stderr[:600]!r}"


def run(*arguments, env=None, stdin="", binary=None, deadline=20.0, preexec=None):
    """Runs a command that ends by itself."""
    try:
        done = subprocess.run(
            [binary or settings.binary, *arguments],
            input=stdin.encode(),
            capture_output=True,
            env=clean_environment(env),
            timeout=deadline,
            preexec_fn=preexec,
        )
    except subprocess.TimeoutExpired as late:
        raise AssertionError(
            f"`{' '.join(arguments)}` did not end in {deadline} s; "
            f"it said {(late.stderr or b'')[-600:]!r}"
        ) from None
    stdout = done.stdout.decode("utf-8", "replace")
    stderr = done.stderr.decode("utf-8", "replace")
    complain_of_sanitizers(stderr, " ".join(arguments))
    if done.returncode < 0:
        raise AssertionError(f"`{' '.join(arguments)}` died of signal {-done.returncode}: {stderr[-600:]}")
    return Finished(done.returncode, stdout, stderr)
