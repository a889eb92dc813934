"""CONTRACT section 1, --listen, --admin-listen, --step-url, --resolve, --cores."""

import os
import socket

from support import answers, client
from support.case import Case, two_cores
from support.program import run
from support.store import config


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class Listen(Case):
    def health(self, address):
        answer = client.call(address, "GET", "/livez")
        self.assertEqual((answer.status, answer.body), (200, b"OK"))

    def test_listen_is_repeatable(self):
        program = self.start(self.directory().url, listen=("127.0.0.1:0", "127.0.0.1:0"))
        addresses = program.addresses(2)
        self.assertEqual(len(set(addresses)), 2)
        for address in addresses:
            self.health(address)

    def test_listen_on_a_unix_socket(self):
        path = os.path.join(self.directory().path, "o.sock")
        program = self.start(self.directory().url, listen=(f"unix:{path}",))
        self.assertEqual(program.address, path)
        self.health(path)

    def test_a_stale_unix_socket_is_no_obstacle(self):
        path = os.path.join(self.directory().path, "o.sock")
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(path)
        self.start(self.directory().url, listen=(f"unix:{path}",))
        self.health(path)

    def test_a_unix_socket_in_use_is_not_taken(self):
        path = os.path.join(self.directory().path, "o.sock")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            program = self.start(self.directory().url, listen=(f"unix:{path}",), ready=False)
            self.assertEqual(program.wait(), 1, program.stderr)

    def test_a_file_that_is_no_socket_is_never_removed(self):
        path = os.path.join(self.directory().path, "precious")
        with open(path, "w", encoding="utf-8") as out:
            out.write("data")
        program = self.start(self.directory().url, listen=(f"unix:{path}",), ready=False)
        self.assertEqual(program.wait(), 1, program.stderr)
        self.assertTrue(os.path.isfile(path))

    def test_the_unix_socket_is_removed_at_the_end(self):
        path = os.path.join(self.directory().path, "o.sock")
        program = self.start(self.directory().url, listen=(f"unix:{path}",))
        program.stop()
        self.assertFalse(os.path.exists(path))

    def test_listen_on_ipv6(self):
        if not has_ipv6():
            return  # "where IPv6 exists"
        program = self.start(self.directory().url, listen=("[::1]:0",))
        self.assertEqual(program.address[0], "::1")
        self.health(program.address)

    def test_listen_on_all_ipv6_addresses(self):
        if not has_ipv6():
            return
        program = self.start(self.directory().url, listen=("127.0.0.1:0", "[::]:0"))
        port = program.addresses(2)[1][1]
        self.health(("::1", port))

    def test_listen_on_several_kinds_at_once(self):
        path = os.path.join(self.directory().path, "o.sock")
        program = self.start(self.directory().url, listen=("127.0.0.1:0", f"unix:{path}"))
        for address in program.addresses(2):
            self.health(address)


class AdminListen(Case):
    def test_admin_answers_health_without_a_token_and_nothing_else(self):
        store = self.directory({"empty": config()})
        program = self.start(
            store.url, "--admin-listen", "127.0.0.1:0", env={"FNKIT_AUTH_TOKEN": "secret"}
        )
        for path in ("/health", "/livez", "/readyz"):
            self.assertEqual(client.call(program.admin_address, "GET", path).status, 200, path)
        for path in ("/orchestrate/empty", "/orchestrate/", "/nope"):
            answer = client.call(program.admin_address, "GET", path)
            self.assert_error(answer, 404, '{"error":"Not found"}')
        bearer = [("Authorization", "Bearer secret")]
        answer = client.call(program.admin_address, "GET", "/orchestrate/empty", bearer)
        self.assertEqual(answer.status, 404, "a token does not make it a way in")
        self.assertEqual(program.call("GET", "/orchestrate/empty", bearer).status, 400)

    def test_admin_listen_environment(self):
        program = self.start(self.directory().url, env={"FNKIT_ADMIN_LISTEN": "127.0.0.1:0"})
        self.assertEqual(client.call(program.admin_address, "GET", "/livez").status, 200)

    def test_admin_says_not_ready_while_the_store_was_never_reached(self):
        url = f"redis://{self.refusing_address()}"
        program = self.start(url, "--admin-listen", "127.0.0.1:0", ready=False)
        self.assertEqual(client.call(program.admin_address, "GET", "/livez").status, 200)
        self.assertEqual(client.call(program.admin_address, "GET", "/readyz").status, 503)


