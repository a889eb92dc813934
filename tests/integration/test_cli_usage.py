"""CONTRACT section 1: exit codes, help, version, the names the program may be called by, the demo."""

import errno
import json
import os
import re
import resource
import signal
import subprocess
import tempfile

from support import client, seccomp, settings
from support.case import Case
from support.process import clean_environment, complain_of_sanitizers
from support.program import Program, parse_address, run
from support.store import StoreServer, config, free_port
from support.waiting import eventually

COMMANDS = ("serve", "add", "ls", "list", "show", "remove", "rm", "check", "demo", "version")

# Flag → spellings of its default that --help may use.
FLAGS = {
    "listen": ("127.0.0.1:3000",),
    "admin-listen": (),
    "cache-url": ("redis://fnkit-cache:6379",),
    "cores": (),
    "step-url": ("http://{step}:8080",),
    "resolve": (),
    "auth-token-file": (),
    "target-max": ("8KiB", "8192"),
    "head-max": ("16KiB", "16384"),
    "header-lines-max": ("100",),
    "body-max": ("16MiB", "16777216"),
    "answer-max": ("64MiB", "67108864"),
    "merged-max": ("64MiB", "67108864"),
    "head-timeout": ("10s",),
    "body-timeout": ("30s",),
    "idle-timeout": ("75s",),
    "write-timeout": ("30s",),
    "connections-max": ("16Ki", "16384"),
    "requests-max": ("4096",),
    "connect-timeout": ("5s",),
    "step-timeout": ("30s",),
    "pipeline-timeout": ("60s", "1m"),
    "drain-timeout": ("30s",),
    "refresh-interval": ("30s",),
    "forward-header": (),
    "on-disconnect": ("cancel",),
}
ENVIRONMENT = {"cache-url": "CACHE_URL", "auth-token-file": "FNKIT_AUTH_TOKEN"}


def environment_name(flag):
    return ENVIRONMENT.get(flag, "FNKIT_" + flag.upper().replace("-", "_"))


class ExitCodes(Case):
    def check_usage(self, *words, naming="", env=None):
        finished = run(*words, env=env)
        self.assertEqual(finished.code, 2, f"{words}: {finished}")
        self.assertIn(naming, finished.stderr)
        self.assertTrue(finished.stderr.strip(), "wrong usage, and nothing on stderr")

    def test_2_for_an_unknown_command(self):
        self.check_usage("frobnicate", naming="frobnicate")

    def test_2_for_an_unknown_flag(self):
        needed = {"add": ("p", "--steps", "a"), "show": ("p",), "remove": ("p",), "rm": ("p",), "check": ("f",)}
        for command in COMMANDS:
            words = (command, *needed.get(command, ()), "--frobnicate")
            self.check_usage(*words, naming="--frobnicate")

    def test_2_for_missing_arguments(self):
        self.check_usage("add")
        self.check_usage("add", "p")
        for command in ("show", "remove", "rm", "check"):
            self.check_usage(command)

    def test_2_for_a_mode_that_is_none(self):
        self.check_usage("add", "p", "--steps", "a", "--mode", "diagonal", naming="diagonal")

    def test_2_for_a_bad_cache_url_of_a_command(self):
        for url in ("http://x:1", "fnkit-cache:6379", "redis://", "redis://h:99999", "file://", "redis://h/x"):
            finished = run("ls", "--cache-url", url)
            self.assertEqual(finished.code, 2, f"{url}: {finished}")

    def test_1_for_a_store_that_refuses_the_connection(self):
        port = self.refusing_address().rpartition(":")[2]
        for words in (("ls",), ("show", "p"), ("rm", "p"), ("add", "p", "--steps", "a")):
            finished = run(*words, env={"CACHE_URL": f"redis://127.0.0.1:{port}"})
            self.assertEqual(finished.code, 1, finished)
            self.assertEqual(len(finished.stderr.strip().splitlines()), 1, f"one line: {finished}")
            self.assertIn(f"127.0.0.1:{port}", finished.stderr)
            self.assertEqual(finished.stdout, "")

    def test_1_for_a_store_directory_that_is_not_there(self):
        finished = run("ls", env={"CACHE_URL": "file:///nonexistent/pipelines"})
        self.assertEqual(finished.code, 1, finished)
        self.assertIn("/nonexistent/pipelines", finished.stderr)

    def test_0_when_done(self):
        self.assertEqual(run("ls", env={"CACHE_URL": self.directory().url}).code, 0)


