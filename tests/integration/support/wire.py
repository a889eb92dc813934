"""A strict reader of HTTP/1.1 messages (RFC 9112), for both sides of the program under test.

It accepts only what a careful peer would send; anything else is a WireError, which fails a test.
"""

import json
import re

_TOKEN = re.compile(rb"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")
_VALUE = re.compile(rb"^[\t\x20-\x7e\x80-\xff]*$")
_STATUS_LINE = re.compile(rb"^(HTTP/1\.[01]) ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)$")
_REQUEST_LINE = re.compile(rb"^([A-Z]+) ([\x21-\x7e]+) (HTTP/1\.1)$")
HEAD_BYTES_MAX = 256 * 1024


class WireError(AssertionError):
    """The peer broke HTTP."""


class Closed(WireError):
    """The peer ended the connection where a message, or more of one, should have been."""


class Source:
    """Bytes of one socket, in order."""

    def __init__(self, sock):
        self._socket = sock
        self._buffer = bytearray()

    def fill(self):
        """Reads once; False at the end of the stream."""
        try:
            piece = self._socket.recv(262144)
        except ConnectionResetError as error:
            raise Closed("connection reset by the peer") from error
        except TimeoutError as error:
            raise WireError(f"nothing arrived in time; read so far: {self.peek()}") from error
        self._buffer += piece
        return bool(piece)

    def peek(self):
        return bytes(self._buffer[:200])

    def pending(self):
        return bytes(self._buffer)

    def until(self, mark, bytes_max=HEAD_BYTES_MAX):
        start = 0
        while True:
            at = self._buffer.find(mark, start)
            if at >= 0:
                return self._take(at + len(mark))[: -len(mark)]
            if len(self._buffer) > bytes_max:
                raise WireError(f"no {mark!r} within {bytes_max} bytes")
            start = max(0, len(self._buffer) - len(mark) + 1)
            if not self.fill():
                if self._buffer:
                    raise Closed(f"closed in the middle of a message: {self.peek()}")
                raise Closed("closed before a message began")

    def exactly(self, count):
        while len(self._buffer) < count:
            if not self.fill():
                raise Closed(f"closed after {len(self._buffer)} of {count} body bytes")
        return self._take(count)

    def rest(self):
        while self.fill():
            pass
        return self._take(len(self._buffer))

    def _take(self, count):
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


class Message:
    """Headers as received, in order, names in the case they had."""

    def __init__(self, headers):
        self.headers = headers
        self.body = b""

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        if len(values) > 1:
            raise WireError(f"{len(values)} header lines {name}: {values}")
        return values[0] if values else None

    def names(self):
        return sorted(key.lower() for key, _ in self.headers)

    def json(self):
        return json.loads(self.body.decode("utf-8"))

    def keys(self):
        """The top-level keys of a JSON object, in the order they were written."""
        return [key for key, _ in json.loads(self.body, object_pairs_hook=list)]


class Answer(Message):
    def __init__(self, version, status, reason, headers, interim):
        super().__init__(headers)
        self.version, self.status, self.reason = version, status, reason
        self.interim = interim
        self.until_close = False

    @property
    def says_close(self):
        return "close" in [part.strip().lower() for part in ",".join(self.all("connection")).split(",")]

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class Request(Message):
    def __init__(self, method, target, headers):
        super().__init__(headers)
        self.method, self.target = method, target
        self.connection_id = None

    def __repr__(self):
        return f"<{self.method} {self.target} {self.body[:80]!r}>"


def parse_headers(lines):
    headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not _TOKEN.match(name) or not _VALUE.match(value):
            raise WireError(f"bad header line {line!r}")
        headers.append((name.decode("ascii"), value.decode("latin-1")))
    return headers


def _split_head(head):
    lines = head.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in lines):
        raise WireError(f"bare CR or LF in {head[:200]!r}")
    return lines


def read_request(source, chunked=False):
    """The head alone. `chunked`: it need not have a content-length."""
    lines = _split_head(source.until(b"\r\n\r\n"))
    first = _REQUEST_LINE.match(lines[0])
    if not first:
        raise WireError(f"bad request line {lines[0]!r}")
    request = Request(first[1].decode(), first[2].decode(), parse_headers(lines[1:]))
    if request.header("transfer-encoding") is not None and not chunked:
        raise WireError("a request with transfer-encoding, where content-length was promised")
    return request


def read_request_body(source, request):
    length = request.header("content-length")
    if request.header("transfer-encoding") is not None:
        if length is not None or request.header("transfer-encoding") != "chunked":
            raise WireError("a request with two kinds of framing, or with an unknown one")
        request.body = _read_chunks(source)
    elif length is not None:
        if not length.isascii() or not length.isdigit():
            raise WireError(f"bad content-length {length!r}")
        request.body = source.exactly(int(length))


def read_answer(source, method="GET"):
    """One final answer; interim (1xx) ones before it are collected in .interim."""
    interim = []
    while True:
        answer = _read_answer_head(source, interim)
        if answer.status >= 200:
            _read_answer_body(source, answer, method)
            return answer
        if answer.all("content-length") or answer.all("transfer-encoding"):
            raise WireError(f"a {answer.status} answer with body framing (RFC 9112 6.1, 6.2)")
        interim.append(answer.status)


def read_interim(source):
    answer = _read_answer_head(source, [])
    if answer.status >= 200:
        raise WireError(f"expected an interim answer, got {answer.status}")
    return answer.status


def _read_answer_head(source, interim):
    lines = _split_head(source.until(b"\r\n\r\n"))
    first = _STATUS_LINE.match(lines[0])
    if not first:
        raise WireError(f"bad status line {lines[0]!r}")
    headers = parse_headers(lines[1:])
    return Answer(first[1].decode(), int(first[2]), first[3].decode("latin-1"), headers, interim)


def _read_answer_body(source, answer, method):
    length = answer.header("content-length")
    coding = answer.header("transfer-encoding")
    if length is not None and coding is not None:
        raise WireError("both content-length and transfer-encoding (RFC 9112 6.2)")
    if answer.status == 204 and (length is not None or coding is not None):
        raise WireError("204 with body framing (RFC 9110 8.6, RFC 9112 6.1)")
    if length is not None and not (length.isascii() and length.isdigit()):
        raise WireError(f"bad content-length {length!r}")
    if method == "HEAD" or answer.status in (204, 304):
        return
    if coding is not None:
        if coding.lower() != "chunked":
            raise WireError(f"unknown transfer-encoding {coding!r}")
        answer.body = _read_chunks(source)
    elif length is not None:
        answer.body = source.exactly(int(length))
    else:
        answer.until_close = True
        answer.body = source.rest()


def _read_chunks(source):
    body = bytearray()
    while True:
        line = source.until(b"\r\n", 64)
        if not re.match(rb"^[0-9A-Fa-f]{1,16}$", line):
            raise WireError(f"bad chunk size line {line!r}")
        size = int(line, 16)
        if size == 0:
            if source.until(b"\r\n", 64):
                raise WireError("trailers that nobody asked for")
            return bytes(body)
        body += source.exactly(size)
        if source.exactly(2) != b"\r\n":
            raise WireError("chunk data not followed by CRLF")
