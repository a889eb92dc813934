"""/metrics: names by Prometheus' conventions, exact counts, labels that stay bounded: CONTRACT section 6."""

import subprocess

from support import answers, client, settings
from support.metrics import Metrics
from support.store import config
from support.store_case import StoreCase
from support.waiting import eventually


class MetricsCase(StoreCase):
    def serve(self, *arguments, **more):
        program = super().serve("--admin-listen", "127.0.0.1:0", *arguments, **more)
        self.admin = program.admin_address
        return program

    def metrics(self):
        return Metrics.of(self.admin)

    def becomes(self, wanted, *key):
        eventually(lambda: self.metrics().get(*key) == wanted, 5.0, f"{key} being {wanted}")

    def call(self, target, **more):
        return client.call(self.program.address, "POST", target, body=b"in", **more)


class Text(MetricsCase):
    def test_promtool_has_nothing_to_say(self):
        if not settings.promtool:
            raise AssertionError("promtool is missing: it is in the package prometheus")
        self.server.set("order", config("one", "two"))
        self.server.set("every", config("one", "two", mode="parallel"))
        self.serve()
        for pipeline in ("order", "every", "none"):
            self.call(f"/orchestrate/{pipeline}")
        done = subprocess.run([settings.promtool, "check", "metrics"], input=self.metrics().text.encode(),
                              capture_output=True, timeout=20)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        answer = client.call(self.admin, "GET", "/metrics")
        self.assertEqual(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8")

    def test_every_name_that_a_dashboard_may_ask_for_is_there(self):
        self.server.set("order", config("one"))
        self.serve()
        self.call("/orchestrate/order")
        text = self.metrics().text
        for name in ("fnkit_requests_total", "fnkit_requests_in_progress", "fnkit_request_duration_seconds",
                     "fnkit_request_failures_total", "fnkit_requests_cancelled_total", "fnkit_requests_unrouted_total",
                     "fnkit_step_duration_seconds", "fnkit_step_failures_total", "fnkit_step_cancelled_total",
                     "fnkit_function_connections", "fnkit_function_calls_total", "fnkit_function_calls_shared_total",
                     "fnkit_function_connections_opened_total", "fnkit_function_retries_total",
                     "fnkit_function_pipelining_depth", "fnkit_limit_hits_total", "fnkit_store_connected",
                     "fnkit_store_age_seconds", "fnkit_pipelines_invalid", "fnkit_records_dropped_total",
                     "fnkit_log_lines_dropped_total", "fnkit_core_busy_seconds_total", "fnkit_core_turns_total",
                     "fnkit_core_enters_total", "fnkit_build_info", "process_cpu_seconds_total", "process_open_fds"):
            self.assertIn(f"# TYPE {name} ", text)


class Counts(MetricsCase):
    def test_requests_and_steps_by_outcome(self):
        self.server.set("order", config("one", "two"))
        self.serve("--step-timeout", "200ms")
        for number, script in enumerate((answers.text("ok"), answers.text("no", 503), answers.text("moved", 302),
                                         answers.reset_without_answer, answers.raw(b"nonsense\r\n\r\n"), answers.silent)):
            self.fn["two"].script = script
            for _ in range(number + 1):
                self.call("/orchestrate/order")
        metrics = self.metrics()
        self.assertEqual(metrics["fnkit_requests_total", "pipeline=order", "code=2xx"], 1)
        self.assertEqual(metrics["fnkit_requests_total", "pipeline=order", "code=3xx"], 3)
        self.assertEqual(metrics["fnkit_requests_total", "pipeline=order", "code=5xx"], 2 + 4 + 5 + 6)
        self.assertEqual(metrics["fnkit_request_failures_total", "pipeline=order"], 20)
        self.assertEqual(metrics["fnkit_request_duration_seconds_count", "pipeline=order"], 21)
        self.assertEqual(metrics["fnkit_step_duration_seconds_count", "step=one"], 21)
        for cause, count in (("status", 5), ("reset", 4), ("protocol", 5), ("timeout", 6), ("connect", 0), ("shed", 0)):
            self.assertEqual(metrics["fnkit_step_failures_total", "step=two", f"cause={cause}"], count, cause)
        self.assertEqual(metrics["fnkit_limit_hits_total", "limit=step-timeout"], 6)
        self.assertEqual(metrics.sum("fnkit_requests_in_progress"), 0)

    def test_callers_that_leave_are_no_failures(self):
        self.server.set("order", config("one"))
        gate = self.gate()
        self.fn["one"].script = answers.held(gate, answers.text("late"))
        self.serve()
        caller = self.connect(self.program.address)
        caller.send_request("POST", "/orchestrate/order", body=b"in")
        self.becomes(1, "fnkit_requests_in_progress", "pipeline=order")
        caller.reset()
        self.becomes(1, "fnkit_requests_cancelled_total", "pipeline=order")
        metrics = self.metrics()
        self.assertEqual(metrics["fnkit_step_cancelled_total", "step=one"], 1)
        self.assertEqual(metrics["fnkit_request_failures_total", "pipeline=order"], 0)
        self.assertEqual(metrics["fnkit_requests_in_progress", "pipeline=order"], 0)

    def test_what_runs_no_pipeline_is_counted_by_status_and_no_name_of_it_is_a_label(self):
        self.serve("--body-max", "1KiB", "--target-max", "100")
        for number in range(30):
            self.call(f"/orchestrate/unknown{number}")
        client.call(self.program.address, "POST", "/orchestrate/p", body=b"x" * 2000)
        client.call(self.program.address, "GET", "/" + "x" * 200)
        with client.Client(self.program.address) as caller:
            caller.send(b"nonsense\r\n\r\n")
            self.assertEqual(caller.answer().status, 400)
        metrics = self.metrics()
        for code, count in (("404", 30), ("413", 1), ("414", 1), ("400", 1)):
            self.assertEqual(metrics["fnkit_requests_unrouted_total", f"code={code}"], count, code)
        self.assertEqual(metrics["fnkit_limit_hits_total", "limit=body-max"], 1)
        self.assertEqual(metrics["fnkit_limit_hits_total", "limit=target-max"], 1)
        self.assertNotIn("unknown", metrics.text)

    def test_names_beyond_a_thousand_share_one_label(self):
        store = self.server.client()
        for number in range(1010):
            store.send("SET", f"fnkit:pipeline:p{number}", config("one"))
        for _ in range(1010):
            store.reply()
        self.serve()
        caller = self.connect(self.program.address)
        for number in range(1010):
            self.assertEqual(caller.call("POST", f"/orchestrate/p{number}", body=b"in").status, 200)
        metrics = self.metrics()
        self.assertEqual(metrics["fnkit_requests_total", "pipeline=_other", "code=2xx"], 10)
        self.assertEqual(metrics.sum("fnkit_requests_total"), 1010)
        self.assertEqual(len(metrics.labels("fnkit_requests_cancelled_total")), 1001)

    def test_connections_by_state(self):
        self.server.set("order", config("one"))
        gate = self.gate()
        self.fn["one"].script = answers.held(gate, answers.text("late"))
        self.serve()
        caller = self.connect(self.program.address)
        caller.send_request("POST", "/orchestrate/order", body=b"in")
        function = f"function={self.fn['one'].address}"
        self.becomes(1, "fnkit_function_connections", function, "state=busy")
        self.assertEqual(self.metrics()["fnkit_function_connections", function, "state=idle"], 0)
        gate.set()
        self.assertEqual(caller.answer().status, 200)
        self.becomes(1, "fnkit_function_connections", function, "state=idle")
        self.assertEqual(self.metrics()["fnkit_function_connections", function, "state=busy"], 0)
        self.becomes(0, "fnkit_function_connections", function, "state=idle")  # its idle time is over
        self.assertEqual(self.metrics()["fnkit_function_connections_opened_total", function], 1)

    def test_the_stores_state(self):
        self.server.set("order", config("one"))
        self.server.set("bad", "{")
        self.serve()
        metrics = self.metrics()
        self.assertEqual(metrics["fnkit_pipelines",], 2)
        self.assertEqual(metrics["fnkit_pipelines_invalid",], 1)
        self.assertEqual(metrics["fnkit_store_changes_info", "by=keyspace notifications and tracking"], 1)
        self.becomes(1, "fnkit_store_connected")
        self.server.kill()
        self.becomes(0, "fnkit_store_connected")
        self.assertGreater(self.metrics()["fnkit_store_age_seconds",], 0)
