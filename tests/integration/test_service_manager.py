"""What a service manager is told (sd_notify(3)): ready, how it goes, signs of life, reload and end."""

import ctypes
import os
import signal
import socket
import tempfile

from support.case import Case, two_cores
from support.client import call
from support.passing import passed_to
from support.program import run
from support.waiting import eventually

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WATCHDOG = 0.4


class Manager:
    """The socket at which a process tells of itself, and what it told, line by line."""

    def __init__(self, abstract=False):
        self._directory = tempfile.TemporaryDirectory(prefix="fnkit-")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = os.path.join(self._directory.name, "notify")
        self._socket.bind("\0" + name if abstract else name)
        self._socket.setblocking(False)
        self.variable = "@" + name if abstract else name
        self._told = []
        self._kept = []  # (name, socket)
        self.barriers = []  # descriptors of those who wait until all that they told is done

    @property
    def told(self):
        while True:
            try:
                bytes_, descriptors, _, _ = socket.recv_fds(self._socket, 65536, 8)
            except BlockingIOError:
                return self._told
            lines = bytes_.decode().splitlines()
            self._told += lines
            if lines[0] == "BARRIER=1":
                self.barriers += descriptors
                continue
            for each in descriptors:
                assert lines[0] == "FDSTORE=1" and lines[1].startswith("FDNAME="), lines
                self._kept.append((lines[1].removeprefix("FDNAME="), socket.socket(fileno=each)))

    def wait_for_kept(self, count):
        """(name, listener) of so many that it was given."""
        return eventually(lambda: self.told is not None and len(self._kept) == count and list(self._kept),
                          10, f"{count} listeners to keep")

    def forget(self):
        self.told.clear()

    def wait_for(self, beginning, deadline=10.0):
        """The first line that begins so."""
        return eventually(lambda: next((line for line in self.told if line.startswith(beginning)), None),
                          deadline, f"{beginning} being told; it was told {self._told}")

    def end_barriers(self):
        while self.barriers:
            os.close(self.barriers.pop())

    def close(self):
        for _, each in self._kept:
            each.close()
        self.end_barriers()
        self._socket.close()
        self._directory.cleanup()


