"""CONTRACT section 1, settings: flag, then environment, then default; what cannot be is refused."""

import os
import re
import socket
import tempfile

from support import client
from support.case import Case
from support.cases import expand, rows
from support.dns import DnsServer
from support.program import run, serve
from support.store import config

DURATIONS = (
    "pipelining-wait", "step-idle-timeout", "head-timeout", "body-timeout", "idle-timeout", "write-timeout", "connect-timeout",
    "step-timeout", "pipeline-timeout", "drain-timeout", "refresh-interval",
)
SIZES = ("target-max", "head-max", "body-max", "answer-max", "merged-max", "held-max")
COUNTS = (
    "header-lines-max", "connections-max", "requests-max", "cores", "pipelining-depth",
    "step-connections-max", "step-waiting-max",
)

# A value that cannot be, for each setting.
IMPOSSIBLE = {
    **{flag: ("5x", "abc", "-1s", "5 parsecs", "1s2") for flag in DURATIONS},
    **{flag: ("5x", "abc", "-1", "16KiBs", "1.5.5") for flag in SIZES},
    **{flag: ("abc", "-1", "1x") for flag in COUNTS},
    "listen": ("127.0.0.1:99999", "127.0.0.1", "nonsense", "1.2.3.4.5:80", "[::1:80", "127.0.0.1:-1"),
    "admin-listen": ("127.0.0.1:99999", "nonsense"),
    "cache-url": ("http://h:1", "nonsense", "redis://h:99999", "redis://h/db", "unix://", "file://"),
    "step-url": ("nonsense", "https://{step}:8080", "http://{stpe}:8080", "http://{step}:99999"),
    "resolve": ("a", "a=", "=127.0.0.1:80", "a=127.0.0.1", "a=127.0.0.1:99999", "a b=127.0.0.1:1"),
    "dns-server": ("127.0.0.1", "ns.example:53", ":53", "127.0.0.1:0", "unix:/s", "::1:53"),
    "on-disconnect": ("explode",),
    "forward-header": ("bad header", "x:y"),
}


def environment_name(flag):
    return "CACHE_URL" if flag == "cache-url" else "FNKIT_" + flag.upper().replace("-", "_")


