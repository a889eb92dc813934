"""Who is measured, and how each is started: the program, the floor, and its peers, each with its
configuration in bench/peers, one thread of work on the CPU it is given."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from lib import ROOT, pinned, read_until, start_functions, stop_all

sys.path.insert(0, str(ROOT / "tests/integration"))
from support.store import StoreServer, config  # noqa: E402

PEERS = ROOT / "bench/peers"
CACHE = ROOT / ".cache"
TOKEN = "a-token"  # the program checks it; the others do not
STEPS_MAX = 16
SEQUENTIAL, PARALLEL = (1, 3, 8), (3, 16)
TWO_CORES = "fnkit, two cores"


def name_of(word):
    return f"{word}-000000"  # as bench/callers has it


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_connected(process, address):
    host, _, port = address.rpartition(":")
    for _ in range(500):
        try:
            socket.create_connection((host, int(port))).close()
            return address
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.01)
    raise SystemExit(f"{process.args} does not listen at {address}")


class Contender:
    """A process with `address`; `family()` is everything it consists of."""

    def __init__(self, name, process, address):
        self.name, self.process, self.address = name, process, address

    def family(self):
        pids = [self.process.pid]
        for pid in pids:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
        return pids


class Stage:
    """Starts functions and contenders, and ends all of them; for one kind of work."""

    def __init__(self, build, cpus):
        self.build = pathlib.Path(build)
        self.cpu, self.rest = cpus
        self.directory = tempfile.mkdtemp(prefix="fnkit-bench-")
        self.functions = []
        self._started = []
        self._store = None

    def start_functions(self, body_bytes, microseconds):
        self.functions = start_functions(self.build, STEPS_MAX, self.rest, self._started, body_bytes, microseconds)
        return self._started[-1]

    def end(self):
        stop_all(self._started)
        if self._store:
            self._store.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self, cpus, command, **options):
        process = pinned(cpus, command, **options)
        self._started.append(process)
        return process

    def start(self, name, request_bytes, answer_bytes):
        """None where it is not on this machine. Sizes of whole messages, for the floor."""
        starting = {"fnkit": self._fnkit, TWO_CORES: lambda: self._fnkit(cores=2), "nginx+lua": self._nginx,
                    "nginx": self._nginx, "haproxy": self._haproxy, "node": self._node, "bun": self._bun}
        if name == "floor":
            process, address = self._floor(request_bytes, answer_bytes)
        else:
            process, address = starting[name]() or (None, None)
        return process and Contender(name, process, address)

    def _start_store(self):
        self._store = StoreServer("valkey").start()
        for task in os.listdir(f"/proc/{self._store.process.pid}/task"):
            os.sched_setaffinity(int(task), set(map(int, self.rest.split(","))))
        for mode, counts in (("sequential", SEQUENTIAL), ("parallel", PARALLEL)):
            for count in counts:
                steps = [f"f{number}" for number in range(count)]
                self._store.set(name_of(f"{mode[:3]}{count}"), config(*steps, mode=mode))

    def _fnkit(self, cores=1):
        """Everything that a user has on: a token, traces to the store, metrics."""
        if self._store is None:
            self._start_store()
        command = [self.build / "fnkit-orchestrator", "serve", "--listen", "127.0.0.1:0", "--cores", cores,
                   "--cache-url", self._store.url]
        for number, address in enumerate(self.functions):
            command += ["--resolve", f"f{number}={address}"]
        log = open(f"{self.directory}/fnkit-{cores}.log", "w+")
        cpus = self.cpu if cores > 1 else self.cpu.partition(",")[0]
        process = self._start(cpus, command, stderr=log, env={**os.environ, "FNKIT_AUTH_TOKEN": TOKEN})
        with open(log.name) as reader:
            for _ in range(1000):
                for line in reader:
                    if "listening" in line:
                        return process, line.split("address=")[1].split()[0]
                time.sleep(0.01)
        raise SystemExit(open(log.name).read())

    def _floor(self, request_bytes, answer_bytes):
        command = [self.build / "bench/floor", request_bytes, answer_bytes, *self.functions[:3]]
        process = self._start(self.cpu, command, stdout=subprocess.PIPE)
        return process, read_until(process, process.stdout, r"(127\S+)")

    def _nginx(self):
        tree = CACHE / "servers/nginx-lua/tree"
        if not tree.exists():
            return None
        upstreams = "\n".join(
            f"  upstream f{number} {{ server {address}; keepalive 512; keepalive_requests 1000000000; "
            f"keepalive_timeout 1h; }}" for number, address in enumerate(self.functions))
        port = free_port()
        path = pathlib.Path(self.directory) / f"nginx-{port}.conf"
        path.write_text(after_comment(PEERS / "nginx.conf") % {
            "modules": tree / "usr/lib/nginx/modules", "lua": tree / "usr/share/lua/5.1", "upstreams": upstreams,
            "port": port, "buffer": "512k"})
        process = self._start(self.cpu, [CACHE / "servers/nginx-lua/run", "-e", "stderr", "-p", self.directory,
                                         "-c", path])
        return process, wait_until_connected(process, f"127.0.0.1:{port}")

    def _haproxy(self):
        program = shutil.which("haproxy") or CACHE / "servers/haproxy/run"
        port = free_port()
        path = pathlib.Path(self.directory) / "haproxy.cfg"
        path.write_text(after_comment(PEERS / "haproxy.cfg").format(port=port, function=self.functions[0]))
        process = self._start(self.cpu, [program, "-db", "-f", path])
        return process, wait_until_connected(process, f"127.0.0.1:{port}")

    def _node(self):
        modules = CACHE / "bench/node_modules"
        if not (modules / "undici").exists():
            return None
        program = shutil.which("node") or CACHE / "servers/node/run"
        return self._script([program, PEERS / "node.mjs"], {"UNDICI_FROM": str(CACHE / "bench")})

    def _bun(self):
        found = sorted((CACHE / "bench/node_modules/@oven").glob("*/bin/bun"))
        return self._script([found[0], PEERS / "bun.mjs"], {}) if found else None

    def _script(self, command, variables):
        process = self._start(self.cpu, [*command, *self.functions], stdout=subprocess.PIPE,
                              env={**os.environ, "BUN_CONFIG_MAX_HTTP_REQUESTS": "4096", **variables})
        return process, read_until(process, process.stdout, r"(127\S+)")


def after_comment(path):
    """Without the lines at the top that say what the file is for."""
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#"))
