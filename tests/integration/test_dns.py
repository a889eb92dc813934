"""CONTRACT section 5 "DNS answer", HTTP.md X06: names of functions, asked of DNS servers that answer
well, badly, late or not at all. Functions stand on several addresses of the loopback, on one port.
"""

import random
import tempfile
import threading

from support import answers
from support.case import config
from support.cases import expand, rows
from support.dns import NXDOMAIN, REFUSED, SERVFAIL, OwnNetwork
from support.dns_case import ONE_SECOND, SLOW, DnsCase
from support.waiting import elapsed_since, eventually, now, trickle_pause
from test_names import FORBIDDEN, with_own_etc


def lasting(*hosts):
    """A script: these addresses, in the order of `hosts`."""
    return lambda question: question.answer(*hosts)


def failing(rcode):
    return lambda question: question.answer(rcode=rcode)


def silent(_):
    return None


class RealServer(DnsCase):
    def test_addresses_of_both_kinds(self):
        fns = self.functions_at("127.0.0.2", "::1")
        dns = self.server(("127.0.0.2", "four.test"), ("::1", "six.test"),
                          ("127.0.0.2", "both.test"), ("::1", "both.test"))
        program = self.start_asking(dns, fns["::1"].port, "four", "six", "both")
        self.assertEqual(self.from_host(program, "four"), "127.0.0.2")
        self.assertEqual(self.from_host(program, "six"), "::1")
        self.assertIn(self.from_host(program, "both"), ("127.0.0.2", "::1"))

    def test_the_other_kind_is_tried_where_one_does_not_answer(self):
        fns = self.functions_at("::1")
        dns = self.server(("127.0.0.2", "both.test"), ("::1", "both.test"))
        program = self.start_asking(dns, fns["::1"].port, "both")
        self.assertEqual(self.from_host(program, "both"), "::1")

    def test_the_hosts_file_goes_before_dns(self):
        fns = self.functions_at("127.0.0.2", "127.0.0.3")
        dns = self.server(("127.0.0.2", "f.test"), ("127.0.0.2", "g.test"))
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f", "g",
                                    preexec=with_own_etc("127.0.0.3 f.test\n"))
        self.assertEqual(self.from_host(program, "f"), "127.0.0.3")
        self.assertEqual(self.from_host(program, "g"), "127.0.0.2")

    def test_x06_no_such_name_and_no_address(self):
        program = self.start_asking(self.server(), 1, "none", "text")
        for name in ("none", "text"):
            self.assert_unresolved(program, name)

    def test_a_refusal(self):
        store = self.directory({"elsewhere": config("elsewhere.invalid")})
        program = self.start(store.url, "--dns-server", self.server().address)
        answer = self.call(program, "elsewhere")
        detail = self.assert_step_failed(answer, 502, "elsewhere.invalid")
        self.assertIn("cannot resolve 'elsewhere.invalid': ", detail)

    def test_servers_from_the_environment_the_second_where_the_first_is_silent(self):
        fns = self.functions_at("127.0.0.2")
        mute, dns = self.responder(silent), self.server(("127.0.0.2", "f.test"))
        program = self.start(
            self.directory({"f": config("f.test")}).url,
            "--step-url", f"http://{{step}}:{fns['127.0.0.2'].port}",
            env={"FNKIT_DNS_SERVER": f"{mute.address},{dns.address}"},
        )
        self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
        self.assertGreater(mute.look_ups("f.test"), 0)

    def test_of_several_addresses_the_one_with_the_fewest_calls_comes_first(self):
        fns = self.functions_at("127.0.0.2", "127.0.0.3", stay=True)
        dns = self.server(("127.0.0.2", "f.test"), ("127.0.0.3", "f.test"), ttl=30)
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f")
        gate = self.gate()
        fns["127.0.0.2"].script = answers.held(gate, answers.text("held"))
        callers = []
        for _ in range(10):
            callers.append(self.connect(program.address))
            callers[-1].send_request("POST", "/orchestrate/f", body=b"{}")
        # One of them is stuck for each that is not; the others are answered by the idle address.
        fns["127.0.0.3"].wait_for(5)
        for _ in range(10):
            self.assertEqual(self.from_host(program, "f"), "127.0.0.3")
        gate.set()
        for caller in callers:
            self.assertEqual(caller.answer().status, 200)

    def test_x06_a_changed_address_of_a_name_called_all_the_time(self):
        fns = self.functions_at("127.0.0.2", "127.0.0.3", stay=True)
        dns = self.server(("127.0.0.2", "f.test"), ttl=2)
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f")
        self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
        dns.change(("127.0.0.3", "f.test"))
        changed = now()
        eventually(lambda: self.from_host(program, "f") == "127.0.0.3", 10.0, "the new address in use")
        self.assertLess(elapsed_since(changed), 2 + ONE_SECOND + SLOW)
        self.assertEqual(self.from_host(program, "f"), "127.0.0.3")

    def test_x06_a_changed_address_of_a_name_called_rarely(self):
        fns = self.functions_at("127.0.0.2", "127.0.0.3", stay=True)
        dns = self.server(("127.0.0.2", "f.test"), ttl=1)
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f")
        self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
        dns.change(("127.0.0.3", "f.test"))
        trickle_pause(1 + ONE_SECOND + SLOW)  # the subject: nobody calls meanwhile
        self.assertEqual(self.from_host(program, "f"), "127.0.0.3")

    def test_a_server_that_hangs(self):
        fns = self.functions_at("127.0.0.2")
        dns = self.server(("127.0.0.2", "known.test"), ("127.0.0.2", "unknown.test"))
        program = self.start_asking(dns, fns["127.0.0.2"].port, "known", "unknown")
        self.assertEqual(self.from_host(program, "known"), "127.0.0.2")
        dns.hang()
        self.addCleanup(dns.go_on)
        self.assert_unresolved(program, "unknown", "no answer from DNS within 1 s")
        end = now() + 4
        while now() < end:
            self.assertEqual(self.from_host(program, "known"), "127.0.0.2")
            trickle_pause(0.01)
        dns.go_on()
        eventually(lambda: self.call(program, "unknown").status == 200, 10.0, "DNS being asked again")


