"""CONTRACT section 4: each kind of change is in force on every core at once, learnt, not polled.

The refresh interval is an hour in all of these.
"""

from support import answers
from support.resp import ReplyError, StoreClient
from support.store import PREFIX, config
from support.store_case import StoreCase, with_both_servers

ONE, TWO = config("one"), config("two")


class ChangesBase(StoreCase):
    """Run with both servers, see below."""

    def setUp(self):
        super().setUp()
        self.db = self.server.client()
        self.db("MSET", PREFIX + "p", ONE, PREFIX + "q", ONE, "unrelated", "x")
        self.serve()
        self.runs("p", "one")

    def test_set_of_a_new_name(self):
        self.gone("new")
        self.db("SET", PREFIX + "new", TWO)
        self.runs("new", "two")

    def test_set_of_a_known_name(self):
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two")

    def test_set_by_another_client_over_the_unix_socket(self):
        other = StoreClient(self.server.socket_path)
        self.addCleanup(other.close)
        other("SET", PREFIX + "p", TWO)
        self.runs("p", "two")

    def test_many_sets_end_with_the_last(self):
        for number in range(200):
            self.db("SET", PREFIX + "p", ONE if number % 2 == 0 else TWO)
        self.runs("p", "two")

    def test_setrange_and_append_and_getset(self):
        self.db("GETSET", PREFIX + "p", TWO)
        self.runs("p", "two")
        self.db("APPEND", PREFIX + "q", " \n")
        self.db("SETRANGE", PREFIX + "p", TWO.index("two"), "one")
        self.runs("p", "one")
        self.runs("q", "one")

    def test_mset(self):
        self.db("MSET", PREFIX + "p", TWO, PREFIX + "q", TWO, PREFIX + "r", TWO)
        for name in ("p", "q", "r"):
            self.runs(name, "two")

    def test_del(self):
        self.db("DEL", PREFIX + "p")
        self.gone("p")
        self.runs("q", "one")

    def test_unlink_and_getdel(self):
        self.db("UNLINK", PREFIX + "p")
        self.gone("p")
        self.db("GETDEL", PREFIX + "q")
        self.gone("q")

    def test_expiry(self):
        self.db("PEXPIRE", PREFIX + "p", 100)
        self.gone("p", deadline=3.0)  # the server's own expiry cycle comes on top
        self.runs("q", "one")

    def test_set_with_expiry(self):
        self.db("SET", PREFIX + "p", TWO, "PX", 2000)
        self.runs("p", "two")
        self.gone("p", deadline=5.0)

    def test_expire_in_the_past_is_a_deletion(self):
        self.db("EXPIRE", PREFIX + "p", -1)
        self.gone("p")

    def test_rename(self):
        self.db("SET", PREFIX + "p", TWO)
        self.db("RENAME", PREFIX + "p", PREFIX + "q")
        self.gone("p")
        self.runs("q", "two")

    def test_rename_from_outside_and_to_outside(self):
        self.db("SET", "prepared", TWO)
        self.db("RENAME", "prepared", PREFIX + "p")
        self.runs("p", "two")
        self.db("RENAME", PREFIX + "q", "parked")
        self.gone("q")

    def test_copy(self):
        self.db("COPY", PREFIX + "p", PREFIX + "copy")
        self.runs("copy", "one")
        self.db("SET", "prepared", TWO)
        self.db("COPY", "prepared", PREFIX + "p", "REPLACE")
        self.runs("p", "two")

    def test_restore(self):
        self.db("SET", "prepared", TWO)
        self.db("RESTORE", PREFIX + "p", 0, self.db("DUMP", "prepared"), "REPLACE")
        self.runs("p", "two")

    def test_move_to_another_database(self):
        self.db("MOVE", PREFIX + "p", 1)
        self.gone("p")

    def test_a_write_in_another_database_changes_nothing(self):
        self.db("SELECT", 1)
        self.db("SET", PREFIX + "p", TWO)
        self.db("SELECT", 0)
        self.db("SET", PREFIX + "q", TWO)
        self.runs("q", "two")
        self.runs("p", "one")

    def test_flushall(self):
        self.db("FLUSHALL")
        self.gone("p")
        self.gone("q")

    def test_flushdb(self):
        self.db("FLUSHDB")
        self.gone("p")
        self.gone("q")

    def test_flushall_and_a_new_beginning(self):
        self.db("FLUSHALL")
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two")
        self.gone("q")
        self.db("FLUSHALL", "ASYNC")
        self.gone("p")

    def test_a_transaction_and_a_script(self):
        self.db("MULTI")
        self.db("SET", PREFIX + "p", TWO)
        self.db("DEL", PREFIX + "q")
        self.db("EXEC")
        self.runs("p", "two")
        self.gone("q")
        self.db("EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", 1, PREFIX + "q", TWO)
        self.runs("q", "two")

    def test_eviction(self):
        self.db("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        self.db("CONFIG", "SET", "maxmemory", "1")
        try:
            self.db("SET", "unrelated", "y")
        except ReplyError:  # OOM is the server's answer once nothing is left to evict
            pass
        self.gone("p", deadline=3.0)
        self.gone("q", deadline=3.0)

    def test_an_invalid_update_keeps_the_last_good_one_and_is_reported(self):
        before = len(self.program.stderr)
        self.db("SET", PREFIX + "p", '{"mode":"diagonal","steps":["one"]}')
        self.db("SET", PREFIX + "q", TWO)
        self.runs("q", "two")
        self.runs("p", "one")
        self.program.wait_for_line(r"\bp\b.*diagonal|diagonal.*\bp\b")
        self.assertGreater(len(self.program.stderr), before)
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two")

    def test_a_value_of_another_type_keeps_the_last_good_one(self):
        self.db("MULTI")
        self.db("DEL", PREFIX + "p")
        self.db("LPUSH", PREFIX + "p", "x")
        self.db("EXEC")
        self.db("SET", PREFIX + "q", TWO)
        self.runs("q", "two")
        self.runs("p", "one")

    def test_invalid_from_the_start_is_500(self):
        self.db("SET", PREFIX + "bad", "{")
        self.in_force("bad", 500, b"")
        answer = self.program.call("GET", "/orchestrate/bad")
        self.assertEqual(answer.keys(), ["error", "detail"])
        self.assertEqual(answer.json()["error"], "Pipeline config invalid: bad")
        self.db("SET", PREFIX + "bad", ONE)
        self.runs("bad", "one")

    def test_invalid_then_deleted_is_404(self):
        self.db("SET", PREFIX + "p", "{")
        self.db("SET", PREFIX + "bad", "{")
        self.in_force("bad", 500, b"")
        self.db("DEL", PREFIX + "p", PREFIX + "bad")
        self.gone("p")
        self.gone("bad")

    def test_a_request_in_progress_finishes_on_its_own_plan(self):
        gate = self.gate()
        self.db("SET", PREFIX + "long", config("one", "two"))
        self.in_force("long", 200, b"two")
        self.fn["one"].reset()
        self.fn["one"].script = answers.each(answers.held(gate, answers.text("one")), answers.text("one"))
        caller = self.connect(self.program.address)
        caller.send_request("POST", "/orchestrate/long", body=b"{}")
        self.fn["one"].wait_for(1)
        self.db("DEL", PREFIX + "long")
        self.gone("long")
        gate.set()
        self.assertEqual(caller.answer().body, b"two")

    def test_two_thousand_pipelines(self):
        words = [word for n in range(2000) for word in (f"{PREFIX}many{n}", TWO)]
        self.db("MSET", *words)
        self.runs("many1999", "two", deadline=5.0)
        self.runs("many0", "two", deadline=5.0)
        self.db("FLUSHALL")
        self.gone("many1000", deadline=5.0)


with_both_servers(ChangesBase)
del ChangesBase  # or it would be run as well, with no server
