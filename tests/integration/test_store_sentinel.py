"""CONTRACT section 4: the store is the primary that Sentinels name; a failover is followed.

One primary with two replicas and three Sentinels for a whole class; failovers move the primary on, and
each test begins with whoever it is by then.
"""

import json

from support import answers
from support.program import run
from support.sentinel import MASTER, Replicated
from support.store import PREFIX, config
from support.store_case import IN_FORCE, StoreCase, with_both_servers
from support.waiting import eventually

ONE, TWO = config("one"), config("two")
# A Sentinel is asked every second, and connecting takes its time.
FOLLOWED = 3.0
LOGIN = ("app", "s3cret")


class SentinelCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        cls.replicas = Replicated(cls.kind, **cls.more)
        cls.addClassCleanup(cls.replicas.close)

    more = {}

    def setUp(self):
        self.fn = {name: self.function(name, answers.text(name)) for name in ("one", "two")}
        self.replicas.wait_until_settled()
        self.write("FLUSHALL")
        self.write("SET", PREFIX + "p", ONE)

    def write(self, *words):
        """To the server that the Sentinels name now."""
        return self.replicas.ask(self.replicas.primary(), *words)

    def serve(self, *arguments, url=None, **more):
        program = super().serve(*arguments, url=url or self.replicas.url(), **more)
        self.runs("p", "one")
        return program

    def run_well(self, *words, url=None, **more):
        finished = run(*words, "--cache-url", url or self.replicas.url(), **more)
        self.assertEqual(finished.code, 0, finished)
        return finished.stdout


class FollowingBase(SentinelCase):
    """Run with both servers, see below."""

    def test_changes_on_the_primary_are_in_force(self):
        self.serve()
        self.write("SET", PREFIX + "p", TWO)
        self.runs("p", "two")
        self.write("DEL", PREFIX + "p")
        self.gone("p")
        self.write("SET", PREFIX + "p", ONE)
        self.runs("p", "one")
        self.write("FLUSHALL")
        self.gone("p")

    def test_valkey_sentinel_is_the_same(self):
        self.serve(url=self.replicas.url("valkey"))
        self.write("SET", PREFIX + "p", TWO)
        self.runs("p", "two")

    def test_the_database_stands_behind_the_name(self):
        db = self.replicas.client(self.replicas.primary())
        db("SELECT", 3)
        db("SET", PREFIX + "third", ONE)
        StoreCase.serve(self, url=self.replicas.url(database=3))
        self.runs("third", "one")
        self.gone("p")
        db("SET", PREFIX + "third", TWO)
        self.runs("third", "two")

    def test_the_first_of_the_sentinels_is_away(self):
        away = self.replicas.sentinels[0]
        away.kill()
        self.addCleanup(away.start)
        self.serve()
        self.write_to_a_server_named_by(self.replicas.sentinels[1])
        self.runs("p", "two")

    def write_to_a_server_named_by(self, sentinel):
        port = sentinel.primary_port()
        server = next(each for each in self.replicas.servers if each.port == port)
        self.replicas.ask(server, "SET", PREFIX + "p", TWO)

    def test_the_sentinel_that_was_asked_goes_away_later(self):
        self.serve()
        for away in self.replicas.sentinels[:2]:
            away.kill()
            self.addCleanup(away.start)
        self.write_to_a_server_named_by(self.replicas.sentinels[2])
        self.runs("p", "two")

    def test_without_any_sentinel_the_known_primary_is_kept(self):
        self.serve()
        primary = self.replicas.primary()
        for away in self.replicas.sentinels:
            away.kill()
            self.addCleanup(away.start)
        self.replicas.ask(primary, "SET", PREFIX + "p", TWO)
        self.runs("p", "two", deadline=FOLLOWED)
        for back in self.replicas.sentinels:
            back.start()
        self.replicas.ask(primary, "SET", PREFIX + "p", ONE)
        self.runs("p", "one", deadline=FOLLOWED)

    def test_a_name_that_no_sentinel_knows_is_said(self):
        program = StoreCase.serve(self, url=self.replicas.url(master="nobody"), ready=False)
        program.wait_for_line(r"store unreachable.*nobody")
        self.assertEqual(program.call("GET", "/readyz").status, 503)
        self.assertEqual(program.call("GET", "/orchestrate/p").status, 503)

    def test_no_sentinel_at_all_is_said(self):
        url = f"redis+sentinel://{self.refusing_address()},{self.refusing_address()}/{MASTER}"
        StoreCase.serve(self, url=url, ready=False).wait_for_line(r"store unreachable")
        finished = run("ls", "--cache-url", url)
        self.assertEqual(finished.code, 1, finished)
        self.assertTrue(finished.stderr.strip())

    def test_the_commands_that_manage_pipelines(self):
        self.serve()
        self.run_well("add", "made", "--steps", "one,two")
        self.runs("made", "two")
        self.assertEqual(json.loads(self.run_well("show", "made"))["steps"], ["one", "two"])
        self.assertIn("made", self.run_well("ls"))
        self.run_well("remove", "made")
        self.gone("made")
        finished = run("ls", "--cache-url", self.replicas.url(master="nobody"))
        self.assertEqual(finished.code, 1, finished)
        self.assertIn("nobody", finished.stderr)

    def test_failover_by_order_and_then_by_death(self):
        """One test, as what comes second is what the first leaves behind."""
        self.serve()
        before = self.replicas.primary()
        self.replicas.ask(self.replicas.fail_over(), "SET", PREFIX + "p", TWO)
        self.runs("p", "two", deadline=FOLLOWED)
        # The old primary does not know yet: what is written there is not the store's any more.
        self.replicas.ask(before, "SET", PREFIX + "old", TWO)
        self.write("SET", PREFIX + "new", TWO)
        self.runs("new", "two")
        self.gone("old")
        self.assertIn("new", self.run_well("ls"))

        survivor = self.replicas.kill_primary()
        self.addCleanup(self._bring_back_as_replica)
        self.replicas.ask(survivor, "SET", PREFIX + "p", ONE)
        self.runs("p", "one", deadline=FOLLOWED)
        self.runs("new", "two")
        self.run_well("add", "late", "--steps", "two")
        self.runs("late", "two")

    def _bring_back_as_replica(self):
        for server in self.replicas.servers:
            if not server.process.alive():
                server.start()


class WithPasswordsBase(SentinelCase):
    """The URL's user is that of the data servers; Sentinels ask for the same."""

    more = {"auth": LOGIN, "sentinel_auth": LOGIN}

    def test_served_and_followed(self):
        self.serve()
        self.write("SET", PREFIX + "p", TWO)
        self.runs("p", "two")
        self.run_well("add", "made", "--steps", "one")
        self.runs("made", "one")
        self.replicas.ask(self.replicas.fail_over(), "SET", PREFIX + "p", ONE)
        self.runs("p", "one", deadline=FOLLOWED)

    def test_a_wrong_password_is_said_but_not_printed(self):
        url = self.replicas.url(login="app:wrong-one")
        program = StoreCase.serve(self, url=url, ready=False)
        program.wait_for_line(r"store unreachable")
        eventually(lambda: program.call("GET", "/readyz").status == 503, IN_FORCE)
        self.assertNotIn("wrong-one", program.output, "a password was printed")


with_both_servers(FollowingBase)
with_both_servers(WithPasswordsBase)
del FollowingBase, WithPasswordsBase, SentinelCase
