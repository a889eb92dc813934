"""Scripts for fake functions: each is a callable that gets an Exchange and answers it (or not)."""

import threading

from support.client import chunked as chunk_bytes

HOLD_MAX = 30.0
REASONS = {200: "OK", 201: "Created", 204: "No Content", 302: "Found", 404: "Not Found"}


def head(status, headers=(), version="1.1"):
    lines = [f"HTTP/{version} {status} {REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def whole(status, body=b"", content_type="text/plain", headers=(), length=True):
    body = body if isinstance(body, bytes) else body.encode()
    fields = [("Content-Type", content_type)] if content_type else []
    fields += list(headers)
    if length and status != 204:
        fields.append(("Content-Length", str(len(body))))
    return head(status, fields) + body


def reply(status, body=b"", content_type="text/plain", headers=()):
    """A plain answer with content-length, keep-alive."""

    def script(exchange):
        data = whole(status, body, content_type, headers)
        if exchange.request.method == "HEAD":
            data = data[: data.index(b"\r\n\r\n") + 4]
        exchange.send(data)

    return script


def text(body, status=200):
    return reply(status, body)


def json(body, status=200, content_type="application/json"):
    return reply(status, body, content_type)


def echo(content_type="application/octet-stream"):
    """Answers with the request's body."""
    return lambda exchange: reply(200, exchange.request.body, content_type)(exchange)


def raw(data, then="keep"):
    """Exact bytes; then keep the connection, close it, reset it, or say nothing more."""

    def script(exchange):
        exchange.send(data)
        finish(exchange, then)

    return script


def finish(exchange, then):
    if then == "close":
        exchange.connection.finish_sending()
        exchange.connection.wait_for_peer_close()
        exchange.connection.close()
    elif then == "reset":
        exchange.connection.reset()
    elif then == "silent":
        exchange.connection.wait_for_peer_close()
        exchange.connection.close()


def closing(body=b"bye", content_type="text/plain"):
    """`Connection: close`, and the connection is closed indeed."""
    return raw(whole(200, body, content_type, [("Connection", "close")]), "close")


def until_end(body, version="1.1", content_type="text/plain"):
    """Neither content-length nor chunks: the body ends with the connection."""
    return raw(head(200, [("Content-Type", content_type)], version) + body, "close")


def chunked(*pieces, status=200, content_type="text/plain", last=True):
    fields = [("Content-Type", content_type), ("Transfer-Encoding", "chunked")]
    data = chunk_bytes(*pieces)
    return raw(head(status, fields) + (data if last else data[: -len(b"0\r\n\r\n")]))


def byte_by_byte(data, then="keep"):
    def script(exchange):
        for at in range(len(data)):
            exchange.send(data[at : at + 1])
        finish(exchange, then)

    return script


def silent(exchange):
    """Never answers."""
    finish(exchange, "silent")


def close_without_answer(exchange):
    finish(exchange, "close")


def reset_without_answer(exchange):
    exchange.connection.reset()


def held(gate, then):
    """Waits for the gate (an Event), then goes on with another script."""

    def script(exchange):
        if not gate.wait(HOLD_MAX):
            raise TimeoutError("a test never opened its gate")
        then(exchange)

    return script


def each(*scripts):
    """The n-th request gets the n-th script; those after the last get the last."""
    return lambda exchange: scripts[min(exchange.number, len(scripts)) - 1](exchange)


def afterwards(answer, gate, data, gone=None):
    """Answers; when the gate opens sends bytes nobody asked for; notes what came until the peer left."""

    def script(exchange):
        answer(exchange)
        gate.wait(HOLD_MAX)
        exchange.send(data)
        more = exchange.connection.wait_for_peer_close()
        if more:
            exchange.function.problems.append(f"a request on a poisoned connection: {more[:100]!r}")
        exchange.connection.close()
        (gone or threading.Event()).set()

    return script
