"""CONTRACT section 1, the forms of CACHE_URL, each against a real server or directory."""

import os

from support.case import Case
from support.cases import expand, rows
from support.program import run
from support.store import PREFIX, StoreServer, config
from support.waiting import eventually

FORMS = {
    "redis": ("redis://127.0.0.1:{port}", 0),
    "redis with database": ("redis://127.0.0.1:{port}/3", 3),
    "redis by name": ("redis://localhost:{port}", 0),
    "redis with trailing slash": ("redis://127.0.0.1:{port}/", 0),
    "redis with user and password": ("redis://app:s3cr%3At@127.0.0.1:{port}", 0),
    "redis with user, password and database": ("redis://app:s3cr%3At@127.0.0.1:{port}/3", 3),
    "valkey": ("valkey://127.0.0.1:{port}", 0),
    "valkey with all": ("valkey://app:s3cr%3At@127.0.0.1:{port}/3", 3),
    "unix": ("unix://{socket}", 0),
    "unix with database": ("unix://{socket}?db=3", 3),
}


@expand
class Servers(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = StoreServer().start()
        cls.addClassCleanup(cls.server.close)
        # A password with a reserved character: in a URL it is percent-encoded (RFC 3986 2.1).
        cls.server.client()("ACL", "SETUSER", "app", "on", ">s3cr:t", "~*", "&*", "+@all")
        for database in (0, 3):
            client = cls.server.client()
            client("SELECT", database)
            client("SET", f"{PREFIX}only-in-{database}", config())

    def url(self, form):
        return form.format(port=self.server.port, socket=self.server.socket_path)

    @rows(FORMS)
    def test_serve_reads_from(self, form, database):
        program = self.start(self.url(form))
        other = 3 - database
        self.assertEqual(program.call("GET", f"/orchestrate/only-in-{database}").status, 400)
        self.assertEqual(program.call("GET", f"/orchestrate/only-in-{other}").status, 404)

    @rows(FORMS)
    def test_commands_read_from(self, form, database):
        finished = run("ls", env={"CACHE_URL": self.url(form)})
        self.assertEqual(finished.code, 0, finished)
        self.assertIn(f"only-in-{database}", finished.stdout)
        self.assertNotIn(f"only-in-{3 - database}", finished.stdout)

    @rows({"redis with database": "redis://127.0.0.1:{port}/3", "unix with database": "unix://{socket}?db=3"})
    def test_changes_in_another_database_are_noticed(self, form):
        program = self.start(self.url(form), "--refresh-interval", "10m")
        client = self.server.client()
        client("SELECT", 3)
        self.addCleanup(client, "DEL", PREFIX + "late")
        client("SET", PREFIX + "late", config())
        eventually(lambda: program.call("GET", "/orchestrate/late").status == 400, 1.0, "the change")

    def test_a_password_without_a_user(self):
        locked = StoreServer(None).start()
        self.addCleanup(locked.close)
        admin = locked.client()
        admin("SET", PREFIX + "p", config())
        admin("CONFIG", "SET", "requirepass", "pw")
        program = self.start(f"redis://:pw@127.0.0.1:{locked.port}")
        self.assertEqual(program.call("GET", "/orchestrate/p").status, 400)

    def test_a_wrong_password_is_told_by_commands(self):
        finished = run("ls", env={"CACHE_URL": f"redis://app:wrong-one@127.0.0.1:{self.server.port}"})
        self.assertEqual(finished.code, 1, finished)
        self.assertRegex(finished.stderr, r"(?i)wrongpass|password|auth")
        self.assertNotIn("wrong-one", finished.stderr, "the password is repeated")

    def test_a_password_is_never_logged_by_serve(self):
        program = self.start(self.url(FORMS["redis with user and password"][0]))
        self.assertNotIn("s3cr", program.output)


class Directories(Case):
    def test_file(self):
        store = self.directory({"p": config()})
        program = self.start(store.url)
        self.assertEqual(program.call("GET", "/orchestrate/p").status, 400)

    def test_file_with_a_percent_encoded_path(self):
        store = self.directory()
        inner = os.path.join(store.path, "with space")
        os.mkdir(inner)
        with open(os.path.join(inner, "p.json"), "w", encoding="utf-8") as out:
            out.write(config())
        program = self.start(f"file://{store.path}/with%20space")
        self.assertEqual(program.call("GET", "/orchestrate/p").status, 400)
