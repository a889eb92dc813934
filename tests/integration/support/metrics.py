"""Reading Prometheus' text format, as far as a test needs it."""

import re

from support import client

SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """metrics["name", "label=value", …]: the value; KeyError where there is none."""

    def __init__(self, text):
        self.text = text
        self._values = {}
        for line in text.splitlines():
            if line.startswith("#") or not line:
                continue
            match = SAMPLE.match(line)
            if not match:
                raise AssertionError(f"no sample: {line}")
            labels = frozenset(f"{name}={value}" for name, value in LABEL.findall(match[2] or ""))
            if (match[1], labels) in self._values:
                raise AssertionError(f"twice: {line}")
            self._values[match[1], labels] = float(match[3])

    @classmethod
    def of(cls, address, headers=()):
        answer = client.call(address, "GET", "/metrics", headers)
        if answer.status != 200:
            raise AssertionError(f"/metrics answers {answer.status}")
        return cls(answer.body.decode())

    def __getitem__(self, wanted):
        name, *labels = wanted if isinstance(wanted, tuple) else (wanted,)
        return self._values[name, frozenset(labels)]

    def get(self, *wanted):
        """As [wanted], and None where there is none: a row appears with the first thing that it counts."""
        name, *labels = wanted
        return self._values.get((name, frozenset(labels)))

    def sum(self, name):
        return sum(value for (found, _), value in self._values.items() if found == name)

    def labels(self, name):
        return [labels for found, labels in self._values if found == name]
