"""`serve --gateway`: what a function is sent, what its caller gets, and what is refused."""

import tempfile

from support import answers
from support.case import Case, ServedCase, pipelines_of
from support.client import chunked, request_bytes

MISSING = '{"error":"Function not found or not running","container":"%s"}'


class Passing(ServedCase):
    functions = ("a",)
    arguments = ("--gateway",)

    @classmethod
    def more_resolve(cls):
        return {"gone": "127.0.0.1:1"}

    def request(self):
        return self.fn["a"].only_request()

    def test_method_path_query_and_body(self):
        for method, target, body in (("POST", "/x/y?q=1&q=2", b"hello"), ("GET", "/", None), ("DELETE", "/x%2Fy", None),
                                     ("PUT", "/?", b""), ("PATCH", "//x", b"\0\xff"), ("OPTIONS", "/", None)):
            self.fn["a"].reset()
            answer = self.call("/a" + target, method, body=body)
            self.assertEqual((answer.status, answer.body), (200, b'{"from":"a"}'), target)
            request = self.request()
            self.assertEqual((request.method, request.target, request.body), (method, target, body or b""))

    def test_without_a_path(self):
        self.assertEqual(self.call("/a?x=1").status, 200)
        self.assertEqual(self.request().target, "/?x=1")

    def test_end_to_end_headers_and_no_others(self):
        self.call("/a/", "POST", [
            ("Accept", "text/html"), ("Cookie", "a=1"), ("Cookie", "b=2"), ("Content-Type", "x/y"),
            ("Content-Encoding", "gzip"), ("Traceparent", "00-1-2-00"), ("Connection", "keep-alive, X-Private"),
            ("X-Private", "1"), ("Keep-Alive", "timeout=5"), ("TE", "trailers"), ("Upgrade", "h2c"), ("Expect", "100-continue"),
            ("Proxy-Authorization", "x"), ("Authorization", "Bearer secret"), ("X-Request-Id", "mine")], b"{}",
            host="shop.test:81")
        names = sorted((name.lower(), value) for name, value in self.request().headers)
        self.assertEqual(names, sorted([
            ("host", "shop.test:81"), ("accept", "text/html"), ("cookie", "a=1"), ("cookie", "b=2"), ("content-type", "x/y"),
            ("content-encoding", "gzip"), ("traceparent", "00-1-2-00"), ("x-request-id", "mine"), ("content-length", "2"),
            ("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1"), ("x-forwarded-proto", "http"),
            ("via", "1.1 fnkit-orchestrator")]))

    def test_what_a_gateway_in_front_has_told_stays(self):
        self.call("/a/", "GET", [("X-Forwarded-For", "192.0.2.7"), ("X-Real-IP", "192.0.2.9"),
                                 ("X-Forwarded-Proto", "https"), ("Via", "2 edge")])
        request = self.request()
        self.assertEqual(request.header("x-forwarded-for"), "192.0.2.7, 127.0.0.1")
        self.assertEqual((request.header("x-real-ip"), request.header("x-forwarded-proto")), ("127.0.0.1", "https"))
        self.assertEqual([value for name, value in request.headers if name.lower() == "via"], ["2 edge", "1.1 fnkit-orchestrator"])

    def test_the_authority_of_an_absolute_form_is_the_host(self):
        client = self.connect(self.address)
        client.send(b"GET http://real.test:8/a/x HTTP/1.1\r\nHost: other.test\r\n\r\n")
        self.assertEqual(client.answer().status, 200)
        self.assertEqual((self.request().target, self.request().header("host")), ("/x", "real.test:8"))

    def test_status_and_end_to_end_headers_of_the_answer(self):
        self.fn["a"].script = answers.reply(418, b"short", "text/html", [
            ("Date", "Tue, 15 Nov 1994 08:12:31 GMT"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Connection", "X-Private"),
            ("X-Private", "1"), ("Keep-Alive", "timeout=5"), ("X-Request-Id", "its own"), ("Server", "node")])
        answer = self.call("/a/")
        self.assertEqual((answer.status, answer.body), (418, b"short"))
        told = sorted((name.lower(), value) for name, value in answer.headers if name.lower() != "x-request-id")
        self.assertEqual(told, sorted([
            ("date", "Tue, 15 Nov 1994 08:12:31 GMT"), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("server", "node"),
            ("content-type", "text/html"), ("content-length", "5")]))
        self.assertEqual(answer.header("x-request-id"), self.request().header("x-request-id"))

    def test_answers_without_a_body(self):
        client = self.connect(self.address)
        self.fn["a"].script = answers.reply(200, b"12345")
        answer = client.call("HEAD", "/a/")
        self.assertEqual((answer.status, answer.header("content-length"), answer.body), (200, "5", b""))
        for head in (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 9\r\n\r\n",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"):
            self.fn["a"].script = answers.raw(head)
            self.assertEqual(client.call("GET", "/a/").body, b"", head)
        client.expect_quiet_and_open()

    def test_interim_answers_are_not_the_answer(self):
        self.fn["a"].script = answers.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answers.whole(200, b"x"))
        self.assertEqual(self.call("/a/").body, b"x")

    def test_the_connection_stays(self):
        client = self.connect(self.address)
        for script in (answers.text("one"), answers.chunked(b"o", b"ne"), answers.until_end(b"one"), answers.closing(b"one")):
            self.fn["a"].script = script
            for body in (None, b"body"):
                self.assertEqual(client.call("POST", "/a/", body=body).body, b"one")
        client.send(request_bytes("GET", "/a/1") + request_bytes("GET", "/livez") + request_bytes("GET", "/a/2"))
        self.assertEqual([client.answer().body for _ in range(3)], [b"one", b"OK", b"one"])

    def test_an_old_caller(self):
        self.fn["a"].script = answers.chunked(b"o", b"ne")
        client = self.connect(self.address)
        client.send(b"GET /a/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = client.answer()
        self.assertEqual((answer.body, answer.header("transfer-encoding"), answer.header("connection")), (b"one", None, "close"))
        self.assertEqual(self.request().header("host"), "a:8080")

    def test_a_function_that_is_not_there(self):
        self.assert_error(self.call("/gone/x"), 502, MISSING % "gone")
        self.assert_error(self.call("/no-such-function-/x", "POST", body=b"x" * 100000), 502, MISSING % "no-such-function-")

    def test_no_function_can_have_that_name(self):
        for target in ("//", "/127.0.0.1/x", "/a%41/", "/-a/", "/a:80/", "/[::1]/", "/a.b/", "/orchestrates%20/x", "/" + "a" * 300):
            self.assert_error(self.call(target), 404, '{"error":"Not found"}')
        self.assert_error(self.call("/a/x/%2e%2E/y"), 400, '{"error":"The path must not contain \'..\'"}')
        self.assertEqual(self.fn["a"].requests, [])

    def test_pages_and_pipelines_come_first(self):
        self.assertEqual(self.call("/livez").body, b"OK")
        self.assertEqual(self.call("/orchestrate/one", "POST", body=b"{}").body, b'{"from":"a"}')
        self.assert_error(self.call("/orchestrate/none"), 404, '{"error":"Pipeline not found: none"}')

    def test_nonsense_of_a_function(self):
        ended = "the connection ended before the answer did"
        for script, detail in ((answers.raw(b"nonsense\r\n\r\n", "close"), "malformed status line"),
                               (answers.close_without_answer, ended),
                               (answers.reset_without_answer, "receive: Connection reset by peer"),
                               (answers.raw(b"HTTP/1.1 200 OK\r\nContent-Le", "close"), ended)):
            self.fn["a"].script = script
            self.assert_error(self.call("/a/", "POST", body=b"x"), 502,
                              '{"error":"Function gave no acceptable answer","container":"a","detail":"%s"}' % detail)

    def test_a_loop_comes_to_an_end(self):
        via = ", ".join(["1.1 fnkit-orchestrator"] * 4)
        self.assertEqual(self.call("/a/", "GET", [("Via", via)]).status, 508)
        self.assertEqual(self.fn["a"].requests, [])

    def test_it_is_counted(self):
        def count():
            found = [line for line in self.call("/metrics").body.decode().splitlines()
                     if line.startswith('fnkit_requests_unrouted_total{code="419"}')]
            return int(found[0].split()[-1]) if found else 0
        self.fn["a"].script = answers.reply(419)
        before = count()
        self.call("/a/")
        self.assertEqual(count(), before + 1)


class Switched(Case):
    def test_off_unless_asked_for(self):
        a = self.function("a")
        program = self.start(self.directory().url, resolve={"a": a.address})
        self.assert_error(self.connect(program.address).call("GET", "/a/x"), 404, '{"error":"Not found"}')
        self.assertEqual(a.requests, [])

    def test_authorization_goes_on_where_it_is_named(self):
        a = self.function("a")
        program = self.start(self.directory().url, "--gateway", "--forward-header", "authorization", resolve={"a": a.address})
        self.connect(program.address).call("GET", "/a/", [("Authorization", "Basic x")])
        self.assertEqual(a.only_request().header("authorization"), "Basic x")

    def test_a_function_that_is_itself_the_program(self):
        inner = self.function("a")
        inner.chunked = True
        one = self.start(self.directory().url, "--gateway", resolve={"a": inner.address})
        two = self.start(self.directory().url, "--gateway", resolve={"one": "%s:%d" % one.address})
        answer = self.connect(two.address).send(request_bytes("POST", "/one/a/x", [("Transfer-Encoding", "chunked")]) + chunked(b"x", b"y")).answer()
        self.assertEqual(answer.body, b'{"from":"a"}')
        self.assertEqual((inner.only_request().target, inner.only_request().body), ("/x", b"xy"))
        self.assertEqual(inner.only_request().header("x-forwarded-for"), "127.0.0.1, 127.0.0.1")

    def told(self, listen, headers=()):
        """What a function is told of who called at `listen`."""
        a = self.function("a")
        program = self.start(self.directory().url, "--gateway", resolve={"a": a.address}, listen=(listen,))
        self.connect(program.address).call("GET", "/a/", headers)
        return [a.only_request().header(name) for name in ("x-forwarded-for", "x-real-ip", "x-forwarded-proto")]

    def test_who_called(self):
        front = [("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-For", "192.0.2.8"), ("X-Real-IP", "192.0.2.8"),
                 ("X-Forwarded-Proto", "https")]
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.told(f"unix:{folder}/a"), [None, None, "http"])
            self.assertEqual(self.told(f"unix:{folder}/b", front), ["192.0.2.7, 192.0.2.8", "192.0.2.8", "https"])
        self.assertEqual(self.told("[::1]:0"), ["::1", "::1", "http"])
        self.assertEqual(self.told("127.0.0.1:0", front), ["192.0.2.7, 192.0.2.8, 127.0.0.1", "127.0.0.1", "https"])

    def test_without_the_store(self):
        a = self.function("a")
        program = self.start(f"redis://{self.refusing_address()}", "--gateway", resolve={"a": a.address}, ready=False)
        self.assertEqual(self.connect(program.address).call("GET", "/a/x").status, 200)

    def test_pipelines_and_functions_together(self):
        a, b = self.function("a"), self.function("b")
        program = self.start(self.directory(pipelines_of(two="a,b")).url, "--gateway", resolve={"a": a.address, "b": b.address})
        client = self.connect(program.address)
        client.send(request_bytes("POST", "/orchestrate/two", body=b"{}") + request_bytes("GET", "/b/x"))
        self.assertEqual([client.answer().body, client.answer().body], [b'{"from":"b"}'] * 2)
