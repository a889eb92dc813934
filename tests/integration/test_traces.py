"""Trace context, spans to an OTLP receiver, Server-Timing, the access log: CONTRACT section 6."""

import json
import re

from support import answers, client
from support.case import Case, pipelines_of
from support.metrics import Metrics
from support.otlp import Receiver, attributes, refuse
from support.waiting import eventually

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")
UNSAMPLED = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-00")
TIMING = re.compile(r'^one;dur=(\d+\.\d{3}), two;dur=(\d+\.\d{3}), total;dur=(\d+\.\d{3})$')


class TraceCase(Case):
    def setUp(self):
        self.fn = {name: self.function(name, answers.text(name)) for name in ("one", "two")}
        self.store = self.directory(pipelines_of(order="one,two", every="|one,two"))

    def serve(self, *arguments, **more):
        resolve = {name: made.address for name, made in self.fn.items()}
        self.program = self.start(self.store.url, "--admin-listen", "127.0.0.1:0", *arguments, resolve=resolve, **more)
        return self.program

    def call(self, target="/orchestrate/order", headers=(), body=b"in"):
        return client.call(self.program.address, "POST", target, headers, body)

    def receiver(self):
        made = Receiver()
        self.addCleanup(made.close)
        return made


class Spans(TraceCase):
    def test_a_sampled_trace_goes_on_with_a_span_for_the_request_and_one_for_each_step(self):
        receiver = self.receiver()
        self.serve("--otlp-endpoint", receiver.endpoint, "--otlp-sample", "0")
        self.call("/orchestrate/order/x?secret=1", [SAMPLED, ("tracestate", "a=1"), ("x-request-id", "mine")])
        spans = {span["name"]: span for span in receiver.wait_for_spans(3)}
        by_step = {attributes(span).get("fnkit.step"): span for span in receiver.spans()}
        request = spans["POST /orchestrate/order"]
        self.assertEqual((request["traceId"], request["parentSpanId"]), (TRACE, "b7ad6b7169203331"))
        told = attributes(request)
        self.assertEqual((told["http.response.status_code"], told["fnkit.request_id"]), (200, "mine"))
        self.assertEqual((told["url.path"], told["http.route"]), ("/orchestrate/order/x", "/orchestrate/order"))
        for name, made in self.fn.items():
            span = by_step[name]
            self.assertEqual((span["traceId"], span["parentSpanId"]), (TRACE, request["spanId"]))
            sent = made.requests[0]
            self.assertEqual(sent.header("traceparent"), f"00-{TRACE}-{span['spanId']}-01")
            self.assertEqual(sent.header("tracestate"), "a=1")
            self.assertEqual(attributes(span)["url.full"], f"http://{name}:8080/x")
            self.assertEqual(f"{attributes(span)['server.address']}", made.address)
        self.assertNotIn("secret", json.dumps(receiver.documents))
        self.assertEqual(receiver.problems, [])

    def test_what_fails_is_sent_whatever_the_sample(self):
        receiver = self.receiver()
        self.fn["two"].script = answers.text("no", 500)
        self.serve("--otlp-endpoint", receiver.endpoint, "--otlp-sample", "0")
        self.call("/orchestrate/every")  # sampled out, unless it fails
        self.fn["two"].script = answers.text("two")
        for _ in range(20):
            self.call(headers=[UNSAMPLED])
        self.fn["two"].script = answers.reset_without_answer
        self.call(headers=[UNSAMPLED])
        receiver.wait_for_spans(6)
        self.program.stop()
        spans = receiver.spans()
        self.assertEqual(len(spans), 6)
        failed = [attributes(span).get("error.type") for span in spans if span.get("status", {}).get("code") == 2]
        self.assertIn("500", failed)
        self.assertIn("reset", failed)

    def test_new_traces_are_sampled_and_functions_are_told(self):
        receiver = self.receiver()
        self.serve("--otlp-endpoint", receiver.endpoint, "--otlp-sample", "1")
        self.call()
        receiver.wait_for_spans(3)
        self.assertRegex(self.fn["one"].requests[0].header("traceparent"), "-01$")

    def test_without_a_receiver_no_trace_is_told_to_be_sampled(self):
        self.serve("--otlp-sample", "1")
        self.call()
        self.assertRegex(self.fn["one"].requests[0].header("traceparent"), "-00$")

    def test_a_receiver_that_is_away_costs_requests_nothing_and_what_it_misses_is_counted(self):
        receiver = self.receiver()
        receiver.answer_next(*[refuse(400) for _ in range(3)])
        self.serve("--otlp-endpoint", receiver.endpoint, "--otlp-sample", "1")
        self.call()
        self.program.wait_for_line("level=warning source=otlp")
        metrics = eventually(lambda: (found := Metrics.of(self.program.admin_address)) and
                             found["fnkit_records_dropped_total", "kind=span"] and found, 5.0, "dropped spans")
        self.assertEqual(metrics["fnkit_records_total", "kind=span"], 3)
        self.assertEqual(metrics["fnkit_records_dropped_total", "kind=span"], 3)

    def test_spans_of_the_last_moment_leave_before_the_end(self):
        receiver = self.receiver()
        self.serve("--otlp-endpoint", receiver.endpoint, "--otlp-sample", "1")
        self.call()
        self.program.stop()
        self.assertEqual(len(receiver.spans()), 3)