class StoppedThread:
    """One thread of a process stands still in the `with` block."""

    def __init__(self, process, name):
        threads = f"/proc/{process}/task"
        self._id = next(int(task) for task in os.listdir(threads)
                        if open(f"{threads}/{task}/comm").read().strip() == name)
        self._ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        self._ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self._ptrace.restype = ctypes.c_long

    def _ask(self, what):
        if self._ptrace(what, self._id, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self._ask(PTRACE_SEIZE)
        self._ask(PTRACE_INTERRUPT)
        os.waitpid(self._id, 0x40000000)  # __WALL
        return self

    def __exit__(self, *_):
        self._ask(PTRACE_DETACH)


class Told(Case):
    def manager(self, **how):
        made = Manager(**how)
        self.addCleanup(made.close)
        return made

    def started(self, manager, url, *arguments, **variables):
        variables["NOTIFY_SOCKET"] = manager.variable
        return self.start(url, *arguments, ready=False, env=variables)

    def test_ready_with_the_pipelines_loaded(self):
        manager = self.manager()
        self.started(manager, self.directory({"p": '{"steps":["a"]}', "q": '{"steps":[]}'}).url)
        manager.wait_for("READY=1")
        self.assertEqual(manager.wait_for("STATUS="),
                         "STATUS=ready: 1 cores, store followed by inotify, 2 pipelines, 0 requests/s")

    def test_an_abstract_socket(self):
        manager = self.manager(abstract=True)
        self.started(manager, self.directory().url)
        manager.wait_for("READY=1")

    def test_ready_without_a_store_once_it_was_looked_for(self):
        manager = self.manager()
        self.started(manager, "redis://127.0.0.1:1")
        manager.wait_for("READY=1")
        self.assertIn("store away", manager.wait_for("STATUS="))

    def test_the_end_and_how_long_it_may_take(self):
        manager = self.manager()
        program = self.started(manager, self.directory().url, "--drain-timeout", "7s")
        manager.wait_for("READY=1")
        program.stop()
        self.assertLess(manager.told.index("READY=1"), manager.told.index("STOPPING=1"))
        self.assertIn("EXTEND_TIMEOUT_USEC=12000000", manager.told)

    def test_a_reload_has_a_beginning_and_an_end(self):
        manager = self.manager()
        program = self.started(manager, self.directory().url)
        manager.wait_for("READY=1")
        manager.forget()
        program.send_signal(signal.SIGHUP)
        manager.wait_for("READY=1")
        told = manager.told
        begin = told.index("RELOADING=1")
        self.assertTrue(told[begin + 1].startswith("MONOTONIC_USEC="))
        self.assertLess(begin, told.index("READY=1"))

    def test_a_reload_before_it_is_ready_does_not_say_that_it_is(self):
        manager, silent = self.manager(), socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        with tempfile.NamedTemporaryFile("w") as tokens:
            print("token", file=tokens, flush=True)
            program = self.started(manager, "redis://127.0.0.1:%d" % silent.getsockname()[1],
                                   "--auth-token-file", tokens.name)
            program.wait_for_line("listening")
            program.send_signal(signal.SIGHUP)
            program.wait_for_line("tokens reloaded")
        self.assertEqual(manager.told, [])

    def test_signs_of_life_while_every_core_turns(self):
        manager = self.manager()
        cores = two_cores()
        program = self.start(self.directory().url, cores=cores, ready=False, env={
            "NOTIFY_SOCKET": manager.variable, "WATCHDOG_USEC": str(int(WATCHDOG * 1e6))})
        manager.wait_for("READY=1")
        eventually(lambda: manager.told.count("WATCHDOG=1") >= 3, 10, "signs of life of an idle program")
        with StoppedThread(program.pid, f"worker/{cores - 1}"):
            self.wait_for_looks(manager, 2)  # one may have been under way
            manager.forget()
            self.wait_for_looks(manager, 4)
            self.assertNotIn("WATCHDOG=1", manager.told)
        manager.wait_for("WATCHDOG=1")

    @staticmethod
    def wait_for_looks(manager, count):
        """With each look its status is told."""
        before = sum(line.startswith("STATUS=") for line in manager.told)
        eventually(lambda: sum(line.startswith("STATUS=") for line in manager.told) >= before + count, 10, "looks")

    def test_no_signs_of_life_for_another_process(self):
        manager = self.manager()
        self.started(manager, self.directory().url, WATCHDOG_USEC="100000", WATCHDOG_PID="1")
        manager.wait_for("READY=1")
        self.wait_for_looks(manager, 2)
        self.assertNotIn("WATCHDOG=1", manager.told)

    def test_nobody_at_the_socket(self):
        for variable in ("/nowhere/notify", "relative", "@", "/" + "x" * 200, ""):
            program = self.start(self.directory().url, env={"NOTIFY_SOCKET": variable, "WATCHDOG_USEC": "nonsense"})
            self.assertEqual(program.call("GET", "/livez").status, 200, variable)

    def test_commands_tell_nothing(self):
        manager = self.manager()
        finished = run("ls", env={"CACHE_URL": self.directory().url, "NOTIFY_SOCKET": manager.variable})
        self.assertEqual((finished.code, manager.told), (0, []))


class Kept(Case):
    """Listeners are given to the manager, who passes them to the next process."""

    def manager(self):
        made = Manager()
        self.addCleanup(made.close)
        return made

    def started(self, manager, *arguments, kept=(), gives_up=(), cores=1, **more):
        """`gives_up`: what the manager closes when it is told to; before that it ends no barrier."""
        env = {"NOTIFY_SOCKET": manager.variable}
        url = self.directory().url
        if not kept:
            return self.start(url, *arguments, cores=cores, ready=False, env=env, **more)
        names = ":".join(name for name, _ in kept)
        program = passed_to([each for _, each in kept], "--cache-url", url, *arguments,
                            names=names, cores=cores, env=env)
        self.addCleanup(program.kill)
        if gives_up:
            manager.wait_for("FDSTOREREMOVE=1")
            manager.wait_for("BARRIER=1")
            for _, each in gives_up:
                each.close()
            manager.end_barriers()
        return program.wait_until_ready()

    def ended_with_a_caller_in_between(self, program, manager):
        """What was kept, behind whom a caller waits who came when nobody was there."""
        kept = manager.wait_for_kept(1)
        address = program.address
        program.stop()
        caller = self.connect(address)
        caller.send(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        return kept, address, caller

    def test_who_calls_between_two_processes_is_answered_by_the_next(self):
        manager = self.manager()
        kept, address, caller = self.ended_with_a_caller_in_between(self.started(manager), manager)
        following = self.started(manager, "--listen", "%s:%d" % address, kept=kept)
        self.assertEqual(caller.answer().status, 200)
        self.assertEqual(following.address, address)

    def test_they_are_kept_under_their_address(self):
        manager = self.manager()
        program = self.started(manager)
        manager.wait_for_kept(1)
        self.assertIn("FDNAME=kept-127.0.0.1-%d" % program.address[1], manager.told)

    def test_each_cores_is_kept_and_every_one_is_listened_on(self):
        cores = two_cores()
        manager = self.manager()
        program = self.started(manager, cores=cores)
        kept = manager.wait_for_kept(cores)
        address = program.address
        program.stop()
        following = self.started(manager, "--listen", "%s:%d" % address, kept=kept)  # on one core
        for _ in range(20):
            self.assertEqual(following.call("GET", "/livez").status, 200)

    def test_an_address_that_is_no_longer_listened_on_is_given_up(self):
        manager = self.manager()
        program = self.started(manager)
        kept = manager.wait_for_kept(1)
        before = program.address
        program.stop()
        manager.forget()
        following = self.started(manager, "--listen", "127.0.0.1:0", kept=kept, gives_up=kept)
        self.assertIn("FDNAME=" + kept[0][0], manager.told)
        self.assertNotEqual(following.address, before)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(before, 5)

    def test_sockets_that_were_passed_come_before_kept_ones_and_are_not_kept(self):
        manager = self.manager()
        kept, address, caller = self.ended_with_a_caller_in_between(self.started(manager), manager)
        passed = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(passed.close)
        manager.forget()
        following = self.started(manager, "--listen", "%s:%d" % address, kept=[("some", passed), *kept],
                                 gives_up=kept)
        self.assertEqual(following.address, passed.getsockname())
        self.assertNotIn("FDSTORE=1", manager.told)
        caller.close()

    def test_an_address_that_takes_in_the_one_that_is_given_up(self):
        manager = self.manager()
        program = self.started(manager)
        kept = manager.wait_for_kept(1)
        port = program.address[1]
        program.stop()
        manager.forget()
        following = self.started(manager, "--listen", f"0.0.0.0:{port}", kept=kept, gives_up=kept)
        self.assertEqual(following.address[1], port)
