"""A receiver of OTLP/HTTP traces in JSON, and the strict reading of what it gets.

The tables are opentelemetry-proto's: trace/v1/trace.proto, common/v1/common.proto,
resource/v1/resource.proto, collector/trace/v1/trace_service.proto. A receiver has to ignore fields
that it does not know and may take numbers for strings; a sender that is careful needs neither, so
here both are refused. What the protocol only has for profiles, or calls in development, is left out.
"""

import base64
import binascii
import json
import math
import re
import threading

from support import answers
from support.function import Function
from support.waiting import eventually

_ATTRIBUTES = {"attributes": ["KeyValue"], "droppedAttributesCount": "uint32"}

MESSAGES = {
    "ExportTraceServiceRequest": {"resourceSpans": ["ResourceSpans"]},
    "ResourceSpans": {"resource": "Resource", "scopeSpans": ["ScopeSpans"], "schemaUrl": "string"},
    "Resource": _ATTRIBUTES,
    "ScopeSpans": {"scope": "InstrumentationScope", "spans": ["Span"], "schemaUrl": "string"},
    "InstrumentationScope": {"name": "string", "version": "string", **_ATTRIBUTES},
    "Span": {
        "traceId": "trace id", "spanId": "span id", "traceState": "string",
        "parentSpanId": "span id", "flags": "uint32", "name": "name", "kind": "SpanKind",
        "startTimeUnixNano": "uint64", "endTimeUnixNano": "uint64", **_ATTRIBUTES,
        "events": ["Event"], "droppedEventsCount": "uint32",
        "links": ["Link"], "droppedLinksCount": "uint32", "status": "Status",
    },
    "Event": {"timeUnixNano": "uint64", "name": "name", **_ATTRIBUTES},
    "Link": {"traceId": "trace id", "spanId": "span id", "traceState": "string",
             "flags": "uint32", **_ATTRIBUTES},
    "Status": {"message": "string", "code": "StatusCode"},
    "KeyValue": {"key": "name", "value": "AnyValue"},
    "AnyValue": {"stringValue": "string", "boolValue": "bool", "intValue": "int64",
                 "doubleValue": "double", "arrayValue": "ArrayValue", "kvlistValue": "KeyValueList",
                 "bytesValue": "bytes"},
    "ArrayValue": {"values": ["AnyValue"]},
    "KeyValueList": {"values": ["KeyValue"]},
}

# What the protocol calls required, and what it needs to be a trace.
REQUIRED = {
    "ResourceSpans": ("resource", "scopeSpans"),
    "ScopeSpans": ("scope", "spans"),
    "Span": ("traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"),
    "Link": ("traceId", "spanId"),
    "Event": ("timeUnixNano", "name"),
    "KeyValue": ("key", "value"),
}


class OtlpError(AssertionError):
    """This is no OTLP/HTTP JSON, or none that a careful sender sends."""


def _is_base64(value):
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_whole(value, least, most):
    return type(value) is int and least <= value <= most


def _is_wide(value, least, most):
    """64 bits are decimal strings, written in the shortest way."""
    return (isinstance(value, str) and re.fullmatch(r"0|-?[1-9][0-9]{0,19}", value) is not None
            and least <= int(value) <= most)


def _is_id(value, digits):
    return (isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{digits}}}", value) is not None
            and value.strip("0") != "")


SCALARS = {
    "string": lambda value: isinstance(value, str),
    "name": lambda value: isinstance(value, str) and value != "",
    "bool": lambda value: isinstance(value, bool),
    "bytes": lambda value: isinstance(value, str) and _is_base64(value),
    "double": lambda value: type(value) in (int, float) and math.isfinite(value),
    "uint32": lambda value: _is_whole(value, 0, 2**32 - 1),
    "SpanKind": lambda value: _is_whole(value, 1, 5),
    "StatusCode": lambda value: _is_whole(value, 0, 2),
    "uint64": lambda value: _is_wide(value, 0, 2**64 - 1),
    "int64": lambda value: _is_wide(value, -(2**63), 2**63 - 1),
    "trace id": lambda value: _is_id(value, 32),
    "span id": lambda value: _is_id(value, 16),
}


