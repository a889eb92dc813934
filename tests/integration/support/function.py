"""A function as the orchestrator sees one: a TCP server that records requests and answers by script.

A script is a callable that gets an Exchange; support/answers.py has the usual ones. It runs on the
connection's own thread, so it may block on an Event; when it returns, the next request is read.
"""

import select
import socket
import struct
import threading

from support import answers, wire
from support.waiting import eventually

HOLD_MAX = 30.0


def listening(host="127.0.0.1", port=0):
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    made.listen(512)
    return made


class Blackhole:
    """A listener whose accept queue is full: Linux drops the SYN."""

    def __init__(self, host="127.0.0.1", port=0):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = [socket.socket() for _ in range(3)]
        for filler in self.fillers:
            filler.setblocking(False)
            filler.connect_ex((host, self.port))

    def close(self):
        for each in (self.listener, *self.fillers):
            each.close()


class Connection:
    def __init__(self, sock, number):
        self.socket, self.number = sock, number
        self.source = wire.Source(sock)
        self.open = True
        self.peer_closed = threading.Event()
        self.ended = threading.Event()

    def send(self, data):
        self.socket.sendall(data)

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        if self.open:
            self.open = False
            self.socket.close()

    def reset(self):
        """Ends the connection with RST; for the connection's own thread."""
        if self.open:
            self._prepare_reset()
            self.close()

    def reset_from_outside(self):
        """The same while the connection's thread waits for a request: a socket in use is not closed."""
        self._prepare_reset()
        self.socket.shutdown(socket.SHUT_RD)
        self.ended.wait(HOLD_MAX)

    def _prepare_reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait_for_peer_close(self):
        """Reads until the peer has gone; returns what it sent before that."""
        try:
            more = self.source.rest()
        except (wire.Closed, OSError):
            more = self.source.pending()
        except wire.WireError:
            return self.source.pending()
        self.peer_closed.set()
        return more

    def has_input(self):
        return bool(self.source.pending() or select.select([self.socket], [], [], 0)[0])


class Exchange:
    def __init__(self, function, connection, request, number):
        self.function, self.connection, self.request = function, connection, request
        self.number = number

    def send(self, data):
        self.connection.send(data)

    def next_in_line(self, seconds):
        """The next request on this connection, which came before an answer was sent; None without one."""
        arrived = self.connection.source.pending() or select.select([self.connection.socket], [], [], seconds)[0]
        return self.function.receive(self.connection)[0] if arrived else None


class Function:
    """`early` answers when the head was read, before the body (which is then never read).

    `chunked`: requests may be chunked, as passed ones may and those of steps may not.

    `listener` is a socket of its own, for a test that needs a certain address of the loopback.
    """

    def __init__(self, name, script=None, early=False, listener=None):
        self.name = name
        self.early, self.chunked = early, False
        self.default = script or answers.json(f'{{"from":"{name}"}}')
        self.script = self.default
        self.requests = []
        self.connections = []
        self.problems = []
        self.cut = 0
        self._lock = threading.Condition()
        self._listen(listener or listening())

    def reset(self):
        """Forgets what was recorded and answers as at first; connections stay."""
        with self._lock:
            self.requests, self.problems, self.cut = [], [], 0
            self.script, self.early = self.default, False

    def wait_for(self, count, deadline=10.0):
        """Waits until `count` requests have been received; returns all of them."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.requests) >= count, deadline):
                raise AssertionError(
                    f"function {self.name} got {len(self.requests)} requests, not {count}"
                )
            return list(self.requests)

    def only_request(self):
        if len(self.requests) != 1:
            raise AssertionError(f"function {self.name} got {self.requests}, not one request")
        return self.requests[0]

    def sent_to(self, target):
        """The requests of this id; tests that count calls give each its own path."""
        return [request for request in self.requests if request.target == target]

    def open_connections(self):
        return [c for c in self.connections if c.open and not c.peer_closed.is_set()]

    def wait_for_no_connection(self, deadline=10.0):
        eventually(lambda: not self.open_connections(), deadline, f"all connections to {self.name} ended")

    def stop_listening(self):
        """From now on connecting is refused. (close() alone would not wake the accept.)"""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def close(self):
        self.stop_listening()
        for connection in list(self.connections):
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def restart(self):
        """What a restarted process looks like: every connection ends, then the port listens anew."""
        self.close()
        for connection in list(self.connections):
            connection.ended.wait(HOLD_MAX)
        self._listen(listening(port=self.port))

    def _listen(self, listener):
        self._listener = listener
        name = listener.getsockname()
        if listener.family == socket.AF_UNIX:
            self.address = f"unix:{name}"
        else:
            self.port = name[1]
            self.address = f"{name[0]}:{self.port}"
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(HOLD_MAX)
            connection = Connection(sock, len(self.connections) + 1)
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while connection.open and self._serve_one(connection):
                pass
        except OSError:
            pass
        except AssertionError as error:  # a WireError, or a script that is not content
            with self._lock:
                self.problems.append(f"function {self.name}: {error}")
        finally:
            connection.close()
            connection.ended.set()

    def receive(self, connection):
        """(request, its number, the script of that moment); all None at the end of the connection."""
        try:
            request = wire.read_request(connection.source, self.chunked)
            if not self.early:
                wire.read_request_body(connection.source, request)
        except wire.Closed:
            self.cut += bool(connection.source.pending())
            connection.peer_closed.set()
            return None, None, None
        request.connection_id = connection.number
        with self._lock:
            self.requests.append(request)
            self._lock.notify_all()
            return request, len(self.requests), self.script

    def _serve_one(self, connection):
        request, number, script = self.receive(connection)
        if request is None:
            return False
        script(Exchange(self, connection, request, number))
        return True
