"""Random changes of a store, of every kind that clients make and of some that only servers do."""

from typing import Callable, NamedTuple, Optional

from support.observer import GONE
from support.store import PREFIX, config
from support.store_model import NOT_A_STRING, Effect, Value, good
from support.waiting import now

ASIDE = "prepared"
TTL_MS = (5, 80)
# A server's clock is read once a turn of its loop: a key may go that much before its time.
CLOCK_COARSENESS = 0.003
EVICTION_POLICIES = ("allkeys-lru", "allkeys-lfu", "allkeys-random")


class Change(NamedTuple):
    kind: str
    commands: list
    effects: list = []
    # From the replies to the effects, where only the server knows them.
    settle: Optional[Callable] = None
    # This name's key goes by itself, after the replies.
    until_gone: Optional[str] = None


def key(name):
    return PREFIX + name


class Changes:
    """next() yields one; `store` prepares what some of them need, outside of what is followed."""

    def __init__(self, random, model, store):
        self._random, self._model, self._store = random, model, store
        self._values, self._steps = {}, 0
        self._kinds, self._weights = zip(*(
            (self._set, 16), (self._set_otherwise, 8), (self._mset, 7), (self._delete, 7),
            (self._take_away, 5), (self._expiry, 5), (self._rename, 6), (self._rename_in, 5),
            (self._rename_out, 4), (self._copy, 6), (self._copy_in, 3), (self._restore, 5),
            (self._flush, 1), (self._invalid, 6), (self._wrong_type, 5), (self._burst, 6),
            (self._elsewhere, 6), (self._move, 2), (self._transaction, 4), (self._eviction, 2),
            (self._volley, 6)))
        self._plain = (self._set, self._set_otherwise, self._mset, self._delete, self._take_away,
                       self._rename, self._rename_in, self._rename_out, self._copy, self._copy_in,
                       self._restore, self._flush, self._burst, self._move, self._transaction)

    def next(self):
        while True:
            self._values = self._model.values()  # of the names that exist
            made = self._random.choices(self._kinds, self._weights)[0]()
            if made is not None:
                return made

    def _any(self):
        return self._random.choice(list(self._model.names))

    def _some(self, names):
        return self._random.sample(names, self._random.randint(1, min(4, len(names))))

    def _present(self):
        return self._random.choice(list(self._values)) if self._values else None

    def _value(self):
        self._steps += 1
        return good(f"v{self._steps}")

    def _set(self):
        name, value = self._any(), self._value()
        kind = "SET" if name in self._values else "SET new"
        return Change(kind, [("SET", key(name), value.text)], [Effect(name, value)])

    def _set_otherwise(self):
        name, value = self._any(), self._value()
        word = self._random.choice(["GETSET", "SETNX", "EVAL", "APPEND"])
        if word == "EVAL":
            commands = [("EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", 1, key(name), value.text)]
        elif word == "APPEND":
            half = len(value.text) // 2
            commands = [("SET", ASIDE, value.text[:half]), ("APPEND", ASIDE, value.text[half:]),
                        ("RENAME", ASIDE, key(name))]
        elif word == "SETNX" and name in self._values:
            return Change("SETNX of a known name", [(word, key(name), value.text)])
        elif word == "GETSET" and self._values.get(name) == NOT_A_STRING:
            return None  # the server refuses it
        else:
            commands = [(word, key(name), value.text)]
        return Change(word, commands, [Effect(name, value)])

    def _mset(self):
        effects = [Effect(name, self._value()) for name in self._some(list(self._model.names))]
        words = [word for each in effects for word in (key(each.name), each.value.text)]
        return Change("MSET", [("MSET", *words)], effects)

    def _delete(self):
        names = self._some(list(self._model.names))
        return Change("DEL", [("DEL", *map(key, names))], [Effect(name, None) for name in names])

    def _take_away(self):
        name = self._present()
        word = self._random.choice(["UNLINK", "GETDEL"])
        if name is None or word == "GETDEL" and self._values[name].text is None:
            return None
        return Change(word, [(word, key(name))], [Effect(name, None)])

    def _expiry(self):
        ttl = self._random.randint(*TTL_MS)
        not_before = now() + ttl / 1000 - CLOCK_COARSENESS
        name, value = self._any(), self._value()
        present = name in self._values
        if present and self._random.random() < 0.5:
            return Change("PEXPIRE", [("PEXPIRE", key(name), ttl)],
                          [Effect(name, None, not_before)], until_gone=name)
        if not present:
            return None  # gone, there, and gone again: which of the two is seen nobody can tell
        return Change("SET PX", [("SET", key(name), value.text, "PX", ttl)],
                      [Effect(name, value), Effect(name, None, not_before)], until_gone=name)

    def _rename(self):
        source, target = self._present(), self._any()
        if source is None or source == target:
            return None
        value = self._values[source]
        return Change("RENAME", [("RENAME", key(source), key(target))],
                      [Effect(source, None), Effect(target, value)])

    def _rename_in(self):
        name, value = self._any(), self._value()
        return Change("RENAME from elsewhere",
                      [("SET", ASIDE, value.text), ("RENAME", ASIDE, key(name))], [Effect(name, value)])

    def _rename_out(self):
        name = self._present()
        if name is None:
            return None
        return Change("RENAME to elsewhere", [("RENAME", key(name), "parked")], [Effect(name, None)])

    def _copy(self):
        source, target = self._present(), self._any()
        if source is None or source == target:
            return None
        return Change("COPY", [("COPY", key(source), key(target), "REPLACE")],
                      [Effect(target, self._values[source])])

    def _copy_in(self):
        name, value = self._any(), self._value()
        return Change("COPY from elsewhere",
                      [("SET", ASIDE, value.text), ("COPY", ASIDE, key(name), "REPLACE")],
                      [Effect(name, value)])

    def _restore(self):
        name, value = self._any(), self._value()
        self._store("SET", ASIDE, value.text)
        return Change("RESTORE", [("RESTORE", key(name), 0, self._store("DUMP", ASIDE), "REPLACE")],
                      [Effect(name, value)])

    def _flush(self):
        words = self._random.choice([("FLUSHALL",), ("FLUSHDB",), ("FLUSHALL", "ASYNC")])
        return Change(" ".join(words), [words], [Effect(name, None) for name in self._values])

    def _invalid(self):
        name = self._any()
        text = self._random.choice(["{", "", '{"mode":"diagonal","steps":["a"]}', "null",
                                    '{"steps":["127.0.0.1"]}', config("a")[:-1]])
        return Change("invalid JSON", [("SET", key(name), text)], [Effect(name, Value(text, None))])

    def _wrong_type(self):
        name = self._any()
        commands = [("DEL", ASIDE), ("RPUSH", ASIDE, "x"), ("RENAME", ASIDE, key(name))]
        if self._random.random() < 0.5:
            commands = [("MULTI",), ("DEL", key(name)), ("HSET", key(name), "x", "y"), ("EXEC",)]
        return Change("wrong type", commands, [Effect(name, NOT_A_STRING)])

    def _burst(self):
        """On one name; a DEL only in the midst of it, so that no state comes twice."""
        name, count = self._any(), self._random.randint(5, 60)
        effects = [Effect(name, self._value()) for _ in range(count)]
        if name in self._values and self._random.random() < 0.5:
            effects[self._random.randrange(count - 1)] = Effect(name, None)
        commands = [("DEL", key(name)) if each.value is None else ("SET", key(name), each.value.text)
                    for each in effects]
        return Change("burst", commands, effects)

    def _volley(self):
        """Changes of many kinds, none of which waits for the one before. Only such as leave no doubt:
        no state of a name comes twice, and whether an invalid value came in time to keep a good one
        in force nobody could tell."""
        commands, effects = [], []
        states = {name: [each.state] for name, each in self._model.names.items()}
        for _ in range(self._random.randint(3, 30)):
            change = self._random.choice(self._plain)()
            if change is None or not all(self._is_clear(states, each) for each in change.effects):
                continue
            commands += change.commands
            effects += change.effects
            for effect in change.effects:
                states[effect.name].append(self._state(effect.value))
                self._values[effect.name] = effect.value
                if effect.value is None:
                    del self._values[effect.name]
        return Change("volley", commands, effects) if commands else None

    @staticmethod
    def _state(value):
        return GONE if value is None else value.step

    def _is_clear(self, states, effect):
        if effect.value is not None and not effect.value.good:
            return False
        state = self._state(effect.value)
        return state == states[effect.name][-1] or state not in states[effect.name]

    def _elsewhere(self):
        name, text = self._any(), self._value().text
        other = str(self._random.randrange(50))
        return Change("elsewhere", self._random.choice([
            [("SET", f"other:{other}", "x" * 500)],
            [("SET", "fnkit:pipelines", text), ("SET", "fnkit:pipeline", text), ("SET", name, text)],
            [("SELECT", 1), ("SET", key(name), text), ("SELECT", 0)],
            [("SELECT", 1), ("FLUSHDB",), ("SELECT", 0)],
            [("MULTI",), ("SET", key(name), text), ("DISCARD",)],
            [("MSET", *(word for number in range(100) for word in (f"other:{number}", "y")))]]))

    def _move(self):
        name = self._present()
        if name is None:
            return None
        return Change("MOVE", [("SELECT", 1), ("DEL", key(name)), ("SELECT", 0),
                               ("MOVE", key(name), 1)], [Effect(name, None)])

    def _transaction(self):
        effects = [Effect(name, self._value() if self._random.random() < 0.7 else None)
                   for name in self._some(list(self._model.names))]
        commands = [("DEL", key(each.name)) if each.value is None else
                    ("SET", key(each.name), each.value.text) for each in effects]
        return Change("MULTI", [("MULTI",), *commands, ("EXEC",)], effects)

    def _eviction(self):
        """The server is short of memory for a moment: some of its keys go, it chooses which."""
        names = list(self._values)
        if not names:
            return None
        self._store("MSET", *(word for number in range(200) for word in (f"other:{number}", "x" * 500)))
        memory = self._store("INFO", "memory").decode()
        used = int(memory.partition("used_memory:")[2].split()[0])
        commands = [("CONFIG", "SET", "maxmemory-policy", self._random.choice(EVICTION_POLICIES)),
                    ("CONFIG", "SET", "maxmemory", used - self._random.randrange(2_000, 60_000)),
                    ("PING",), ("CONFIG", "SET", "maxmemory", 0),
                    *(("EXISTS", key(name)) for name in names)]

        def settle(replies):
            exists = replies[-len(names):]
            return [Effect(name, None) for name, there in zip(names, exists) if not there]

        return Change("eviction", commands, settle=settle)
