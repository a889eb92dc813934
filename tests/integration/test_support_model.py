"""The model of a store, by which random changes are judged, tells right answers from wrong ones."""

import random
import unittest

from support.observer import GONE, INVALID, meaning
from support.store_kinds import Changes
from support.store_model import NOT_A_STRING, Effect, Model, Value, Wrong, good
from support.waiting import now

CORES = 2
BAD = Value("{", None)


class ModelOfAStore(unittest.TestCase):
    def setUp(self):
        self.model = Model(["p", "q"], CORES)
        self.model.begin([Effect("p", good("v1"))])
        self.model.begin([])

    def judge(self, core, answer, name="p"):
        self.model.judge(core, name, now(), answer)

    def change(self, *values, not_before=0.0):
        return self.model.begin([Effect("p", value, not_before) for value in values])[0]

    def test_before_and_after_are_right_and_nothing_else(self):
        name = self.change(good("v2"))
        self.judge(0, "v1")
        self.judge(0, "v2")
        for wrong in (GONE, INVALID, "v3", "502 b'x'"):
            with self.assertRaises(Wrong):
                self.judge(1, wrong)
        self.assertIsNone(name.right_since(), "the other core was not asked")
        self.judge(1, "v2")
        self.assertLessEqual(name.right_since(), now())

    def test_what_was_before_does_not_come_back(self):
        self.change(good("v2"))
        self.judge(0, "v2")
        self.judge(1, "v1")
        with self.assertRaises(Wrong):
            self.judge(0, "v1")

    def test_once_in_force_only_that_is_right(self):
        self.change(good("v2"))
        self.model.begin([])
        self.judge(0, "v2")
        with self.assertRaises(Wrong):
            self.judge(1, "v1")

    def test_in_a_burst_those_between_are_right_in_their_order(self):
        name = self.change(good("v2"), None, good("v3"))
        self.judge(0, GONE)
        with self.assertRaises(Wrong):
            self.judge(0, "v2")
        for core in range(CORES):
            self.judge(core, "v3")
        self.assertIsNotNone(name.right_since())

    def test_an_invalid_value_keeps_the_last_good_one(self):
        for value in (BAD, NOT_A_STRING):
            self.change(value)
            self.judge(0, "v1")
            with self.assertRaises(Wrong):
                self.judge(0, INVALID)
        self.change(None)
        self.change(BAD)
        self.judge(0, INVALID)

    def test_nothing_expires_before_its_time(self):
        self.change(None, not_before=now() + 60)
        with self.assertRaises(Wrong):
            self.judge(0, GONE)

    def test_an_answer_says_who_gave_it(self):
        self.assertEqual(meaning(200, b'{"service_ns":1,"echo":null,"target":"/v7/"}'), "v7")
        self.assertEqual(meaning(404, b'{"error":"Pipeline not found: p"}'), GONE)
        self.assertEqual(meaning(500, b'{"error":"Pipeline config invalid: p","detail":"x"}'), INVALID)
        for status, body in ((404, b'{"error":"Not found"}'), (200, b"v7"), (502, b"{}"), (200, b"[]")):
            self.assertTrue(meaning(status, body).startswith(str(status)))


class FakeStore:
    """Enough of a server to prepare changes with."""

    def __call__(self, *words):
        return b"used_memory:100000\r\n" if words[0] == "INFO" else b"dump"


class RandomChanges(unittest.TestCase):
    def test_every_change_can_be_judged_and_all_kinds_come(self):
        model = Model(["p", "q", "r"], CORES)
        changes = Changes(random.Random(1), model, FakeStore())
        kinds = set()
        for _ in range(5000):
            change = changes.next()
            kinds.add(change.kind)
            model.begin(change.effects)
        self.assertGreaterEqual(len(kinds), 30, sorted(kinds))
