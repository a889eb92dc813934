"""The receiver of spans tells good exports from bad."""

import copy
import json
import subprocess

from support import client, otlp, settings
from support.case import Case

# opentelemetry-proto's examples/trace.json, with ids in lower case.
EXAMPLE = {"resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
    "scopeSpans": [{
        "scope": {"name": "my.library", "version": "1.0.0", "attributes": [
            {"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]},
        "spans": [{
            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
            "parentSpanId": "eee19b7ec3c1b173", "name": "I'm a server span",
            "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
            "kind": 2,
            "attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}]}]}]}]}


def changed(change):
    """The example's bytes after `change` has been at its span."""
    document = copy.deepcopy(EXAMPLE)
    change(document["resourceSpans"][0]["scopeSpans"][0]["spans"][0])
    return json.dumps(document).encode()


class StrictReading(Case):
    def refuses(self, what, **fields):
        with self.assertRaises(otlp.OtlpError, msg=f"{what}: {fields}"):
            otlp.read(changed(lambda span: span.update(fields)))

    def takes(self, **fields):
        otlp.read(changed(lambda span: span.update(fields)))

    def test_takes_the_published_example(self):
        self.assertEqual(otlp.read(json.dumps(EXAMPLE).encode()), EXAMPLE)

    def test_takes_every_kind_of_field(self):
        self.takes(traceState="a=b", flags=0x301, kind=5, status={"message": "why", "code": 2},
                   droppedAttributesCount=0, droppedEventsCount=1, droppedLinksCount=2**32 - 1,
                   events=[{"timeUnixNano": "0", "name": "e"}],
                   links=[{"traceId": "1" * 32, "spanId": "1" * 16, "flags": 1}],
                   attributes=[{"key": str(index), "value": value} for index, value in enumerate((
                       {"intValue": "-9223372036854775808"}, {"boolValue": False},
                       {"doubleValue": 1.5}, {"bytesValue": "AA=="}, {"arrayValue": {"values": []}},
                       {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "0"}}]}}))])

    def test_refuses_what_is_no_json(self):
        for body in (b"", b"{", b"[]", b"null", b'{"resourceSpans":[]}x', b'{"resourceSpans":{}}',
                     b'{"resourceSpans":[],"resourceSpans":[]}', b'{"resourceSpans":["\xff"]}'):
            with self.assertRaises(otlp.OtlpError, msg=repr(body)):
                otlp.read(body)

    def test_refuses_fields_that_there_are_not(self):
        self.refuses("an unknown field", more=1)
        self.refuses("the name in the .proto", trace_id="1" * 32)
        self.refuses("an unknown field in a message", status={"code": 2, "reason": ""})
        self.refuses("a value of no kind", attributes=[{"key": "a", "value": {"text": ""}}])

    def test_refuses_bad_ids(self):
        for bad in ("", "5b8efff798038103d269b633813fc60", "5b8efff798038103d269b633813fc60c0",
                    "5B8EFFF798038103D269B633813FC60C", "W47/95gDgQPSabYzgT/GDA==", "0" * 32, 1):
            self.refuses("a trace id", traceId=bad)
        for bad in ("", "eee19b7ec3c1b17", "eee19b7ec3c1b1740", "7uGbfsPBsXQ=", "0" * 16, None):
            self.refuses("a span id", spanId=bad)
            self.refuses("a parent's id", parentSpanId=bad)

    def test_refuses_bad_numbers(self):
        for bad in (1544712660000000000, "", "1.5", "1e9", "-1", "01", " 1", str(2**64), None):
            self.refuses("a time", startTimeUnixNano=bad)
        for bad in ("2", 0, 6, True, 2.0, "SPAN_KIND_SERVER"):
            self.refuses("a kind", kind=bad)
        for bad in ("1", -1, 2**32, True, 1.0):
            self.refuses("flags", flags=bad)
        for bad in (3, "2", "STATUS_CODE_ERROR"):
            self.refuses("a status", status={"code": bad})
        for bad in (1, "", "9223372036854775808"):
            self.refuses("a number", attributes=[{"key": "a", "value": {"intValue": bad}}])

    def test_refuses_what_is_no_span(self):
        self.refuses("an empty name", name="")
        self.refuses("an end before the start", endTimeUnixNano="1")
        self.refuses("no object", status=2)
        value = {"key": "a", "value": {"stringValue": ""}}
        self.refuses("a key twice", attributes=[value, value])
        self.refuses("an empty key", attributes=[{**value, "key": ""}])
        self.refuses("no value", attributes=[{"key": "a", "value": {}}])
        self.refuses("two values", attributes=[
            {"key": "a", "value": {"stringValue": "", "boolValue": True}}])
        self.refuses("no array", attributes=value)
        for needed in otlp.REQUIRED["Span"]:
            with self.assertRaises(otlp.OtlpError, msg=needed):
                otlp.read(changed(lambda span, name=needed: span.pop(name)))

    def test_takes_what_the_program_writes(self):
        lines = subprocess.run([settings.helper("otlp_documents")], check=True, timeout=30,
                               capture_output=True).stdout.splitlines()
        self.assertGreater(len(lines), 10)
        for line in lines:
            otlp.read(line)


class FakeReceiver(Case):
    def setUp(self):
        self.receiver = otlp.Receiver()
        self.addCleanup(self.receiver.close)

    def export(self, body=json.dumps(EXAMPLE).encode(), target="/v1/traces",
               content_type="application/json"):
        return client.call(("127.0.0.1", self.receiver.function.port), "POST", target,
                           [("Content-Type", content_type)], body)

    def test_takes_spans(self):
        answer = self.export()
        self.assertEqual((answer.status, answer.body), (200, b"{}"))
        span, = self.receiver.wait_for_spans(1)
        self.assertEqual(otlp.attributes(span), {"my.span.attr": "some value"})
        self.assertEqual(self.receiver.problems, [])

    def test_refuses_what_is_no_export(self):
        self.assertEqual(self.export(b"{}x").status, 400)
        self.assertEqual(self.export(target="/v1/metrics").status, 400)
        self.assertEqual(self.export(content_type="application/x-protobuf").status, 400)
        self.assertEqual(len(self.receiver.problems), 3)
        self.assertEqual(self.receiver.spans(), [])

    def test_answers_as_it_is_told(self):
        self.receiver.answer_next(otlp.refuse(503, retry_after=7), otlp.partial_success(1, "old"))
        refused = self.export()
        self.assertEqual((refused.status, refused.header("retry-after")), (503, "7"))
        self.assertEqual(self.export().json(),
                         {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "old"}})
        self.assertEqual(self.receiver.spans(), [])
        self.assertEqual(self.export().body, b"{}")
        self.assertEqual(len(self.receiver.spans()), 1)
