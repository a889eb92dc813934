"""packaging/gateway: the reference gateway's routes, by nginx and by caddy in front of a running program, and by `serve --gateway`."""

from support import answers
from support.case import Case, pipelines_of
from support.dns import Responder
from support.gateway import TOKEN, Gateway, Itself, documented_calls

UNAUTHORIZED = b'{"error":"Unauthorized - Invalid or missing Bearer token"}'


class Routes:
    kind = None
    arguments = ()

    def setUp(self):
        self.a, self.b = self.function("a"), self.function("b")
        self.documented = documented_calls()
        names = {target.rpartition("/")[2].replace("-", "_"): "a,b" for target, _ in self.documented}
        # The only name that both a DNS server of ours and the system know.
        self.localhost = self.function("localhost")
        functions = {made.name: made.address for made in (self.a, self.b, self.localhost)}
        program = self.start(self.directory(pipelines_of(both="|a,b", **names)).url, *self.arguments,
                             resolve=functions, env={"FNKIT_AUTH_TOKEN": TOKEN})
        self.gateway = self.make_gateway(program)
        self.addCleanup(self.gateway.close)

    def make_gateway(self, program):
        dns = Responder(lambda question: question.answer("127.0.0.1"))
        self.addCleanup(dns.close)
        port = int(str(self.localhost.address).rpartition(":")[2])
        return Gateway(self.kind, program.address, port, dns.address)

    def test_health_needs_no_token(self):
        answer = self.gateway.call("GET", "/health", token=None)
        self.assertEqual((answer.status, answer.body), (200, b"OK"))

    def test_the_documented_calls(self):
        self.assertEqual(len(self.documented), 2)
        for target, body in self.documented:
            answer = self.gateway.call("POST", target, body=body.encode())
            self.assertEqual((answer.status, answer.body), (200, b'{"from":"b"}'), target)
            self.assertEqual(self.a.wait_for(1)[-1].body, body.encode())

    def test_a_parallel_pipeline(self):
        answer = self.gateway.call("POST", "/orchestrate/both", body=b"{}")
        self.assertEqual((answer.status, answer.body), (200, b'{"a":{"from":"a"},"b":{"from":"b"}}'))

    def test_without_the_token_nobody_is_called(self):
        for target in ("/orchestrate/both", "/localhost/x"):
            for token in (None, "wrong", TOKEN.upper()):
                answer = self.gateway.call("POST", target, body=b"{}", token=token)
                self.assertEqual((answer.status, answer.body), (401, UNAUTHORIZED), (target, token))
                self.assertEqual(answer.header("www-authenticate"), "Bearer")
        self.assertEqual(self.a.requests + self.localhost.requests, [])

    def test_an_error_of_the_program_passes(self):
        answer = self.gateway.call("POST", "/orchestrate/none", body=b"{}")
        self.assertEqual((answer.status, answer.body), (404, b'{"error":"Pipeline not found: none"}'))
        self.b.script = answers.reply(418, b"short", "text/plain")
        answer = self.gateway.call("POST", "/orchestrate/both", body=b"{}")
        self.assertEqual(answer.status, 502)
        self.assertIn(b"Parallel execution failed", answer.body)

    def test_the_callers_request_id_stays(self):
        answer = self.gateway.call("POST", "/orchestrate/both", [("X-Request-Id", "mine")], b"{}")
        self.assertEqual((answer.header("x-request-id"), self.a.only_request().header("x-request-id")), ("mine", "mine"))

    def test_connections_to_the_program_are_kept(self):
        for _ in range(5):
            self.assertEqual(self.gateway.call("POST", "/orchestrate/both", body=b"{}").status, 200)
        self.assertEqual(len(self.a.connections), 1)  # of one core, whoever calls it

    def test_a_function_gets_path_query_and_body(self):
        answer = self.gateway.call("POST", "/localhost/x/y?q=1", body=b"hello")
        self.assertEqual((answer.status, answer.body), (200, b'{"from":"localhost"}'))
        request = self.localhost.only_request()
        self.assertEqual((request.method, request.target, request.body), ("POST", "/x/y?q=1", b"hello"))
        self.assertIsNone(request.header("authorization"))
        told = [request.header(name) for name in ("host", "x-forwarded-for", "x-real-ip", "x-forwarded-proto")]
        self.assertEqual(told, ["fnkit.test", "127.0.0.1", "127.0.0.1", "http"])

    def test_no_host_of_the_internet_is_a_function(self):
        for name in ("localhost.localdomain", "127.0.0.1"):
            answer = self.gateway.call("GET", f"/{name}/x")
            self.assertEqual((answer.status, answer.body), (404, b'{"error":"Not found"}'), name)
        self.assertEqual(self.localhost.requests, [])

    def test_a_function_without_a_path(self):
        self.assertEqual(self.gateway.call("GET", "/localhost").status, 200)
        self.assertEqual(self.localhost.only_request().target, "/")

    def test_a_functions_own_error_passes(self):
        self.localhost.script = answers.reply(418, b"short and stout")
        answer = self.gateway.call("GET", "/localhost/pot")
        self.assertEqual((answer.status, answer.body), (418, b"short and stout"))

    def test_a_function_that_is_not_there(self):
        self.localhost.stop_listening()
        answer = self.gateway.call("GET", "/localhost/x")
        self.assertEqual((answer.status, answer.body), (
            502, b'{"error":"Function not found or not running","container":"localhost"}'))


class Nginx(Routes, Case):
    kind = "nginx"


class Caddy(Routes, Case):
    kind = "caddy"


class Program(Routes, Case):
    arguments = ("--gateway",)

    def make_gateway(self, program):
        return Itself(program.address)
