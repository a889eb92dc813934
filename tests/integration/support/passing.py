"""The program with sockets that are passed to it, as systemd's socket activation does (sd_listen_fds(3))."""

import sys

from support.program import Program

# Becomes the program behind its words, with descriptors from 3 on.
PASS = """
import os, sys
given = list(map(int, sys.argv[1].split(",")))
for number, descriptor in enumerate(given):
    os.dup2(descriptor, 100 + number)
    os.close(descriptor)
for number in range(len(given)):
    os.dup2(100 + number, 3 + number)
    os.close(100 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)), LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


def passed_to(sockets, *arguments, names="", cores=1, **more):
    """`serve` on `sockets`; `names` are LISTEN_FDNAMES. Does not wait."""
    descriptors = [each.fileno() for each in sockets]
    before = (sys.executable, "-c", PASS, ",".join(map(str, descriptors)), names)
    return Program("--cores", str(cores), *arguments, before=before, pass_fds=descriptors, **more)