class Help(Case):
    def test_help_everywhere(self):
        for words in ((), *((command,) for command in COMMANDS)):
            finished = run(*words, "--help")
            self.assertEqual(finished.code, 0, f"{words}: {finished}")
            self.assertIn("--help", finished.stdout)
            self.assertEqual(finished.stderr, "")

    def test_version_everywhere(self):
        said = run("--version")
        self.assertEqual(said.code, 0, said)
        self.assertRegex(said.stdout, r"\d+\.\d+")
        for command in COMMANDS:
            finished = run(command, "--version")
            self.assertEqual((finished.code, finished.stdout), (0, said.stdout), command)

    def test_help_names_every_command(self):
        said = run("--help").stdout
        for command in COMMANDS:
            self.assertRegex(said, rf"\b{command}\b")

    def test_serve_help_names_every_flag_environment_and_default(self):
        text = run("serve", "--help").stdout
        missing = []
        for flag, spellings in FLAGS.items():
            found = re.search(rf"--{flag}\b(.*?)(?=\n\s*(?:-\w,\s*)?--[a-z]|\Z)", text, re.S)
            if not found:
                missing.append(f"--{flag}")
                continue
            told = re.sub(r"\s+", "", found[1])
            if environment_name(flag) not in text:
                missing.append(f"{environment_name(flag)} of --{flag}")
            if spellings and not any(spelling in told for spelling in spellings):
                missing.append(f"default {spellings[0]} of --{flag}")
        self.assertEqual(missing, [], text)
        self.assertIn("--check", text)

    def test_version_alone_and_verbose(self):
        self.assertEqual(run("version").stdout, run("--version").stdout)
        told = run("version", "--verbose")
        self.assertEqual((told.code, told.stderr), (0, ""))
        lines = dict(line.partition(": ")[::2] for line in told.stdout.splitlines()[1:])
        self.assertRegex(lines["revision"], r"^([0-9a-f]{7,}|.*-g[0-9a-f]{7,}|unknown)(-dirty)?$")
        self.assertRegex(lines["compiler"], r"^(gcc|clang) \d+\.")
        self.assertRegex(lines["libraries"], r"liburing \d.*llhttp \d+\.\d+\.\d+, c-ares \d.*CLI11 \d")
        self.assertIn(os.uname().release, lines["kernel"])
        self.assertIn("SINGLE_ISSUER DEFER_TASKRUN", lines["io_uring flags"])
        self.assertIn("NODROP", lines["io_uring features"])

    def test_help_of_add_and_ls_names_their_flags(self):
        said = run("add", "--help").stdout
        for word in ("--steps", "--mode", "--file", "sequential", "parallel", "--cache-url"):
            self.assertIn(word, said)
        self.assertIn("--json", run("ls", "--help").stdout)


