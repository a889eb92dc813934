"""The wire table: requests as bytes with what must become of each (tests/wire/*_cases.cpp)."""

import dataclasses
import functools
import subprocess

from support import settings


@dataclasses.dataclass(frozen=True)
class WireCase:
    name: str
    asks: str  # "nothing", "token" (a server that wants one), "end" (of the bytes, by the caller)
    after: str  # "keep", "close", "either": the connection
    answers: tuple  # alternatives: lists of statuses, of which [] is a close without an answer
    data: bytes
    reading: tuple  # (method, target, body, header lines) of each request, where all are taken


def _bytes(text):
    return b"" if text == "-" else bytes.fromhex(text)


def _case(line):
    name, asks, after, answers, data, *reading = line.split("\t")
    alternatives = tuple([] if each == "silence" else list(map(int, each.split())) for each in answers.split(" or "))
    requests = tuple((method, *map(_bytes, rest))
                     for method, *rest in zip(reading[::4], reading[1::4], reading[2::4], reading[3::4]))
    return WireCase(name, asks, after, alternatives, _bytes(data), requests)


@functools.cache
def cases():
    printed = subprocess.run([settings.helper("wire_cases")], check=True, capture_output=True, text=True)
    return [_case(line) for line in printed.stdout.splitlines()]
