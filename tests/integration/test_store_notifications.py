"""CONTRACT section 4: how changes are learnt — notifications, tracking, polling — and what is said."""

from support.store import PREFIX, StoreServer, config
from support.store_case import StoreCase, with_both_servers
from support.waiting import eventually

ONE, TWO = config("one"), config("two")
# Redis and Valkey write g$lshzxetd as A.
ALL = "g$lshzxetd"


def flags(client):
    value = client("CONFIG", "GET", "notify-keyspace-events")[1].decode()
    return set(value.replace("A", ALL))


class NotificationsBase(StoreCase):
    def user(self, *rules):
        """A URL of a user who may do everything but what the rules take away."""
        self.server.client()("ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", *rules)
        return self.server.url.replace("//", "//app:pw@")

    def prepared(self):
        self.db = self.server.client()
        self.db("SET", PREFIX + "p", ONE)

    def changes_are_in_force(self, deadline=1.0):
        self.runs("p", "one", deadline)
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two", deadline)
        self.db("DEL", PREFIX + "p")
        self.gone("p", deadline)
        self.db("SET", PREFIX + "p", ONE)
        self.runs("p", "one", deadline)
        self.db("FLUSHALL")
        self.gone("p", deadline)

    def test_existing_flags_are_kept_and_ours_added(self):
        self.prepared()
        for existing in ("", "lK", "Ez", "AKE", "Exm"):
            self.db("CONFIG", "SET", "notify-keyspace-events", existing)
            before = flags(self.db)
            program = self.serve()
            after = flags(self.db)
            self.assertLessEqual(before, after, f"with {existing!r}: a flag was lost")
            self.assertLessEqual(set("g$xe"), after, f"with {existing!r}: ours are missing")
            self.assertTrue(after & set("KE"))
            program.stop()

    def test_flags_that_somebody_takes_away_are_asked_for_again_or_tracking_does_it(self):
        # CONFIG SET of another program must not end the learning of changes.
        self.prepared()
        self.serve(refresh="300ms")
        self.db("CONFIG", "SET", "notify-keyspace-events", "")
        self.changes_are_in_force(deadline=2.0)

    def test_config_refused_still_learns_by_tracking(self):
        self.prepared()
        self.serve(url=self.user("-config"))
        self.changes_are_in_force()

    def test_tracking_refused_still_learns_by_notifications(self):
        self.prepared()
        self.serve(url=self.user("-client|tracking"))
        self.runs("p", "one")
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two")
        self.db("DEL", PREFIX + "p")
        self.gone("p")

    def test_neither_is_said_and_polls(self):
        self.prepared()
        program = self.serve(url=self.user("-config", "-client|tracking"), refresh="200ms")
        program.wait_for_line(r"(?i)poll")
        self.changes_are_in_force(deadline=2.0)

    def test_notifications_already_on_need_no_config(self):
        self.prepared()
        self.db("CONFIG", "SET", "notify-keyspace-events", "AKE")
        self.serve(url=self.user("-config", "-client|tracking"))
        self.runs("p", "one")
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two")

    def test_a_refresh_repairs_what_no_one_told(self):
        # A restricted user without channels hears nothing at all; the refresh still reads everything.
        self.prepared()
        self.serve(url=self.user("resetchannels", "-config", "-client|tracking"), refresh="300ms")
        self.changes_are_in_force(deadline=2.5)

    def test_cut_connections_are_made_again_and_everything_read(self):
        self.prepared()
        self.serve()
        self.runs("p", "one")
        for kind in ("normal", "pubsub"):
            self.db("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two", deadline=4.0)
        self.db("SET", PREFIX + "p", ONE)
        self.runs("p", "one")

    def test_a_store_of_many_other_keys(self):
        self.prepared()
        words = [word for n in range(20_000) for word in (f"other:{n}", "x")]
        self.db("MSET", *words)
        self.serve()
        self.changes_are_in_force()

    def test_a_hundred_writes_a_key_elsewhere_do_no_harm(self):
        self.prepared()
        self.serve()
        for number in range(2000):
            self.db("SET", f"other:{number % 7}", number)
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two")

    def test_odd_keys_below_the_prefix_are_no_pipelines(self):
        self.prepared()
        for key in (b"", b"a/b", b"a b", b"\xff", b"x" * 129, b"line\r\nend"):
            self.db("SET", PREFIX.encode() + key, TWO)
        self.serve()
        self.changes_are_in_force()

    def test_the_replicas_of_keys_are_not_needed(self):
        second = StoreServer(self.kind)
        self.addCleanup(second.close)
        second.start()
        second.client()("SET", PREFIX + "p", TWO)
        self.prepared()
        self.serve()
        eventually(lambda: self.answers_of("p") == {(200, b"one")}, 1.0)


with_both_servers(NotificationsBase)
del NotificationsBase
