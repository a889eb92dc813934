"""CONTRACT section 1: rediss:// and valkeys://, with a CA file and client certificates."""

from support.program import run
from support.store import PREFIX, StoreServer, config, free_port
from support.store_case import StoreCase, with_both_servers
from support.tls import Certificates
from support.waiting import eventually

ONE, TWO = config("one"), config("two")


class TlsBase(StoreCase):
    clients = "yes"

    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.addClassCleanup(cls.certificates.close)

    def setUp(self):
        super().setUp()
        self.server.close()
        self.tls_port = free_port()
        self.begin(self.clients)

    def begin(self, clients):
        options = self.certificates.server_options(self.tls_port, clients)
        self.server = StoreServer(self.kind, *options)
        self.addCleanup(self.server.close)
        self.server.start()
        self.db = self.server.client()

    def url(self, scheme="rediss", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.tls_port}"

    def list(self, *flags, url=None):
        return run("ls", "--cache-url", url or self.url(), *flags)

    def test_changes_are_followed(self):
        self.db("SET", PREFIX + "p", ONE)
        self.serve(*self.certificates.flags(), url=self.url("valkeys"))
        self.runs("p", "one")
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two")
        self.db("FLUSHALL")
        self.gone("p")

    def test_many_pipelines_and_a_large_one(self):
        names = [f"p{number}" for number in range(2000)]
        self.db("MSET", *[word for name in names for word in (PREFIX + name, ONE)])
        self.db("SET", PREFIX + "large", TWO + " " * (60 * 1024))
        self.serve(*self.certificates.flags(), url=self.url())
        self.runs(names[-1], "one")
        self.runs("large", "two")

    def test_a_restarted_server_is_found_again(self):
        self.db("SET", PREFIX + "p", ONE)
        self.serve(*self.certificates.flags(), url=self.url())
        self.runs("p", "one")
        self.server.close()
        self.begin("no")
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two", deadline=5.0)

    def test_commands(self):
        store = ("--cache-url", self.url(), *self.certificates.flags())
        self.assertEqual(run("add", "p", "--steps", "a,b", *store).code, 0)
        self.assertIn(b"a", self.server.get("p"))
        self.assertIn("a -> b", run("ls", *store).stdout)
        self.assertIn('"steps"', run("show", "p", *store).stdout)
        self.assertEqual(run("remove", "p", *store).code, 0)
        self.assertIsNone(self.server.get("p"))

    def test_a_server_that_nobody_vouches_for_is_refused(self):
        finished = self.list()
        self.assertEqual(finished.code, 1, finished)
        self.assertIn("certificate is not accepted", finished.stderr)

    def test_a_certificate_of_another_host_is_refused(self):
        finished = self.list(*self.certificates.flags(), url=self.url(host="localhost"))
        self.assertEqual(finished.code, 1, finished)
        self.assertIn("hostname mismatch", finished.stderr)

    def test_a_client_without_its_certificate_is_told_so(self):
        finished = self.list("--cache-ca", self.certificates.ca)
        self.assertEqual(finished.code, 1, finished)
        self.assertIn("it asks for a client certificate", finished.stderr)

    def test_a_server_that_does_not_speak_tls(self):
        url = f"rediss://127.0.0.1:{self.server.port}"
        finished = self.list(*self.certificates.flags(), url=url)
        self.assertEqual(finished.code, 1, finished)
        self.assertIn(url, finished.stderr)

    def test_a_server_without_a_good_certificate_is_tried_on_and_said(self):
        program = self.start(self.url(), ready=False)
        program.wait_for_line("certificate is not accepted")
        self.assertEqual(program.call("GET", "/readyz").status, 503)

    def test_files_for_a_url_without_tls_are_refused(self):
        finished = run("serve", "--check", "--cache-url", self.server.url, "--cache-ca", self.certificates.ca)
        self.assertEqual(finished.code, 2, finished)
        self.assertIn("--cache-ca", finished.stderr)

    def test_a_new_certificate_is_taken_with_the_next_connection(self):
        self.db("SET", PREFIX + "p", ONE)
        flags = ("--cache-ca", self.certificates.ca, "--cache-cert", self.certificates.certificate("fresh"),
                 "--cache-key", self.certificates.key("fresh"))
        self.certificates.sign("fresh", "DNS:first")
        program = self.serve(*flags, url=self.url())
        self.runs("p", "one")
        self.certificates.sign("fresh", "DNS:second")
        self.db("CLIENT", "KILL", "TYPE", "pubsub")
        self.db("SET", PREFIX + "p", TWO)
        self.runs("p", "two", deadline=3.0)
        eventually(lambda: program.stderr.count("store connected") == 2, 3.0, "a second session")


with_both_servers(TlsBase)
del TlsBase
