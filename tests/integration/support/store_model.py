"""What a store holds, and what each core may answer while changes are on their way to it."""

from typing import NamedTuple, Optional

from support.observer import GONE, INVALID
from support.store import PREFIX, config
from support.waiting import now


class Wrong(AssertionError):
    """A core answered with what is neither the state before a change nor one after it."""


class Value(NamedTuple):
    """What a key holds: a pipeline of one step, or something that is none."""

    text: Optional[str]  # None: it is not even a string
    step: Optional[str]  # None: it is no valid pipeline

    @property
    def good(self):
        return self.step is not None


def good(step):
    return Value(config(step), step)


NOT_A_STRING = Value(None, None)


class Effect(NamedTuple):
    """A name has this value (None: it is gone), at that moment at the earliest."""

    name: str
    value: Optional[Value]
    not_before: float = 0.0


class Name:
    """States of one name, oldest first, and which of them each core was seen in.

    An invalid value over a good one is no new state: the last good one stays in force.
    """

    def __init__(self, name, cores):
        self.name = name
        self.value = None
        self.states = [GONE]
        self._earliest = [0.0]
        self._seen = [0] * cores
        self._right_since = [0.0] * cores

    @property
    def state(self):
        return self.states[-1]

    def begin(self):
        """Everything until now is in force: from now on only the last state and new ones are right."""
        del self.states[:-1], self._earliest[:-1]
        self._seen = [0] * len(self._seen)

    def change(self, value, not_before=0.0):
        self.value = value
        if value is None:
            state = GONE
        elif value.good:
            state = value.step
        else:
            state = INVALID if self.state == GONE else self.state
        if state == self.state:
            return
        if state in self.states:
            raise ValueError(f"the test lets {self.name} be {state} twice, which cannot be judged")
        self.states.append(state)
        self._earliest.append(not_before)
        self._right_since = [None] * len(self._right_since)

    def changes(self):
        return len(self.states) > 1

    def judge(self, core, sent, answer):
        seen = self._seen[core]
        if answer not in self.states[seen:]:
            raise Wrong(f"core {core} answered for {self.name}: {answer}, after {self.states[seen]}; "
                        f"right is only one of {self.states[seen:]}")
        at = self.states.index(answer, seen)
        if now() < self._earliest[at]:
            raise Wrong(f"core {core} answered for {self.name} {answer} too early")
        self._seen[core] = at
        if at == len(self.states) - 1 and self._right_since[core] is None:
            self._right_since[core] = sent

    def is_right_on(self, core):
        return self._right_since[core] is not None

    def right_since(self):
        """From then on requests were answered by the last state on all cores; None: not yet."""
        return None if None in self._right_since else max(self._right_since)


class Model:
    def __init__(self, names, cores):
        self.names = {name: Name(name, cores) for name in names}

    def values(self):
        """Of the names that exist."""
        return {each.name: each.value for each in self.names.values() if each.value is not None}

    def begin(self, effects):
        """The names concerned; afterwards answers of before and after are right, in that order."""
        for each in self.names.values():
            each.begin()
        for effect in effects:
            self.names[effect.name].change(effect.value, effect.not_before)
        return [self.names[name] for name in {effect.name: None for effect in effects}]

    def judge(self, core, name, sent, answer):
        self.names[name].judge(core, sent, answer)

    def compare_with(self, store):
        """Wrong where the server itself disagrees with this model: the test would prove nothing."""
        for each in self.names.values():
            key = PREFIX + each.name
            kind = store("TYPE", key)
            found = store("GET", key) if kind == "string" else None
            text = None if each.value is None or each.value.text is None else each.value.text.encode()
            exists = each.value is not None
            if found != text or exists != (kind != "none"):
                raise Wrong(f"the server holds {kind} {found} as {each.name}, the model {each.value}")