class ServerTiming(TraceCase):
    def test_it_is_told_to_who_asks(self):
        self.serve()
        self.assertIsNone(self.call().header("server-timing"))
        for value in ("0", "yes", ""):
            self.assertIsNone(self.call(headers=[("x-pipeline-debug", value)]).header("server-timing"))
        answer = self.call(headers=[("x-pipeline-debug", "1")])
        self.assertRegex(answer.header("server-timing"), TIMING)
        one, two, total = map(float, TIMING.match(answer.header("server-timing")).groups())
        self.assertLessEqual(one + two, total + 0.002)

    def test_it_is_told_to_everybody_where_that_is_set(self):
        for words in (("--server-timing",), ("--server-timing", "on")):
            self.serve(*words)
            self.assertRegex(self.call().header("server-timing"), TIMING)

    def test_who_may_not_run_a_pipeline_is_told_nothing(self):
        self.serve(env={"FNKIT_AUTH_TOKEN": "secret"})
        answer = self.call(headers=[("x-pipeline-debug", "1")])
        self.assertEqual((answer.status, answer.header("server-timing")), (401, None))

    def test_a_failed_step_says_its_cause(self):
        self.fn["two"].script = answers.text("no", 500)
        self.serve("--server-timing")
        self.assertRegex(self.call().header("server-timing"), r'two;dur=\S+;desc="status", total')


class AccessLog(TraceCase):
    def test_one_line_a_request_whatever_became_of_it(self):
        self.serve("--access-log", "--log-format", "json")
        self.call("/orchestrate/order/x?secret=1", [("x-request-id", "mine")])
        self.call("/orchestrate/none")
        client.call(self.program.address, "GET", "/health")
        with client.Client(self.program.address) as caller:
            caller.send(b"nonsense\r\n\r\n")
            caller.answer()

        def lines():
            found = [json.loads(line) for line in self.program.stderr.splitlines()]
            found = [line for line in found if line["source"] == "access" and line["path"] != "/readyz"]
            return found if len(found) >= 4 else None

        found = eventually(lines, 5.0, "four lines")
        told = sorted((line["status"], line["method"], line["path"], line["pipeline"]) for line in found)
        self.assertEqual(told, [("200", "GET", "/health", "-"), ("200", "POST", "/orchestrate/order/x", "order"),
                                ("400", "", "", "-"), ("404", "POST", "/orchestrate/none", "-")])
        mine = [line for line in found if line["request_id"] == "mine"]
        self.assertEqual(len(mine), 1)
        self.assertRegex(mine[0]["caller"], r"^127\.0\.0\.1:\d+$")
        self.assertGreater(int(mine[0]["duration_us"]), 0)
        self.assertNotIn("secret", self.program.stderr)

    def test_there_is_none_unless_asked_for(self):
        self.serve()
        self.call()
        self.program.stop()
        self.assertNotIn("source=access", self.program.stderr)

    def test_every_request_of_a_flood_has_its_line(self):
        self.serve("--access-log")
        caller = self.connect(self.program.address)
        for number in range(2000):
            caller.call("POST", f"/orchestrate/order/n{number}", body=b"in")
        self.program.stop()
        paths = re.findall(r"source=access .*path=/orchestrate/order/n(\d+) ", self.program.stderr)
        self.assertEqual(paths, [str(number) for number in range(2000)])