class WhereStepsAre(Case):
    def test_step_url_names_the_host_and_resolve_the_address(self):
        # As with curl --resolve: the address changes, the name that is asked for does not.
        made = self.function("a")
        program = self.start(
            self.directory({"one": config("a")}).url,
            "--step-url", "http://{step}.fn.internal:9000",
            resolve={"a": made.address},
        )
        self.assertEqual(program.call("GET", "/orchestrate/one").status, 200)
        self.assertEqual(made.only_request().header("host"), "a.fn.internal:9000")

    def test_the_default_step_url_is_port_8080_of_the_step(self):
        made = self.function("a")
        program = self.start(self.directory({"one": config("a")}).url, resolve={"a": made.address})
        self.assertEqual(program.call("GET", "/orchestrate/one").status, 200)
        self.assertEqual(made.only_request().header("host"), "a:8080")

    def test_a_step_is_looked_up_by_name(self):
        # RFC 6761: localhost needs no hosts file.
        made = self.function("f")
        program = self.start(
            self.directory({"one": config("localhost")}).url,
            "--step-url", f"http://{{step}}:{made.port}",
        )
        answer = program.call("GET", "/orchestrate/one")
        self.assertEqual((answer.status, answer.body), (200, b'{"from":"f"}'))

    def test_resolve_to_a_name(self):
        made = self.function("f")
        program = self.start(
            self.directory({"one": config("a")}).url, resolve={"a": f"localhost:{made.port}"}
        )
        self.assertEqual(program.call("GET", "/orchestrate/one").status, 200)

    def test_a_name_that_does_not_exist_is_502(self):
        program = self.start(self.directory({"one": config("no-such-host.invalid")}).url)
        answer = program.call("GET", "/orchestrate/one")
        detail = self.assert_step_failed(answer, 502, "no-such-host.invalid")
        self.assertRegex(detail, r"\S")


class Cores(Case):
    """One pinned worker on each of the first N CPUs of the affinity mask, and each serves."""

    @staticmethod
    def pinned(program):
        """{cpu: task id} of threads that may run on one CPU only."""
        found = {}
        for task in os.listdir(f"/proc/{program.pid}/task"):
            mask = os.sched_getaffinity(int(task))
            if len(mask) == 1:
                found.setdefault(min(mask), []).append(int(task))
        return found

    @staticmethod
    def switches(task, pid):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as status:
            return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)

    def test_workers_are_pinned_to_the_first_cpus_and_each_serves(self):
        cores = two_cores()
        made = self.function("a", answers.text("x"))
        store = self.directory({"one": config("a")})
        program = self.start(store.url, cores=cores, resolve={"a": made.address})
        wanted = sorted(os.sched_getaffinity(0))[:cores]
        if len(os.sched_getaffinity(0)) > 1:
            self.assertEqual(sorted(self.pinned(program)), wanted)
        before = {cpu: self.count(program, tasks) for cpu, tasks in self.pinned(program).items()}
        callers = [self.connect(program.address) for _ in range(32)]
        for _ in range(5):
            for caller in callers:
                self.assertEqual(caller.call("GET", "/orchestrate/one").body, b"x")
        for cpu, tasks in self.pinned(program).items():
            self.assertGreater(self.count(program, tasks) - before[cpu], 20, f"CPU {cpu} was idle")

    def count(self, program, tasks):
        return sum(self.switches(task, program.pid) for task in tasks)

    def test_cores_counts_within_the_affinity_mask(self):
        last = max(os.sched_getaffinity(0))
        url = self.directory().url

        def only_the_last():
            os.sched_setaffinity(0, {last})

        program = self.start(url, cores=1, preexec=only_the_last)
        self.assertEqual(list(self.pinned(program)), [last])
        words = ("serve", "--check", "--cache-url", url, "--cores", "2")
        self.assertEqual(run(*words, preexec=only_the_last).code, 2)
