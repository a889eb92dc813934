"""What can happen to a store, for a program that is under load meanwhile and for its watcher.

Each outage is a function of a Scene: it makes things happen and says when the store had returned.
"""

import os
import shutil
from typing import NamedTuple

from support.store import PREFIX, StoreServer
from support.store_model import Effect, good
from support.waiting import eventually, now

# Called all the time, and the same in all data.
LOAD = {"load-one": '{"steps":["a"]}', "load-three": '{"steps":["a","b","c"]}',
        "load-all": '{"mode":"parallel","steps":["a","b","c"]}'}
BEFORE = {"kept": good("kept"), "changed": good("v0"), "old": good("old")}
NAMES = ("kept", "changed", "old", "new")


class Returned(NamedTuple):
    """`names` have the states of before until they have those of now, at most a second after `at`.

    `changed` is when the last change was made, where that was earlier."""

    at: float
    names: list
    changed: float


def words_of(values):
    texts = {**LOAD, **{name: value.text for name, value in values.items()}}
    return [word for name, text in texts.items() for word in (PREFIX + name, text)]


def connections_of_the_program(db):
    """{"reader": id, "subscriber": id}: the one that tracks keys and the one that is told of them."""
    def look():
        lines = db("CLIENT", "LIST").decode().splitlines()
        clients = [dict(word.partition("=")[::2] for word in line.split()) for line in lines]
        found = {"subscriber" if "P" in each["flags"] else "reader": each["id"]
                 for each in clients if set(each["flags"]) & set("Pt")}
        return found if len(found) == 2 else None

    return eventually(look, 5.0, "the program having a reader and a subscriber")


class Scene:
    """`store` is a StoreServer, `sentinels` a Replicated or None."""

    def __init__(self, store, watcher, sentinels=None):
        self.store, self.watcher, self.sentinels = store, watcher, sentinels
        self._steps = 0

    def change(self, db):
        """One more change, by SET; names that are to be right."""
        self._steps += 1
        value = good(f"v{self._steps}")
        names = self.watcher.model.begin([Effect("changed", value)])
        db("SET", PREFIX + "changed", value.text)
        return names

    def put_aside(self, values):
        """The data with which the server begins when it is started the next time."""
        other = StoreServer(self.store.kind)
        try:
            other.start().client()("MSET", *words_of(values))
            other.client()("SAVE")
            shutil.copy(os.path.join(other.directory, "dump.rdb"), self.store.directory)
        finally:
            other.close()


def killed(seconds):
    """kill -9, and back with the same data."""
    def outage(scene):
        scene.put_aside({**BEFORE, "changed": scene.watcher.model.names["changed"].value})
        scene.store.kill()
        scene.watcher.pause(seconds)
        scene.store.start()
        at = now()
        return Returned(at, scene.change(scene.store.client()), at)
    return outage


def restarted_with_other_data(seconds):
    def outage(scene):
        data = {"kept": BEFORE["kept"], "changed": good("other"), "new": good("new")}
        scene.put_aside(data)
        scene.store.kill()
        scene.watcher.pause(seconds)
        names = scene.watcher.model.begin([Effect("changed", data["changed"]), Effect("old", None),
                                           Effect("new", data["new"])])
        scene.store.start()
        at = now()
        return Returned(at, names, at)
    return outage


def stopped(seconds):
    """SIGSTOP, and SIGCONT."""
    def outage(scene):
        db = scene.store.client()
        scene.store.freeze()
        scene.watcher.pause(seconds)
        at = now()
        scene.store.thaw()
        return Returned(at, scene.change(db), at)
    return outage


def cut(*which):
    """CLIENT KILL of the reader, the subscriber or both; the server itself never goes."""
    def outage(scene):
        db = scene.store.client()
        ours = connections_of_the_program(db)
        for each in which:
            db("CLIENT", "KILL", "ID", ours[each])
        at = now()
        return Returned(at, scene.change(db), at)
    return outage


def failed_over(how):
    """`how` is a method of Replicated. The change is made as soon as the new primary takes it; it has
    returned when the Sentinels say so: earlier nobody can know."""
    def outage(scene):
        replicas = scene.sentinels
        scene.store = getattr(replicas, how)()
        names = scene.change(replicas.client(scene.store))
        changed = now()

        def named():
            return all(each.primary_port() == scene.store.port for each in replicas.sentinels)

        eventually(named, 20.0, "all sentinels naming the new primary", 0.002)
        return Returned(now(), names, changed)
    return outage