@expand
class Grammar(Case):
    """`serve --check` validates all of them and exits.

    Times, sizes and counts name the bad value; a cache URL may hold a password and need not.
    """

    def check(self, *words, env=None):
        settings = {"CACHE_URL": "file:///tmp", **(env or {})}
        return run("serve", "--check", *words, env=settings)

    def test_check_of_the_defaults(self):
        self.assertEqual(self.check().code, 0)

    def test_check_asks_nobody(self):
        # As with `nginx -t`: a taken port may be the running server's, and the store is not connected to.
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"redis://{self.refusing_address()}"
        finished = self.check("--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--cache-url", url)
        self.assertEqual(finished.code, 0, finished)

    @rows({flag: (flag, values) for flag, values in IMPOSSIBLE.items()})
    def test_2_naming_the_flag_and_value(self, flag, values):
        for value in values:
            finished = self.check(f"--{flag}={value}")
            self.assertEqual(finished.code, 2, f"--{flag}={value}: {finished}")
            self.assertIn(f"--{flag}", finished.stderr)
            if flag in DURATIONS + SIZES + COUNTS:
                self.assertIn(value, finished.stderr)

    @rows({flag: (flag, values[0]) for flag, values in IMPOSSIBLE.items()})
    def test_2_naming_the_value_in_the_environment_of(self, flag, value):
        finished = self.check(env={environment_name(flag): value})
        self.assertEqual(finished.code, 2, f"{environment_name(flag)}={value}: {finished}")
        self.assertIn(environment_name(flag), finished.stderr)
        if flag in DURATIONS + SIZES + COUNTS:
            self.assertIn(value, finished.stderr)

    def test_durations_as_the_contract_writes_them(self):
        for flag in DURATIONS:
            for value in ("500ms", "30s", "2m", "7"):
                finished = self.check(f"--{flag}={value}")
                self.assertEqual(finished.code, 0, f"--{flag}={value}: {finished}")

    def test_sizes_as_the_contract_writes_them(self):
        for flag in SIZES:
            for value in ("16KiB", "64MiB", "20000"):
                finished = self.check(f"--{flag}={value}")
                self.assertEqual(finished.code, 0, f"--{flag}={value}: {finished}")

    def test_listen_forms(self):
        for value in ("127.0.0.1:3000", "0.0.0.0:80", "[::]:3000", "[::1]:0", "unix:/tmp/x.sock"):
            finished = self.check(f"--listen={value}")
            self.assertEqual(finished.code, 0, f"{value}: {finished}")

    def test_cache_url_forms(self):
        for value in (
            "redis://h", "redis://h:1", "redis://h:1/2", "redis://user@h", "redis://user:pass@h:1/15",
            "redis://:pass@h", "valkey://h:1/0", "valkey://u:p@h", "redis://[::1]:6379",
            "unix:///run/x.sock", "unix:///run/x.sock?db=3", "file:///var/lib/pipelines",
        ):
            finished = run("serve", "--print-config", f"--cache-url={value}")  # --check would look for it
            self.assertEqual(finished.code, 0, f"{value}: {finished}")

    def test_on_disconnect_forms(self):
        for value in ("cancel", "finish"):
            self.assertEqual(self.check(f"--on-disconnect={value}").code, 0)

    def test_more_cores_than_there_are(self):
        count = len(os.sched_getaffinity(0)) + 1
        finished = self.check("--cores", str(count))
        self.assertEqual(finished.code, 2, finished)
        self.assertIn(str(count), finished.stderr)

    def test_no_cores(self):
        self.assertEqual(self.check("--cores", "0").code, 2)

    def test_as_many_cores_as_there_are(self):
        count = len(os.sched_getaffinity(0))
        self.assertEqual(self.check("--cores", str(count)).code, 0)