@expand
class BadAnswers(DnsCase):
    @rows({
        "SERVFAIL": failing(SERVFAIL),
        "REFUSED": failing(REFUSED),
        "NXDOMAIN": failing(NXDOMAIN),
        "no addresses": lasting(),
        "silence": silent,
        "an empty datagram": lambda question: b"",
        "a number alone": lambda question: question.id,
        "the question": lambda question: question.message,
        "a head that promises more": lambda question: question.id + b"\x81\x80\0\1\xff\xff\0\0\0\0" + question.section,
        "half an address": lambda question: question.answer("127.0.0.2", "::1")[:-2],
        "names that point at themselves": lambda question: (
            question.id + b"\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1" + b"\xc0\x1c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\2"
        ),
    })
    def test_x06_502_within_a_second(self, script):
        dns = self.responder(script)
        program = self.start_asking(dns, 1, "f")
        self.assert_unresolved(program, "f")
        self.assert_unresolved(program, "f")
        self.assertGreater(dns.look_ups("f.test"), 0)

    def test_x06_a_known_address_is_used_on(self):
        fns = self.functions_at("127.0.0.2")
        dns = self.responder(lasting("127.0.0.2"))
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f")
        self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
        for rcode in (SERVFAIL, REFUSED):
            dns.script = failing(rcode)
            seen = dns.look_ups("f.test")
            while dns.look_ups("f.test") < seen + 3:
                self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
                trickle_pause(0.01)

    def test_a_known_address_is_dropped_where_there_is_no_such_name_any_more(self):
        fns = self.functions_at("127.0.0.2")
        dns = self.responder(lasting("127.0.0.2"))
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f")
        self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
        dns.script = failing(NXDOMAIN)
        changed = now()
        eventually(lambda: self.call(program, "f").status == 502, 10.0, "the name gone")
        self.assertLess(elapsed_since(changed), 1 + ONE_SECOND + SLOW)

    def test_answers_damaged_at_random(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)

        def damaged(question):
            data = bytearray(question.answer(*["127.0.0.2"] * 5, *["::1"] * 5))
            for _ in range(chance.randrange(1, 8)):
                data[chance.randrange(2, len(data))] = chance.randrange(256)
            return bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])

        names = [f"f{number}" for number in range(300)]
        # Nobody listens on port 1 of the loopback, wherever a damaged answer leads; nor is there
        # any other network here.
        network = OwnNetwork()
        self.addCleanup(network.close)
        dns = self.responder(damaged, network.sockets)
        folder = tempfile.TemporaryDirectory(prefix="fnkit-dns-")
        self.addCleanup(folder.cleanup)
        program = self.start_asking(dns, 1, *names, listen=(f"unix:{folder.name}/s",), preexec=network.enter)
        statuses = []
        threads = [
            threading.Thread(target=lambda name=name: statuses.append(self.call(program, name).status))
            for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(statuses), len(names), f"seed {seed}")
        self.assertLessEqual(set(statuses), {502, 504}, f"seed {seed}")
        self.assertEqual(program.call("GET", "/readyz").status, 200)


