"""`serve --gateway`: connections to functions are kept, and what happens where one of them has ended."""

import threading

from support import answers
from support.case import Case, ServedCase
from support.client import chunked, request_bytes
from support.waiting import eventually
from test_dns import DnsCase


class Kept(ServedCase):
    functions = ("a",)
    arguments = ("--gateway", "--step-idle-timeout", "20s")

    def setUp(self):
        super().setUp()
        self.fn["a"].chunked = True
        self.fn["a"].restart()
        self.before = len(self.fn["a"].connections)
        self.client = self.connect(self.address)

    def opened(self):
        return len(self.fn["a"].connections) - self.before

    def post(self, body=b"x"):
        return self.client.call("POST", "/a/", body=body)

    def test_one_connection_for_one_after_the_other(self):
        for script in (answers.echo(), answers.chunked(b"x"), answers.reply(404, b"x"), answers.echo()):
            self.fn["a"].script = script
            self.assertEqual(self.post().body, b"x")
        self.client.send(request_bytes("POST", "/a/", [("Transfer-Encoding", "chunked")]) + chunked(b"x"))
        self.assertEqual(self.client.answer().body, b"x")
        self.assertEqual(self.opened(), 1)

    def test_as_many_as_there_are_calls_at_once(self):
        gate = self.gate()
        self.fn["a"].script = answers.held(gate, answers.text("x"))
        clients = [self.connect(self.address) for _ in range(5)]
        for client in clients:
            client.send_request("GET", "/a/")
        self.fn["a"].wait_for(5)
        gate.set()
        for client in clients:
            self.assertEqual(client.answer().body, b"x")
        for client in clients:
            self.assertEqual(client.call("GET", "/a/").body, b"x")
        self.assertEqual(self.opened(), 5)

    def test_not_behind_an_answer_that_says_so(self):
        for script in (answers.closing(b"x"), answers.until_end(b"x"), answers.raw(answers.whole(200, b"x", headers=[("Keep-Alive", "timeout=1")]))):
            before = self.opened()
            self.fn["a"].script = script
            self.assertEqual([self.post().body for _ in range(2)], [b"x", b"x"])
            self.assertEqual(self.opened() - before, 2)
        self.fn["a"].wait_for_no_connection()

    def test_not_where_bytes_are_left_over(self):
        self.fn["a"].script = answers.raw(answers.whole(200, b"x") + answers.whole(200, b"poison"))
        self.assertEqual([self.post().body for _ in range(3)], [b"x"] * 3)
        self.assertEqual(self.opened(), 3)

    def test_bytes_that_nobody_asked_for_end_it(self):
        gate, gone = self.gate(), threading.Event()
        self.fn["a"].script = answers.each(answers.afterwards(answers.text("x"), gate, answers.whole(200, b"poison"), gone), answers.text("y"))
        self.assertEqual(self.post().body, b"x")
        gate.set()
        self.assertTrue(gone.wait(10))
        self.assertEqual(self.post().body, b"y")

    def test_a_restarted_function(self):
        self.assertEqual(self.post().status, 200)
        for _ in range(5):
            self.fn["a"].restart()
            self.assertEqual(self.post().status, 200)

    def test_one_that_ends_with_the_request_on_its_way(self):
        """Repeated where that does no harm, and only where no answer has begun; a body in parts is not at hand any more."""
        def once(script):
            self.fn["a"].script = answers.text("x")
            self.assertEqual(self.post().status, 200)
            count = len(self.fn["a"].requests)
            self.fn["a"].script = lambda exchange: (script if exchange.number == count + 1 else answers.text("again"))(exchange)
            return count

        begun = answers.raw(b"HTTP/1.1 200 OK\r\nContent-", "reset")
        for method, script, status, times in (
                ("GET", answers.reset_without_answer, 200, 2), ("PUT", answers.close_without_answer, 200, 2),
                ("DELETE", answers.reset_without_answer, 200, 2), ("POST", answers.reset_without_answer, 502, 1),
                ("PATCH", answers.close_without_answer, 502, 1), ("GET", begun, 502, 1)):
            count = once(script)
            answer = self.client.call(method, "/a/", body=None if method == "GET" else b"x")
            self.assertEqual((answer.status, len(self.fn["a"].requests) - count), (status, times), (method, script))
        count = once(answers.reset_without_answer)
        self.fn["a"].early = True
        client = self.connect(self.address)
        client.send(request_bytes("PUT", "/a/", [("Transfer-Encoding", "chunked")]) + b"1\r\nx\r\n")
        self.assertEqual((client.answer().status, len(self.fn["a"].requests) - count), (502, 1))

    def test_never_a_second_time_on_a_new_connection(self):
        self.fn["a"].script = answers.reset_without_answer
        self.assertEqual(self.client.call("GET", "/a/").status, 502)
        self.assertEqual(len(self.fn["a"].requests), 1)


class Idle(Case):
    def test_for_as_long_as_it_may(self):
        promises = self.function("promises", answers.raw(answers.whole(200, b"x", headers=[("Keep-Alive", "timeout=20")])))
        a = self.function("a")
        program = self.start(self.directory().url, "--gateway", "--step-idle-timeout", "100ms",
                             resolve={"a": a.address, "promises": promises.address})
        client = self.connect(program.address)
        for target in ("/promises/", "/a/"):
            self.assertEqual(client.call("GET", target).status, 200)
        a.wait_for_no_connection()
        self.assertEqual(client.call("GET", "/promises/").status, 200)
        self.assertEqual(len(promises.connections), 1)

    def test_not_more_than_connections_max(self):
        a = self.function("a")
        program = self.start(self.directory().url, "--gateway", "--step-connections-max", "2", resolve={"a": a.address})
        gate = self.gate()
        a.script = answers.held(gate, answers.text("x"))
        clients = [self.connect(program.address) for _ in range(6)]
        for client in clients:
            client.send_request("GET", "/a/")
        a.wait_for(6)
        gate.set()
        for client in clients:
            client.answer()
        eventually(lambda: len(a.open_connections()) == 2, 10, "four of six closed")


class Moved(DnsCase):
    def test_a_function_that_moves_is_followed_though_its_old_connections_work(self):
        functions = self.functions_at("127.0.0.2", "127.0.0.3", stay=True)
        where = ["127.0.0.2"]
        dns = self.responder(lambda question: question.answer(*where))
        program = self.start(self.directory().url, "--gateway", "--dns-server", dns.address, "--step-idle-timeout", "20s",
                             "--step-url", f"http://{{step}}.test:{functions['127.0.0.2'].port}")
        client = self.connect(program.address)

        def answers_from():
            return client.call("GET", "/f/").json()

        self.assertEqual([answers_from() for _ in range(3)], ["127.0.0.2"] * 3)
        where[0] = "127.0.0.3"
        eventually(lambda: answers_from() == "127.0.0.3", 10, "the new address being called")
        self.assertEqual(len(functions["127.0.0.2"].connections), 1)
