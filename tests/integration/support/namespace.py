"""A program in a network of its own, where its connections can be counted.

It is reached through a unix socket. Sockets of ours get into its network by a helper process.
"""

import ctypes
import os
import socket
import struct
import tempfile

from support.program import serve

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def _checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _enter(libc):
    """In the child, before the program: the namespace and its loopback."""
    flags = CLONE_NEWNET
    if os.geteuid() != 0:
        flags |= CLONE_NEWUSER
    _checked(libc.unshare(flags), "a network of its own")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH22x", b"lo", IFF_UP)
        import fcntl

        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


class Enclosed:
    """`case.enclosed(…)`: a program, and what is asked of its network."""

    def __init__(self, case, cache_url, *arguments, resolve=None):
        directory = tempfile.TemporaryDirectory(prefix="fnkit-net-")
        case.addCleanup(directory.cleanup)
        libc = ctypes.CDLL(None, use_errno=True)
        self.program = serve(
            cache_url, *arguments, resolve=resolve, listen=(f"unix:{directory.name}/s",),
            preexec=lambda: _enter(libc),
        )
        case.addCleanup(self.program.kill)
        self.program.wait_until_ready()

    def connects(self):
        """How many connections have been tried in there since it began; all are the program's."""
        with open(f"/proc/{self.program.pid}/net/snmp", encoding="ascii") as counters:
            names, values = [line.split() for line in counters if line.startswith("Tcp:")]
        return int(values[names.index("ActiveOpens")])
