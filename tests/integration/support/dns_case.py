"""Functions on several addresses of the loopback, on one port, and programs that ask DNS for them."""

from support import answers
from support.case import Case, config
from support.dns import DnsServer, Responder
from support.function import Function, listening
from support.waiting import elapsed_since, now

ONE_SECOND = 1.0  # what X06 allows
SLOW = 0.8  # what a busy machine may add to it


class DnsCase(Case):
    def functions_at(self, *hosts, stay=False):
        """A function on each of these addresses, all on the same port: {host: function}.

        Unless they `stay`, they end the connection with each answer, so that every call connects.
        """
        close = [] if stay else [("Connection", "close")]
        for _ in range(100):
            made, port = {}, 0
            try:
                for host in hosts:
                    script = answers.reply(200, f'"{host}"', "application/json", close)
                    then = script if stay else lambda e, s=script: (s(e), e.connection.close())
                    made[host] = Function(host, then, listener=listening(host, port))
                    self.addCleanup(made[host].close)
                    port = made[host].port
                return made
            except OSError:
                continue  # another process has this port on one of the addresses
        raise AssertionError(f"no port is free on all of {hosts}")

    def server(self, *hosts, ttl=1):
        made = DnsServer(hosts, ttl)
        self.addCleanup(made.close)
        return made

    def responder(self, script, sockets=None):
        made = Responder(script, sockets)
        self.addCleanup(made.close)
        return made

    def start_asking(self, dns, port, *names, arguments=(), **more):
        """A program with a pipeline of one step for each name, in the zone "test"."""
        return self.start(
            self.directory({name: config(name) for name in names}).url,
            "--dns-server", dns.address, "--step-url", f"http://{{step}}.test:{port}", *arguments, **more,
        )

    def call(self, program, name):
        return program.call("GET", f"/orchestrate/{name}")

    def from_host(self, program, name):
        """The address of the function that answered."""
        answer = self.call(program, name)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def assert_unresolved(self, program, name, saying=""):
        """502 within a second."""
        start = now()
        answer = self.call(program, name)
        took = elapsed_since(start)
        detail = self.assert_step_failed(answer, 502, name)
        self.assertIn(f"cannot resolve '{name}.test': {saying}", detail)
        self.assertLess(took, ONE_SECOND + SLOW)
        return detail
