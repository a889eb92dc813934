"""The base of tests of faults: one function that has them, and another that must not notice."""

from support import answers
from support.case import Case
from support.store import config
from support.waiting import QUICK, tries


class FaultCase(Case):
    """`a` is what the test makes of it, `b` stands for all others."""

    def served(self, address, *arguments, **pipelines):
        self.b = self.function("b", answers.text("b"))
        store = self.directory({"one": config("a"), "other": config("b"), "two": config("b", "a"), **pipelines})
        self.program = self.start(store.url, *arguments, resolve={"a": address, "b": self.b.address})

    def get(self):
        return self.program.call("POST", "/orchestrate/one", body=b"{}")

    def others_are_well(self):
        for clock in tries(QUICK):
            with clock:
                answer = self.program.call("POST", "/orchestrate/other", body=b"{}")
            self.assertEqual((answer.status, answer.body), (200, b"b"))

    def send_many(self, count, pipeline="one"):
        """Calls that wait, each on its own connection."""
        callers = [self.connect(self.program.address) for _ in range(count)]
        for caller in callers:
            caller.send_request("POST", f"/orchestrate/{pipeline}", body=b"{}")
        return callers
