"""What `GET /observe/live` tells, made up: counters that a test moves on as it likes."""

import copy
from bisect import bisect_left
from datetime import datetime, timedelta, timezone

BOUNDS = [0.00001 * 1.25**power for power in range(72)]
CAUSES = ("connect", "timeout", "reset", "protocol", "status", "shed")
STARTED = datetime(2026, 11, 25, 18, 0, 0, tzinfo=timezone.utc)


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Histogram:
    def __init__(self, bounds):
        self.bounds, self.sum, self.buckets = bounds, 0.0, {}

    def add(self, seconds, times=1):
        index = bisect_left(self.bounds, seconds)
        self.buckets[index] = self.buckets.get(index, 0) + times
        self.sum += seconds * times

    def told(self):
        return {"sum": self.sum, "buckets": [list(pair) for pair in sorted(self.buckets.items())]}


class Figures:
    def __init__(self, bounds=None, started=STARTED, uptime=3600.0):
        self.bounds, self.started, self.uptime = bounds or BOUNDS, started, uptime
        self.pipelines, self.steps, self.failures, self.refused, self.histograms = {}, {}, [], {}, {}
        self.cores = [self._core(0), self._core(1)]
        self.total = None
        self.store = {
            "url": "redis://fnkit-cache:6379", "loaded": True, "connected": True,
            "changes_by": "keyspace notifications and tracking", "trouble": "", "age_seconds": 1.2,
            "invalid_pipelines": [],
        }
        self.records = {kind: {"recorded": 0, "dropped": 0} for kind in ("traces", "events", "spans")}
        self.records |= {"log_lines_dropped": 0, "kept_in": "valkey"}

    @staticmethod
    def _core(number):
        return {"core": number, "requests": 0, "in_progress": 0, "connections": 0, "busy_seconds": 0.0,
                "turns": 0, "enters": 0}

    def pipeline(self, name, *steps, mode="sequential"):
        """No steps and no mode: removed from the store."""
        self.pipelines[name] = {"name": name, "mode": mode, "steps": list(steps), "requests": 0,
                                "failures": 0, "cancelled": 0, "in_progress": 0}
        self.histograms["pipeline", name] = Histogram(self.bounds)
        for step in steps:
            self.step(step)
        return self

    def step(self, name):
        if name not in self.steps:
            self.steps[name] = {
                "name": name, "calls": 0, "failures": dict.fromkeys(CAUSES, 0), "cancelled": 0,
                "function": f"{name}:8080", "connections": {"idle": 2, "busy": 0, "connecting": 0},
            }
            self.histograms["step", name] = Histogram(self.bounds)
        return self.steps[name]

    def run(self, name, times, seconds, failures=0, core=0):
        """`times` more requests of a pipeline, each taking `seconds`."""
        self.pipelines[name]["requests"] += times
        self.pipelines[name]["failures"] += failures
        self.histograms["pipeline", name].add(seconds, times)
        self.cores[core]["requests"] += times
        return self

    def call(self, name, times, seconds, **failures):
        self.steps[name]["calls"] += times
        for cause, count in failures.items():
            self.steps[name]["failures"][cause] += count
        self.histograms["step", name].add(seconds, times)
        return self

    def fail(self, pipeline, step, reason, status=502, request_id="request-1"):
        """One more of the recent failures."""
        told = {"timestamp": iso(self.started + timedelta(seconds=self.uptime)), "pipeline": pipeline,
                "step": step, "status": status, "reason": reason, "request_id": request_id,
                "trace_id": f"{len(self.failures):032x}", "latency_ms": 12.3}
        self.failures = [told, *self.failures][:100]
        return self

    def after(self, seconds):
        self.uptime += seconds
        return self

    def told(self):
        """The answer of this moment."""
        def with_latency(kind, items):
            return [{**item, "latency": self.histograms[kind, item["name"]].told()} for item in items]

        stored = sum(item["mode"] is not None for item in self.pipelines.values())
        invalid = self.store["invalid_pipelines"]
        return copy.deepcopy({
            "service": "fnkit-orchestrator", "version": "0.1.0",
            "now": iso(self.started + timedelta(seconds=self.uptime)), "started": iso(self.started),
            "uptime_seconds": self.uptime, "bounds": self.bounds,
            "store": {**self.store, "pipelines": stored, "invalid": len(invalid)},
            "records": self.records, "cores": self.cores,
            "pipelines": with_latency("pipeline", self.pipelines.values()),
            "pipelines_total": self.total or stored,
            "steps": with_latency("step", self.steps.values()),
            "failures": self.failures, "refused": self.refused,
        })
