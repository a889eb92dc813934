"""Section 3: a name that resolves to an address no function may have is not called.

The names stand in a hosts file of the program's own: a private mount namespace gives it an /etc
of its own, which needs root (as CI has it). Where forbidden addresses are asked for, a network
namespace without any interface makes sure that a broken program reaches nobody either.
"""

import ctypes
import pathlib
import tempfile

from support.case import Case, config

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

FORBIDDEN = {
    "linklocal": "169.254.10.10",
    "metadata": "169.254.169.254",
    "multicast": "224.0.0.5",
    "unspecified": "0.0.0.0",
    "linklocal6": "fe80::1",
    "multicast6": "ff02::1",
    "unspecified6": "::",
    "mapped": "::ffff:169.254.1.1",
}


def with_own_etc(hosts, namespaces=CLONE_NEWNS):
    """For preexec: /etc holds nothing but this hosts file, for this process alone."""
    libc = ctypes.CDLL(None, use_errno=True)

    def must(result):
        if result != 0:
            raise OSError(ctypes.get_errno(), "a private /etc needs root")

    def enter():
        must(libc.unshare(namespaces))
        must(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
        must(libc.mount(b"tmpfs", b"/etc", b"tmpfs", 0, None))
        pathlib.Path("/etc/hosts").write_text(hosts)

    return enter


class Names(Case):
    def test_a_name_in_the_hosts_file_is_called(self):
        made = self.function("f")
        program = self.start(
            self.directory({"fine": config("fine")}).url,
            "--step-url", f"http://{{step}}:{made.port}",
            preexec=with_own_etc("127.0.0.1 fine\n"),
        )
        answer = program.call("GET", "/orchestrate/fine")
        self.assertEqual((answer.status, answer.body), (200, b'{"from":"f"}'))

    def test_forbidden_addresses_are_not_called(self):
        hosts = "".join(f"{address} {name}\n" for name, address in FORBIDDEN.items())
        folder = tempfile.TemporaryDirectory(prefix="fnkit-names-")
        self.addCleanup(folder.cleanup)
        program = self.start(
            self.directory({name: config(name) for name in FORBIDDEN}).url,
            listen=(f"unix:{folder.name}/s",),
            preexec=with_own_etc(hosts, CLONE_NEWNS | CLONE_NEWNET),
        )
        for name in FORBIDDEN:
            answer = program.call("GET", f"/orchestrate/{name}")
            detail = self.assert_step_failed(answer, 502, name)
            self.assertIn("no function may have", detail, name)

    def test_a_forbidden_address_given_by_resolve_is_not_called(self):
        made = self.function("f")
        program = self.start(
            self.directory({"one": config("a")}).url, resolve={"a": f"0.0.0.0:{made.port}"}
        )
        self.assert_step_failed(program.call("GET", "/orchestrate/one"), 502, "a")
        self.assertEqual(made.requests, [])