class GoodAnswers(DnsCase):
    def test_x06_two_hundred_addresses(self):
        fns = self.functions_at("127.0.0.2")
        many = [f"127.0.1.{number}" for number in range(1, 200)]
        dns = self.responder(lasting(*many[:5], "127.0.0.2", *many[5:]))
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f")
        self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
        self.assertGreater(dns.over_tcp, 0)

    def test_x06_a_ttl_of_0_is_a_second(self):
        fns = self.functions_at("127.0.0.2")
        dns = self.responder(lambda question: question.answer("127.0.0.2", ttl=0))
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f")
        start = now()
        for _ in range(50):
            self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
        self.assertLessEqual(dns.look_ups("f.test"), 1 + elapsed_since(start))

    def test_x06_64_callers_ask_once(self):
        fns = self.functions_at("127.0.0.2")
        gate = self.gate()

        def held(question):
            gate.wait()
            return question.answer("127.0.0.2", ttl=30)

        dns = self.responder(held)
        program = self.start_asking(dns, fns["127.0.0.2"].port, "f")
        callers = [self.connect(program.address) for _ in range(64)]
        for caller in callers:
            caller.send_request("GET", "/orchestrate/f")
        dns.wait_for("f.test")
        gate.set()
        self.assertEqual([caller.answer().status for caller in callers], [200] * 64)
        self.assertEqual(dns.look_ups("f.test"), 1)
        self.assertEqual(set(dns.most_in_flight.values()), {1}, dns.most_in_flight)


class ForbiddenAddresses(DnsCase):
    def test_they_are_not_called(self):
        network = OwnNetwork()
        self.addCleanup(network.close)
        dns = self.responder(lambda question: question.answer(FORBIDDEN[question.name.split(".")[0]]),
                             network.sockets)
        folder = tempfile.TemporaryDirectory(prefix="fnkit-dns-")
        self.addCleanup(folder.cleanup)
        program = self.start_asking(dns, 80, *FORBIDDEN, listen=(f"unix:{folder.name}/s",),
                                    preexec=network.enter)
        for name in FORBIDDEN:
            detail = self.assert_step_failed(self.call(program, name), 502, name)
            self.assertIn("no function may have", detail, name)

    def test_one_beside_an_address_that_may_be_called_is_left_out(self):
        # To connect to 0.0.0.0 is to connect to 127.0.0.1.
        fns = self.functions_at("127.0.0.1", "127.0.0.2")
        dns = self.responder(lasting("0.0.0.0", "127.0.0.2"))
        program = self.start_asking(dns, fns["127.0.0.1"].port, "f")
        self.assertEqual(self.from_host(program, "f"), "127.0.0.2")
        self.assertEqual(fns["127.0.0.1"].requests, [])