def _check(kind, value, where):
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise OtlpError(f"{where}: not an array: {value!r}")
        for index, element in enumerate(value):
            _check(kind[0], element, f"{where}[{index}]")
        if kind == ["KeyValue"]:
            _check_differ([pair["key"] for pair in value], where)
    elif kind in SCALARS:
        if not SCALARS[kind](value):
            raise OtlpError(f"{where}: no {kind}: {value!r}")
    else:
        _check_message(kind, value, where)


def _check_message(kind, value, where):
    if not isinstance(value, dict):
        raise OtlpError(f"{where}: no {kind}: {value!r}")
    for key, member in value.items():
        if key not in MESSAGES[kind]:
            raise OtlpError(f"{where}: a {kind} has no {key!r}")
        _check(MESSAGES[kind][key], member, f"{where}.{key}")
    for key in REQUIRED.get(kind, ()):
        if key not in value:
            raise OtlpError(f"{where}: a {kind} needs {key!r}")
    if kind == "AnyValue" and len(value) != 1:
        raise OtlpError(f"{where}: one value, not {len(value)}")
    if kind == "Span" and int(value["startTimeUnixNano"]) > int(value["endTimeUnixNano"]):
        raise OtlpError(f"{where}: ends before it begins")


def _check_differ(keys, where):
    if len(set(keys)) != len(keys):
        raise OtlpError(f"{where}: a key twice: {sorted(keys)}")


def _object(pairs):
    _check_differ([key for key, _ in pairs], "an object")
    return dict(pairs)


def read(body):
    """The ExportTraceServiceRequest in the bytes `body`, or an OtlpError."""
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_object)
    except ValueError as error:
        raise OtlpError(f"no JSON in UTF-8: {error}") from error
    _check("ExportTraceServiceRequest", document, "request")
    return document


def attributes(of):
    """Of a span, a resource or a scope: {key: str, int, bool or float}."""
    found = {}
    for pair in of.get("attributes", []):
        (kind, value), = pair["value"].items()
        found[pair["key"]] = int(value) if kind == "intValue" else value
    return found


class Receiver:
    """Takes every export, but for those that it was told to answer otherwise.

    What is no export that a careful sender sends is answered 400, and stands in `problems`.
    """

    def __init__(self, listener=None):
        self.function = Function("otlp", self._receive, listener=listener)
        self.documents = []  # that were taken, oldest first
        self.problems = []
        self._next = []
        self._lock = threading.Lock()

    @property
    def endpoint(self):
        return f"http://{self.function.address}"

    def answer_next(self, *scripts):
        """The next exports are answered so, and not taken: refuse(…) or any script of answers.py."""
        with self._lock:
            self._next += scripts

    def spans(self):
        with self._lock:
            documents = list(self.documents)
        return [span for document in documents for resource in document["resourceSpans"]
                for scope in resource["scopeSpans"] for span in scope["spans"]]

    def wait_for_spans(self, count, deadline=10.0):
        """Waits until `count` spans were taken; returns all that were."""
        return eventually(lambda: len(self.spans()) >= count and self.spans(), deadline,
                          f"{count} spans at the receiver; problems: {self.problems}")

    def close(self):
        self.function.close()

    def _receive(self, exchange):
        try:
            document = _read_request(exchange.request)
        except OtlpError as error:
            self.problems.append(str(error))
            return refuse(400, str(error))(exchange)
        with self._lock:
            script = self._next.pop(0) if self._next else None
            if script is None:
                self.documents.append(document)
        return (script or answers.json("{}"))(exchange)


def _read_request(request):
    if (request.method, request.target) != ("POST", "/v1/traces"):
        raise OtlpError(f"not POST /v1/traces: {request}")
    if request.header("content-type") != "application/json":
        raise OtlpError(f"not application/json: {request.header('content-type')!r}")
    return read(request.body)


def refuse(status, message="as told", retry_after=None):
    headers = [] if retry_after is None else [("Retry-After", str(retry_after))]
    return answers.reply(status, json.dumps({"message": message}), "application/json", headers)


def partial_success(rejected, message):
    told = {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": message}}
    return answers.json(json.dumps(told))
