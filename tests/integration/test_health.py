"""CONTRACT section 2: GET /health, /livez, /readyz and /, with a good store and with none yet."""

import re
import time

from support import client
from support.case import Case, ServedCase, two_cores
from support.program import run
from support.store import StoreServer, config, free_port
from support.waiting import eventually

UNAVAILABLE = '{"error":"Pipeline store unavailable"}'


class Pages(ServedCase):
    def test_health_and_livez(self):
        for target in ("/health", "/livez", "/livez?verbose"):
            answer = self.call(target)
            self.assertEqual((answer.status, answer.body), (200, b"OK"), target)
            self.assertRegex(answer.header("content-type"), r"^text/plain\b")
            self.assertTrue(answer.header("x-request-id"))

    def test_readyz(self):
        self.assertEqual(self.call("/readyz").status, 200)

    def test_head_of_health_has_no_body(self):
        for target in ("/health", "/livez", "/readyz", "/"):
            caller = self.client()
            answer = caller.call("HEAD", target)
            self.assertEqual(answer.status, 200, target)
            caller.expect_quiet_and_open()

    def test_root_says_service_and_version(self):
        answer = self.call("/")
        self.assertEqual((answer.status, answer.header("content-type")), (200, "application/json"))
        told = answer.json()
        self.assertEqual(told["service"], "fnkit-orchestrator")
        self.assertIn(told["version"], run("--version").stdout)

    def test_paths_that_only_begin_like_health_pages(self):
        for target in ("/healthy", "/livez/x", "/readyz/", "/health/"):
            self.assertEqual(self.call(target).status, 404, target)

    def test_every_answer_has_a_date(self):
        # RFC 9110 6.6.1: IMF-fixdate, by a clock that is right.
        date = self.call("/livez").header("date")
        self.assertTrue(date, "no Date")
        pattern = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
        self.assertTrue(re.fullmatch(pattern, date), date)
        told = time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")
        self.assertLess(abs(time.mktime(told) - time.mktime(time.gmtime())), 5)


class StoreNeverReached(Case):
    """It starts anyway, says so, and is ready as soon as the store is there."""

    def test_store_away_at_start(self):
        port = free_port()
        program = self.start(f"redis://127.0.0.1:{port}", cores=two_cores(), ready=False)
        self.assertEqual(program.call("GET", "/livez").status, 200)
        self.assertEqual(program.call("GET", "/health").status, 200)
        self.assertEqual(program.call("GET", "/readyz").status, 503)
        for _ in range(4):
            answer = program.call("POST", "/orchestrate/p", body=b"{}")
            self.assert_error(answer, 503, UNAVAILABLE)
            self.assertRegex(answer.header("retry-after") or "", r"^[1-9]\d*$")

        server = StoreServer(port=port)
        self.addCleanup(server.close)
        server.start()
        ready = lambda: client.call(program.address, "GET", "/readyz").status == 200
        # 1 s is promised; the rest is for a loaded test machine.
        eventually(ready, 1.5, "ready after the store came up")
        answer = program.call("GET", "/orchestrate/p")
        self.assert_error(answer, 404, '{"error":"Pipeline not found: p"}')
        server.set("p", config())
        eventually(lambda: program.call("GET", "/orchestrate/p").status == 400, 1.0, "p in force")

    def test_a_store_whose_name_does_not_exist(self):
        program = self.start("redis://no-such-store.invalid:6379", ready=False)
        self.assertEqual(program.call("GET", "/livez").status, 200)
        self.assertEqual(program.call("GET", "/readyz").status, 503)
        self.assert_error(program.call("GET", "/orchestrate/p"), 503, UNAVAILABLE)

    def test_a_store_that_refuses_the_password(self):
        server = StoreServer().start()
        self.addCleanup(server.close)
        server.client()("CONFIG", "SET", "requirepass", "right-one")
        program = self.start(f"redis://:wrong-one@127.0.0.1:{server.port}", ready=False)
        self.assertEqual(program.call("GET", "/readyz").status, 503)
        self.assert_error(program.call("GET", "/orchestrate/p"), 503, UNAVAILABLE)
        program.wait_for_line(r"(?i)wrongpass|password|auth")
        self.assertNotIn("wrong-one", program.output)

    def test_a_store_that_accepts_and_says_nothing(self):
        silent = self.function("store")  # reads what is no HTTP, answers nothing useful
        program = self.start(f"redis://{silent.address}", ready=False)
        self.assertEqual(program.call("GET", "/readyz").status, 503)
        self.assert_error(program.call("GET", "/orchestrate/p"), 503, UNAVAILABLE)

    def test_unknown_paths_are_404_even_then(self):
        program = self.start(f"redis://{self.refusing_address()}", ready=False)
        self.assert_error(program.call("GET", "/nope"), 404, '{"error":"Not found"}')
        self.assert_error(program.call("GET", "/orchestrate/"), 400, '{"error":"Pipeline name missing"}')
