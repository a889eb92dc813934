"""Every answer is its own request's, every request has one answer, no call is made twice.

The short form of tests/identity/run: some 30,000 calls over two cores, through functions that delay,
close, reset, truncate, answer twice or out of the blue. FNKIT_IDENTITY_SEED repeats a run.
"""

import os
import random
import re
import subprocess
import sys
import unittest

from support import settings
from support.case import two_cores

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "identity", "run")
CALLS = 30_000
CALLERS_SECONDS_MAX = 25


class Identity(unittest.TestCase):
    def test_every_answer_is_its_own_requests(self):
        seed = os.environ.get("FNKIT_IDENTITY_SEED") or random.SystemRandom().getrandbits(32)
        last, totals, said = self.play(
            "--binary", settings.binary, "--calls", str(CALLS), "--seed", str(seed),
            "--cores", str(two_cores()), "--seconds-max", str(CALLERS_SECONDS_MAX),
            "--", "--pipelining-wait", "20ms")
        self.assertRegex(
            last, rf"^seed={seed} .*\bwrong=0 unanswered=0 unasked=0 doubled=0 late=0\b", said)
        # What it is about has happened.
        for what in ("ok", "left", "failed_500", "failed_502", "out_of_turn", "shared"):
            found = re.search(rf"\b{what}=(\d+)", totals)
            self.assertGreater(int(found[1]) if found else 0, 0, f"no {what}: {said}")

    def play(self, *words):
        """The last two lines, last first, and the end of all that it said."""
        run = subprocess.Popen([sys.executable, RUN, *words], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said, _ = run.communicate()
        finally:
            run.terminate()  # its own children end with it
            run.wait()
        self.assertEqual(run.returncode, 0, said[-3000:])
        lines = said.splitlines()
        return lines[-1], lines[-2], said[-3000:]