class Names(Case):
    """`fnkit gateway orchestrate …`: the documented commands work verbatim."""

    PROCESS_ORDER = (
        "gateway orchestrate add process-order --steps validate-order,charge-payment,send-email "
        "--mode sequential"
    ).split()
    STORED = {"mode": "sequential", "steps": ["validate-order", "charge-payment", "send-email"]}

    def check(self, binary, server):
        env = {"CACHE_URL": server.url}
        finished = run(*self.PROCESS_ORDER, env=env, binary=binary)
        self.assertEqual(finished.code, 0, finished)
        self.assertEqual(json.loads(server.get("process-order")), self.STORED)
        listed = run("gateway", "orchestrate", "ls", env=env, binary=binary)
        self.assertEqual(listed.code, 0, listed)
        self.assertRegex(listed.stdout, r"process-order.*sequential.*validate-order.*charge-payment")
        removed = run("gateway", "orchestrate", "remove", "process-order", env=env, binary=binary)
        self.assertEqual(removed.code, 0, removed)

    def test_gateway_orchestrate_of_fnkit_orchestrator(self):
        server = StoreServer().start()
        self.addCleanup(server.close)
        self.check(settings.binary, server)
        self.assertIsNone(server.get("process-order"))

    def test_gateway_orchestrate_through_a_link_named_fnkit(self):
        with tempfile.TemporaryDirectory() as place:
            link = os.path.join(place, "fnkit")
            os.symlink(settings.binary, link)
            server = StoreServer().start()
            self.addCleanup(server.close)
            self.check(link, server)
            self.assertIsNone(server.get("process-order"))

    def test_gateway_orchestrate_help(self):
        self.assertEqual(run("gateway", "orchestrate", "--help").code, 0)
        self.assertEqual(run("gateway", "orchestrate", "add", "--help").code, 0)

    def test_gateway_orchestrate_of_nothing_known_is_wrong_usage(self):
        self.assertEqual(run("gateway", "orchestrate", "frobnicate").code, 2)
        self.assertEqual(run("gateway", "frobnicate").code, 2)


class Demo(Case):
    """`demo`: the main job with nothing else installed; prints the curl lines to try."""

    def test_demo_once_runs_the_job_and_ends(self):
        finished = run("demo", "--once", "--listen", "127.0.0.1:0")
        self.assertEqual(finished.code, 0, finished)
        self.assertRegex(finished.stdout, r"curl .*/orchestrate/")

    def test_demo_prints_curl_lines_that_work(self):
        program = Program("--listen", "127.0.0.1:0", command=("demo",))
        self.addCleanup(program.kill)
        pattern = r"curl .*http://([\w.]+:\d+)(/orchestrate/[^\s'\"]+)"
        eventually(lambda: re.search(pattern, program.output), 10.0, "a curl line")
        for host, target in sorted(set(re.findall(pattern, program.output))):
            json_body = [("content-type", "application/json")]
            answer = client.call(parse_address(host.replace("localhost", "127.0.0.1")), "POST", target, json_body, b"{}")
            self.assertEqual(answer.status, 200, f"{target}: {answer}")
        program.stop()

    def test_demo_needs_no_store(self):
        env = {"CACHE_URL": f"redis://127.0.0.1:{free_port()}"}
        self.assertEqual(run("demo", "--once", "--listen", "127.0.0.1:0", env=env).code, 0)


class ForbiddingMachines(Case):
    """Exit code 78: the machine forbids io_uring. One plain sentence says which knob it was."""

    def check(self, preexec, said, code=78):
        url = self.directory({"p": config("a")}).url
        finished = run("serve", "--listen", "127.0.0.1:0", "--cache-url", url, "--cores", "1", preexec=preexec)
        self.assertEqual(finished.code, code, finished)
        self.assertRegex(finished.stderr, said)
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        self.assertNotRegex(finished.stderr, r"\blistening\b", "it was half up")

    def test_78_where_seccomp_forbids_one_of_its_calls(self):
        for call in seccomp.IO_URING:
            for number, said in ((errno.EPERM, f"seccomp filter.* forbids {call}"),
                                 (errno.ENOSYS, f"too old for {call}.* seccomp filter")):
                with self.subTest(call=call, errno=number):
                    self.check(seccomp.forbid(call, number), said)

    def test_1_where_descriptors_are_too_few(self):
        for limit in (16, 63):
            with self.subTest(limit=limit):
                self.check(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
                           f"the limit of open files is {limit}.*ulimit -n", code=1)


class Output(Case):
    def test_a_closed_stdout_is_no_crash(self):
        store = self.directory({f"p{n}": config("a") for n in range(2000)})
        reader, writer = os.pipe()
        os.close(reader)
        words = [settings.binary, "ls", "--cache-url", store.url]
        done = subprocess.run(
            words, stdout=writer, stderr=subprocess.PIPE, env=clean_environment(), timeout=20
        )
        os.close(writer)
        complain_of_sanitizers(done.stderr.decode(), "ls")
        self.assertNotIn(done.returncode, (-signal.SIGSEGV, -signal.SIGABRT))
