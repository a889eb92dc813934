"""CONTRACT section 5, pipelining: no call waits for a slow one with which it shares a connection.

The function takes 50 µs and 100 ms in turn, so what its last calls took says little about the next.
tests/soak/alternating measures the same for longer, and against the 0.5 ms of the contract.
"""

from support.case import Case
from support.waits import WaitMeasurement

TIMES_US = (50, 100_000)
# Sharing begins when a function has answered well for some time.
WARM_UP_SECONDS, SECONDS = 2.5, 3.0
# A machine that is busy delays calls by some milliseconds, of both programs. Behind a slow call a
# call waits up to 100 ms.
MORE_MS_MAX = {"slow": 20.0, "fast": 10.0}
LOAD = {"slow_callers": 40, "fast_callers": 4, "slow_pause_us": 5000}


class PipeliningWait(Case):
    def test_a_call_does_not_wait_for_a_slow_one(self):
        programs = {"alone": ["--pipelining-depth", "1"], "shared": []}
        measurement = WaitMeasurement(programs, TIMES_US)
        self.addCleanup(measurement.close)
        measurement.run(WARM_UP_SECONDS, **LOAD)
        waits = measurement.run(SECONDS, **LOAD)
        measurement.stop()
        self.assertEqual(measurement.complaints[:2000], "")
        for seen in waits.values():
            self.assertTrue(seen.good(), waits)
        for function, more_max in MORE_MS_MAX.items():
            alone, shared = waits["alone", function], waits["shared", function]
            self.assertLessEqual(shared.p99, 2 * alone.p99 + more_max, f"{function}: {waits}")
