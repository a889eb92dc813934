"""HTTP.md 6.2: an address that cannot be connected to is followed by the next one, and by what DNS says now."""

from support.dns_case import ONE_SECOND, SLOW, DnsCase
from support.function import Blackhole
from support.waiting import elapsed_since, eventually, now, trickle_pause

ATTEMPT = 0.25  # for how long one address is tried alone


class Moved(DnsCase):
    def blackhole(self, host, port):
        made = Blackhole(host, port)
        self.addCleanup(made.close)

    def assert_prompt(self, program, target, host):
        """Its answer is from `host`, no later than another address has been tried."""
        start = now()
        answer = program.call("GET", target)
        took = elapsed_since(start)
        self.assertEqual((answer.status, answer.body), (200, f'"{host}"'.encode()), answer)
        self.assertLess(took, ATTEMPT + SLOW)

    def test_one_of_two_addresses_does_not_answer(self):
        fns = self.functions_at("127.0.0.2")
        port = fns["127.0.0.2"].port
        self.blackhole("127.0.0.3", port)
        dns = self.server(("127.0.0.2", "f.test"), ("127.0.0.3", "f.test"), ttl=30)
        program = self.start_asking(dns, port, "f", arguments=("--gateway",))
        for target in ("/orchestrate/f", "/f/x"):
            for _ in range(10):
                self.assert_prompt(program, target, "127.0.0.2")

    def test_a_function_that_was_away_and_unknown_meanwhile(self):
        for target in ("/orchestrate/f", "/f/x"):
            with self.subTest(target=target):
                fns = self.functions_at("127.0.0.2", "127.0.0.3")
                dns = self.server(("127.0.0.2", "f.test"), ttl=30)
                program = self.start_asking(dns, fns["127.0.0.2"].port, "f", arguments=("--gateway",))
                self.assert_prompt(program, target, "127.0.0.2")
                fns["127.0.0.2"].close()
                dns.change()
                trickle_pause(ONE_SECOND)  # DNS is not asked more often
                self.assertEqual(program.call("GET", target).status, 502)
                dns.change(("127.0.0.3", "f.test"))
                back = now()
                eventually(lambda: program.call("GET", target).status == 200, 10.0, "a good answer")
                self.assertLess(elapsed_since(back), ONE_SECOND + SLOW)

    def test_a_function_that_has_moved_long_before_its_ttl_is_over(self):
        for leaves_behind in ("nothing", "an address that does not answer"):
            for target in ("/orchestrate/f", "/f/x"):
                with self.subTest(leaves_behind=leaves_behind, target=target):
                    fns = self.functions_at("127.0.0.2", "127.0.0.3")
                    port = fns["127.0.0.2"].port
                    dns = self.server(("127.0.0.2", "f.test"), ttl=30)
                    program = self.start_asking(dns, port, "f", arguments=("--gateway",))
                    self.assert_prompt(program, target, "127.0.0.2")
                    fns["127.0.0.2"].close()
                    if leaves_behind != "nothing":
                        self.blackhole("127.0.0.2", port)
                    dns.change(("127.0.0.3", "f.test"))
                    trickle_pause(ONE_SECOND)  # DNS is not asked more often
                    self.assert_prompt(program, target, "127.0.0.3")
