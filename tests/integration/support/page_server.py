"""Serves the page of /observe/ from the source tree, with figures that a test has made up."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = os.path.join(os.path.dirname(__file__), "../../../src/server/observe_page.html")
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        served = self.server.served
        if self.path == "/observe/":
            with open(PAGE, "rb") as page:
                self._answer(200, page.read(), "text/html; charset=utf-8")
        elif self.path == "/observe/live":
            status, told = served.next_answer()
            if status is None:
                # The peer sees the connection end, as when the server has gone.
                self.close_connection = True
                return
            self._answer(status, json.dumps(told).encode(), "application/json")
        else:
            self._answer(404, b"{}", "application/json")

    def _answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)


class PageServer:
    """Each poll gets the next of the answers; the last one is repeated."""

    def __init__(self):
        self._lock = threading.Condition()
        self._answers, self.polls = [], 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.served = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, *answers):
        """Figures as told(), a status alone, or None for a connection that ends without an answer."""
        with self._lock:
            self._answers, self.polls = list(answers), 0

    def next_answer(self):
        with self._lock:
            self.polls += 1
            self._lock.notify_all()
            told = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if told is None or isinstance(told, int):
            return told, {"error": "scripted"}
        return 200, told

    def wait_for_polls(self, count, deadline=5.0):
        with self._lock:
            if not self._lock.wait_for(lambda: self.polls >= count, deadline):
                raise AssertionError(f"{self.polls} polls, not {count}, in {deadline} s")

    def close(self):
        self._server.shutdown()
        self._server.server_close()
