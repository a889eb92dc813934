"""Where the programs under test are. Filled in once by run.py, before workers start."""

import os
import shutil

binary = None
promtool = None
prometheus = None
gateways = {"nginx": None, "caddy": None}
store_servers = {"valkey": None, "redis": None}


def choose(binary_path, valkey_path, redis_path, promtool_path=None, nginx_path=None, caddy_path=None,
           prometheus_path=None):
    global binary, promtool, prometheus
    binary = os.path.abspath(binary_path)
    promtool = os.path.abspath(promtool_path) if promtool_path else shutil.which("promtool")
    prometheus = os.path.abspath(prometheus_path) if prometheus_path else shutil.which("prometheus")
    for kind, given in (("nginx", nginx_path), ("caddy", caddy_path)):
        gateways[kind] = os.path.abspath(given) if given else shutil.which(kind)
    for kind, given in (("valkey", valkey_path), ("redis", redis_path)):
        store_servers[kind] = os.path.abspath(given) if given else shutil.which(f"{kind}-server")


def gateway_path(kind):
    if gateways[kind] is None:
        raise AssertionError(f"no {kind}: give --{kind} PATH, or put {kind} into PATH")
    return gateways[kind]


def store_server_path(kind):
    path = store_servers[kind]
    if path is None:
        raise AssertionError(
            f"no {kind}-server: give --{kind}-server PATH, or put {kind}-server into PATH"
        )
    return path


def helper(name):
    """A program that is built beside the one under test."""
    path = os.path.join(os.path.dirname(binary), "tests", name)
    if not os.access(path, os.X_OK):
        raise AssertionError(f"{path} is missing: build all targets, not only the program")
    return path


def has_sanitizers():
    with open(binary, "rb") as file:
        return b"__ubsan" in file.read()


def some_store_kind():
    """For tests that need a server but not a particular one: the product's own store first."""
    for kind in ("valkey", "redis"):
        if store_servers[kind] is not None:
            return kind
    return "valkey"


def add_arguments(parser, root):
    """For tests that are run by hand; `root` is the checkout."""
    parser.add_argument("--binary", default=os.path.join(root, "build/fnkit-orchestrator"))
    parser.add_argument("--server", action="append", metavar="valkey|redis|PATH",
                        help="may be repeated; both are those that tests/run has fetched")


def choose_by(options, root):
    """What add_arguments() offers; the kinds of servers to run with."""
    paths, kinds = {}, []
    for word in options.server or ["valkey", "redis"]:
        kind = "redis" if "redis" in word else "valkey"
        fetched = os.path.join(root, f".cache/servers/{kind}-server/run")
        paths[kind] = word if "/" in word else fetched if os.access(fetched, os.X_OK) else None
        kinds.append(kind)
    choose(options.binary, paths.get("valkey"), paths.get("redis"))
    return kinds
