"""Where the programs under test are. Filled in once by run.py, before workers start."""

import os
import shutil

binary = None
store_servers = {"valkey": None, "redis": None}


def choose(binary_path, valkey_path, redis_path):
    global binary
    binary = os.path.abspath(binary_path)
    for kind, given in (("valkey", valkey_path), ("redis", redis_path)):
        store_servers[kind] = os.path.abspath(given) if given else shutil.which(f"{kind}-server")


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


def some_store_kind():
    """For tests that need a server but not a particular one: the product's own store first."""
    for kind in ("valkey", "redis"):
        if store_servers[kind] is not None:
            return kind
    return "valkey"
