"""CONTRACT section 4: random changes of every kind, one after another, against a model.

The short form of tests/soak/store_changes.
"""

import os
import random

from support.case import Case
from support.random_changes import Setting
from support.store_case import with_both_servers

CHANGES = 400
# Fewer do on a slow machine.
SECONDS_MAX = 6
CHANGES_MIN = 40
# Half of them; a machine busy with other tests makes the slowest ones later than promised.
P50_MS_MAX = 50


class RandomChangesBase(Case):
    kind = None

    def test_every_answer_is_right_and_changes_are_in_force_soon(self):
        seed = int(os.environ.get("FNKIT_SEED") or random.SystemRandom().getrandbits(32))
        setting = Setting(self.kind)
        self.addCleanup(setting.close)
        try:
            player = setting.play(CHANGES, seed, SECONDS_MAX)
        except AssertionError as wrong:
            raise AssertionError(f"FNKIT_SEED={seed}: {wrong}") from wrong
        self.assertGreaterEqual(player.played, CHANGES_MIN, f"FNKIT_SEED={seed}")
        self.assertLessEqual(player.latencies.part(0.5), P50_MS_MAX, f"FNKIT_SEED={seed}")


with_both_servers(RandomChangesBase)
del RandomChangesBase
