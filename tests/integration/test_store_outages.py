"""CONTRACT section 4: the store dies, hangs, comes back with other data. Requests never notice."""

from support import client
from support.outages import connections_of_the_program
from support.store import PREFIX, config
from support.store_case import StoreCase, with_both_servers
from support.waiting import elapsed_since, eventually, now

ONE, TWO = config("one"), config("two")
# A second is promised; the other is for a machine that is busy with other tests.
BACK = 2.0


class OutagesBase(StoreCase):
    def setUp(self):
        super().setUp()
        self.server.client()("MSET", PREFIX + "p", ONE, PREFIX + "old", ONE)
        self.serve()
        self.runs("p", "one")

    def served_quickly(self, name="p", times=20):
        for number in range(times):
            start = now()
            caller = self.callers[number % len(self.callers)]
            self.assertEqual(caller.call("GET", f"/orchestrate/{name}").body, b"one")
            self.assertLess(elapsed_since(start), 0.5, "a request waited")

    def test_killed_server_last_known_pipelines_are_served(self):
        self.server.kill()
        self.served_quickly()
        self.assertEqual(self.program.call("GET", "/livez").status, 200)
        self.assertEqual(self.program.call("GET", "/readyz").status, 200, "the pipelines are loaded")

    def test_killed_server_unknown_names_are_not_found(self):
        self.server.kill()
        answer = self.program.call("GET", "/orchestrate/nobody")
        self.assertIn(answer.status, (404, 503))

    def test_restarted_with_other_data_on_the_same_port(self):
        self.server.restart()
        self.server.client()("MSET", PREFIX + "p", TWO, PREFIX + "new", TWO)
        self.runs("p", "two", deadline=BACK)
        self.runs("new", "two", deadline=BACK)
        self.gone("old", deadline=BACK)
        self.server.set("p", ONE)
        self.runs("p", "one")

    def test_restarted_empty(self):
        self.server.restart()
        self.gone("p", deadline=BACK)
        self.gone("old", deadline=BACK)

    def test_restarted_several_times(self):
        for value, function in ((TWO, "two"), (ONE, "one"), (TWO, "two")):
            self.server.restart()
            self.server.set("p", value)
            self.runs("p", function, deadline=BACK)

    def test_stopped_server_no_request_waits(self):
        self.server.freeze()
        self.addCleanup(self.server.thaw)
        self.served_quickly(times=40)
        answer = client.call(self.program.address, "GET", "/orchestrate/nobody")
        self.assertIn(answer.status, (404, 503))
        self.server.thaw()
        self.server.set("p", TWO)
        self.runs("p", "two", deadline=BACK)

    def test_stopped_server_clean_exit(self):
        self.server.freeze()
        self.addCleanup(self.server.thaw)
        self.served_quickly(times=5)
        start = now()
        self.program.stop()
        self.assertLess(elapsed_since(start), 3.0)

    def test_killed_server_clean_exit(self):
        self.server.kill()
        self.served_quickly(times=5)
        start = now()
        self.program.stop()
        self.assertLess(elapsed_since(start), 3.0)

    def cut(self, *which):
        """The server ends these connections; whatever changes at that moment is not missed."""
        db = self.server.client()
        for value, function in ((TWO, "two"), (ONE, "one"), (TWO, "two")):
            ours = connections_of_the_program(db)
            for each in which:
                db("CLIENT", "KILL", "ID", ours[each])
            db("SET", PREFIX + "p", value)
            self.runs("p", function, deadline=BACK)

    def test_the_reader_alone_is_cut(self):
        self.cut("reader")

    def test_the_subscriber_alone_is_cut(self):
        self.cut("subscriber")

    def test_both_connections_are_cut(self):
        self.cut("reader", "subscriber")

    def test_loading_server_counts_as_away(self):
        # -NOAUTH, -LOADING, -READONLY and the like: not ready, last known pipelines stay.
        db = self.server.client()
        db("CONFIG", "SET", "requirepass", "secret")
        try:
            db("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            db("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")
            before = self.program.stderr
            eventually(lambda: len(self.program.stderr) > len(before), BACK, "a line about it")
            self.served_quickly()
        finally:
            db("CONFIG", "SET", "requirepass", "")
        db("SET", PREFIX + "p", TWO)
        self.runs("p", "two", deadline=BACK)

    def test_the_outage_is_said_but_not_repeated_without_end(self):
        before = len(self.program.stderr.splitlines())
        self.server.kill()
        said = lambda: len(self.program.stderr.splitlines()) > before
        eventually(said, BACK, "a line about the store")
        for _ in range(50):
            self.served_quickly(times=12)
        self.assertLess(len(self.program.stderr.splitlines()) - before, 50)


with_both_servers(OutagesBase)
del OutagesBase