class Machine(Case):
    """`serve --check` looks whether this machine can serve by the settings."""

    def check(self, *words, **variables):
        return run("serve", "--check", "--listen=127.0.0.1:0", *words,
                   env={"CACHE_URL": "file:///tmp", **variables})

    def refused(self, *words, says):
        finished = self.check(*words)
        self.assertEqual((finished.code, finished.stdout), (1, ""), finished)
        self.assertIn(says, finished.stderr)

    def test_a_taken_port_is_told(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        for flag in ("--listen", "--admin-listen"):
            finished = self.check(flag, address)
            self.assertEqual(finished.code, 0, finished)
            self.assertIn(f"Note: cannot listen on {address}: Address already in use", finished.stdout)

    def test_an_address_that_is_not_this_machines(self):
        self.refused("--listen=192.0.2.1:80", says="cannot listen on 192.0.2.1:80: Cannot assign requested address")

    def test_a_socket_where_none_can_be(self):
        self.refused("--listen=unix:/nowhere/s", says="cannot listen on unix:/nowhere/s")

    def test_a_socket_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as directory:
            self.assertEqual(self.check(f"--listen=unix:{directory}/s").code, 0)
            self.assertEqual(os.listdir(directory), [])

    def test_a_store_that_is_not_there(self):
        self.refused("--cache-url=file:///nowhere", says="--cache-url: /nowhere: No such file or directory")
        self.refused("--cache-url=unix:///nowhere/s", says="--cache-url: /nowhere/s: No such file or directory")
        self.refused("--cache-url=unix:///tmp", says="--cache-url: /tmp is no socket")
        self.refused("--cache-url=file:///dev/null", says="--cache-url: /dev/null is no directory")

    def test_a_store_whose_name_nobody_knows(self):
        dns = DnsServer([("127.0.0.1", "valkey.test")])
        self.addCleanup(dns.close)
        dns_server = f"--dns-server={dns.address}"
        self.refused(dns_server, "--cache-url=redis://none.test", says="cannot resolve 'none.test'")
        self.assertEqual(self.check(dns_server, "--cache-url=redis://valkey.test").code, 0)
        sentinels = "--cache-url=redis+sentinel://none.test,valkey.test/primary"
        self.assertEqual(self.check(dns_server, sentinels).code, 0)


class PrintConfig(Case):
    """`serve --print-config` prints each setting in force, as the flag that says it, and who has said it."""

    def lines(self, *words, env=None):
        printed = run("serve", "--print-config", *words, env={"CACHE_URL": "file:///tmp", **(env or {})})
        self.assertEqual((printed.code, printed.stderr), (0, ""))
        return printed.stdout.splitlines()

    def test_every_setting_stands_there(self):
        flags = set(re.findall(r"^ +(--[a-z-]+)", run("serve", "--help").stdout, re.MULTILINE))
        flags -= {"--help", "--version", "--check", "--print-config"}
        printed = [re.match(r"(?:# )?(--[a-z-]+)", line) for line in self.lines()]
        self.assertEqual({match[1] for match in printed if match}, flags)

    def test_who_has_said_it(self):
        lines = self.lines("--step-timeout", "7s", "--forward-header", "x-a", "--forward-header", "x-b",
                           env={"FNKIT_LISTEN": "127.0.0.1:1,127.0.0.1:2"})
        for line in ("--step-timeout=7s  # flag", "--forward-header=x-a  # flag", "--forward-header=x-b  # flag",
                     "--listen=127.0.0.1:1  # FNKIT_LISTEN", "--listen=127.0.0.1:2  # FNKIT_LISTEN",
                     "--cache-url=file:///tmp  # CACHE_URL", "--drain-timeout=30s  # default",
                     "# --admin-listen is not set", "# FNKIT_AUTH_TOKEN is not set"):
            self.assertIn(line, lines)

    def test_what_is_printed_can_be_said_again(self):
        words = [line.partition("  # ")[0] for line in self.lines("--resolve", "a=unix:/s") if line.startswith("--")]
        again = self.lines(*words)
        self.assertEqual([line.partition("  # ")[0] for line in again if line.startswith("--")], words)

    def test_no_secret_is_shown(self):
        secret = "s3cr3t-word"
        lines = self.lines(env={"CACHE_URL": f"redis://me:{secret}@cache:6379/2", "FNKIT_AUTH_TOKEN": secret})
        self.assertIn("--cache-url=redis://***@cache:6379/2  # CACHE_URL", lines)
        self.assertIn("# FNKIT_AUTH_TOKEN is set", lines)
        self.assertNotIn(secret, "\n".join(lines))

    def test_what_cannot_be_is_refused_as_ever(self):
        refused = run("serve", "--print-config", "--step-timeout", "5x", env={"CACHE_URL": "file:///tmp"})
        self.assertEqual((refused.code, refused.stdout), (2, ""))
        self.assertIn("--step-timeout: '5x'", refused.stderr)


class Precedence(Case):
    """Seen from outside: which of two body limits, addresses or stores is in force."""

    def body_max_is(self, program, limit):
        def status(size):
            headers = [("Content-Length", str(size))]
            with client.Client(program.address) as caller:
                caller.send_request("POST", "/orchestrate/empty", headers)
                if size <= limit:
                    caller.send(b"x" * size)
                return caller.answer().status

        self.assertEqual((status(limit), status(limit + 1)), (400, 413), "400 is: has no steps")

    def start_with(self, *words, env=None):
        store = self.directory({"empty": config()})
        return self.start(store.url, *words, env=env)

    def test_environment_before_default(self):
        self.body_max_is(self.start_with(env={"FNKIT_BODY_MAX": "100"}), 100)

    def test_flag_before_environment(self):
        self.body_max_is(self.start_with("--body-max", "1KiB", env={"FNKIT_BODY_MAX": "100"}), 1024)

    def test_listen_flag_before_environment(self):
        unused = os.path.join(self.directory().path, "unused.sock")
        program = self.start_with(env={"FNKIT_LISTEN": f"unix:{unused}"})
        self.assertEqual(len(program.addresses(1)), 1)
        self.assertFalse(os.path.exists(unused))

    def test_cache_url_environment(self):
        store = self.directory({"empty": config()})
        program = self.start(None, env={"CACHE_URL": store.url})
        self.assertEqual(program.call("GET", "/orchestrate/empty").status, 400)

    def test_cores_environment(self):
        program = self.start(self.directory().url, cores=None, env={"FNKIT_CORES": "1"})
        self.assertEqual(program.call("GET", "/livez").status, 200)

    def test_resolve_environment_is_comma_separated(self):
        functions = [self.function("a"), self.function("b")]
        value = ",".join(f"{made.name}={made.address}" for made in functions)
        store = self.directory({"two": config("a", "b")})
        program = self.start(store.url, env={"FNKIT_RESOLVE": value})
        self.assertEqual(program.call("GET", "/orchestrate/two").body, b'{"from":"b"}')

    def test_step_url_environment(self):
        made = self.function("a")
        store = self.directory({"one": config("a")})
        env = {"FNKIT_STEP_URL": "http://{step}.internal:9000"}
        program = self.start(store.url, resolve={"a": made.address}, env=env)
        self.assertEqual(program.call("GET", "/orchestrate/one").status, 200)
        self.assertEqual(made.only_request().header("host"), "a.internal:9000")

    def test_forward_header_environment(self):
        made = self.function("a")
        store = self.directory({"one": config("a")})
        program = self.start(store.url, resolve={"a": made.address}, env={"FNKIT_FORWARD_HEADER": "x-tenant"})
        program.call("GET", "/orchestrate/one", [("X-Tenant", "t1")])
        self.assertEqual(made.only_request().header("x-tenant"), "t1")


class Refusals(Case):
    """What only shows when it is tried: exit 1, the reason on stderr."""

    def refused(self, program, code, naming):
        self.addCleanup(program.kill)
        self.assertEqual(program.wait(), code, program.stderr)
        self.assertIn(naming, program.stderr)

    def test_a_busy_port(self):
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        self.refused(serve(self.directory().url, listen=(address,)), 1, address)

    def test_a_port_on_which_another_one_of_us_serves(self):
        # SO_REUSEPORT must not let a second instance take half of the connections by mistake.
        store = self.directory()
        host, port = self.start(store.url).address
        self.refused(serve(store.url, listen=(f"{host}:{port}",)), 1, f"{host}:{port}")

    def test_an_address_that_is_not_ours(self):
        # 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
        self.refused(serve(self.directory().url, listen=("192.0.2.1:0",)), 1, "192.0.2.1")

    def test_a_token_file_that_cannot_be_read(self):
        for path in ("/nonexistent/tokens", "/"):
            program = serve(self.directory().url, "--auth-token-file", path)
            self.addCleanup(program.kill)
            self.assertIn(program.wait(), (1, 2), program.stderr)
            self.assertIn(path, program.stderr)

    def test_a_bad_cache_url(self):
        self.refused(serve("redis://u:pw-said@h:99999"), 2, "cache-url")
        self.assertNotIn("pw-said", run("serve", "--cache-url", "redis://u:pw-said@h:99999").output)

    def test_more_cores_than_there_are(self):
        count = len(os.sched_getaffinity(0)) + 1
        self.refused(serve(self.directory().url, cores=count), 2, str(count))

    def test_a_unix_socket_where_no_directory_is(self):
        path = "/nonexistent/directory/s.sock"
        self.refused(serve(self.directory().url, listen=(f"unix:{path}",)), 1, path)
