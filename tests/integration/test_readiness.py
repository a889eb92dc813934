"""GET /readyz?verbose: how changes reach us, how old the last full comparison is, what is invalid."""

import re

from support import client
from support.store import PREFIX, config
from support.store_case import StoreCase
from support.waiting import eventually

TOKEN = {"FNKIT_AUTH_TOKEN": "secret"}
ALLOWED = [("Authorization", "Bearer secret")]


class Readiness(StoreCase):
    def page(self, address=None, headers=()):
        answer = client.call(address or self.program.address, "GET", "/readyz?verbose", headers)
        return answer.status, answer.body.decode()

    def becomes(self, pattern, **where):
        """Waits until every worker's page has it."""
        for _ in range(8):
            eventually(lambda: re.search(pattern, self.page(**where)[1]), 5.0, pattern)

    def test_a_good_store(self):
        self.server.set("p", config("one"))
        self.serve()
        self.becomes(r"^\[\+\]server: serving\n\[\+\]store: changes by keyspace notifications and tracking\n")
        status, page = self.page()
        self.assertEqual(status, 200)
        self.assertRegex(page, r"\[\+\]last full comparison: \d+\.\d s ago\n\[\+\]pipelines: 1, invalid 0\nready\n$")

    def test_the_comparison_is_as_old_as_the_refresh_interval_at_most(self):
        self.serve(refresh="200ms")
        self.becomes(r"comparison: 0\.[01] s ago")
        self.becomes(r"comparison: 0\.[01] s ago")

    def test_what_is_invalid_is_named_and_why(self):
        self.server.set("good", config("one"))
        self.serve()
        self.server.set("good", "{")
        self.server.set("bad", '{"steps":"x"}')
        self.becomes(r'\[-\]pipelines: 2, invalid 2\n\[-\]pipeline bad: "steps" is an array.*\n\[-\]pipeline good: not valid JSON')
        self.assertEqual(self.page()[0], 200)
        self.server.set("bad", config("two"))
        self.server.set("good", config("two"))
        self.becomes(r"\[\+\]pipelines: 2, invalid 0\nready")

    def test_a_store_that_is_away(self):
        self.server.set("p", config("one"))
        self.serve()
        self.server.kill()
        self.becomes(r"\[-\]store: .*(refused|closed)")
        self.assertEqual(self.page()[0], 200, "the last known pipelines are served")

    def test_the_token_is_asked_for_on_public_listeners_only(self):
        self.serve("--admin-listen", "127.0.0.1:0", env=TOKEN)
        self.assertEqual(self.page(), (200, "OK"))
        self.becomes(r"\[\+\]store", headers=ALLOWED)
        self.becomes(r"\[\+\]store", address=self.program.admin_address)
