"""A caller that sends exactly the bytes it is told to, and reads strictly."""

import socket
import struct

from support import wire

TIMEOUT = 10.0


def request_bytes(method, target, headers=(), body=None, host="fnkit.test", version="1.1"):
    """A plain request; content-length is added where there is a body."""
    lines = [f"{method} {target} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Client:
    """One connection. `address` is (host, port), or a path for a unix socket."""

    def __init__(self, address, timeout=TIMEOUT, receive_buffer=None):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
            if not isinstance(address, str):
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self.socket.close()
            raise
        self.source = wire.Source(self.socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def send_request(self, method, target, headers=(), body=None, **more):
        return self.send(request_bytes(method, target, headers, body, **more))

    def answer(self, method="GET"):
        return wire.read_answer(self.source, method)

    def interim(self):
        return wire.read_interim(self.source)

    def call(self, method, target, headers=(), body=None, **more):
        self.send_request(method, target, headers, body, **more)
        return self.answer(method)

    def expect_closed(self):
        """The peer sends nothing more and ends the connection."""
        try:
            more = self.source.rest()
        except wire.Closed:
            more = self.source.pending()
        if more:
            raise wire.WireError(f"bytes after the last expected answer: {more[:200]!r}")

    def expect_quiet_and_open(self):
        """Nothing else was under way: the very next answer is that of a request sent now."""
        answer = self.call("GET", "/livez", [("x-request-id", "canary-of-the-test")])
        if answer.status != 200 or answer.header("x-request-id") != "canary-of-the-test":
            raise wire.WireError(f"an answer that belongs to no request: {answer!r}")

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def call(address, method, target, headers=(), body=None, **more):
    """One request on a connection of its own."""
    with Client(address) as client:
        return client.call(method, target, headers, body, **more)
