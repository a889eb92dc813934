"""Real Valkey and Redis servers, and directories that serve as the embedded store."""

import json
import os
import shutil
import signal
import socket
import tempfile

from support import settings
from support.process import Process
from support.resp import StoreClient
from support.waiting import eventually

PREFIX = "fnkit:pipeline:"


def config(*steps, mode="sequential"):
    return json.dumps({"mode": mode, "steps": list(steps)}, separators=(",", ":"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class StoreServer:
    """One server on a unix socket and on a port that the kernel chose."""

    def __init__(self, kind=None, *options, port=None):
        self.kind = kind or settings.some_store_kind()
        self._path = settings.store_server_path(self.kind)
        self._options = options
        self.directory = tempfile.mkdtemp(prefix="fnkit-store-")
        self.socket_path = os.path.join(self.directory, "s")
        self.port = port
        self.process = None
        self._clients = []

    def start(self):
        chosen = self.port
        for _ in range(10):
            self.port = chosen or free_port()
            if self._start_once():
                return self
        raise AssertionError(f"{self.kind}-server would not start: {self.process.output[-400:]}")

    def _start_once(self):
        words = [self._path, "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.socket_path]
        words += ["--save", "", "--appendonly", "no", "--dir", self.directory, *self._options]
        self.process = Process(words)

        def up():
            if not self.process.alive():
                return "dead"
            ours = self.ask("CONFIG", "GET", "dir")[1].decode() == os.path.realpath(self.directory)
            return "up" if ours else None

        return eventually(up, 10.0, f"{self.kind}-server answering") == "up"

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def client(self):
        client = StoreClient(("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    def set(self, name, value):
        return self.ask("SET", PREFIX + name, value)

    def get(self, name):
        return self.ask("GET", PREFIX + name)

    def ask(self, *command):
        """On a connection of its own, which ends."""
        client = StoreClient(("127.0.0.1", self.port))
        try:
            return client(*command)
        finally:
            client.close()

    def kill(self):
        self._drop_clients()
        self.process.kill()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def restart(self):
        """The same port, nothing in it."""
        self.kill()
        return self.start()

    def _drop_clients(self):
        for client in self._clients:
            client.close()
        self._clients = []

    def close(self):
        self._drop_clients()
        if self.process is not None:
            if self.process.alive():
                self.thaw()
            self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class StoreDirectory:
    """`file:///dir`: one <name>.json a pipeline."""

    def __init__(self, pipelines=None):
        self.path = tempfile.mkdtemp(prefix="fnkit-store-")
        self.url = f"file://{self.path}"
        for name, value in (pipelines or {}).items():
            self.set(name, value)

    def file(self, name):
        return os.path.join(self.path, f"{name}.json")

    def set(self, name, value):
        """Replaces the file in one step, as editors and deployments do."""
        value = value if isinstance(value, bytes) else value.encode()
        temporary = os.path.join(self.path, f".{name[:64]}.new")
        with open(temporary, "wb") as out:
            out.write(value)
        os.rename(temporary, self.file(name))

    def write_in_place(self, name, value):
        with open(self.file(name), "wb") as out:
            out.write(value.encode())

    def get(self, name):
        with open(self.file(name), "rb") as source:
            return source.read()

    def names(self):
        return sorted(name[: -len(".json")] for name in os.listdir(self.path) if name.endswith(".json"))

    def remove(self, name):
        os.unlink(self.file(name))

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)
