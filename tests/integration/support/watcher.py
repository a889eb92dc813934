"""Asks a program's cores for names of a model all the time, and judges every answer."""

import random

from support.observer import Observer
from support.store_model import Effect, Model, Wrong
from support.waiting import now

# Between two requests to a core while nothing is on its way.
QUIET_INTERVAL = 0.001
ANSWER_MAX = 5.0


class Watcher:
    """A change is in force from the sending of the first request that each core answered by its new
    state: as a core is asked again when it has answered, never before it was so, and up to one
    request after."""

    def __init__(self, program, names, cores, seed=None):
        self.random = random.Random(seed)
        self.names = list(names)
        self.model = Model(names, cores)
        self.observer = Observer(program, cores, self.model.judge)
        self._cores = cores

    def begin(self, values):
        """What was in the store when the program began."""
        self.model.begin([Effect(name, value) for name, value in values.items()])
        self.model.begin([])

    def until_right(self, names, since, seconds_max):
        """When the last of them was in force everywhere."""
        def all_right():
            return all(name.right_since() is not None for name in names)

        while not all_right() and now() <= since + seconds_max:
            self.ask_about(names)
            self.observer.turn(ANSWER_MAX)
        if not all_right():
            # Whoever was only slow in answering is asked once more, now that it is too late to change.
            self.ask_everything([name.name for name in names])
        if not all_right():
            late = [f"{each.name} as {each.state}" for each in names if each.right_since() is None]
            raise Wrong(f"not in force after {seconds_max} s: {', '.join(late)}")
        return max((name.right_since() for name in names), default=since)

    def ask_about(self, names):
        """Each core that may be asked: about what it was not yet seen right in, else anything."""
        for core in self.observer.idle():
            late = [name.name for name in names if not name.is_right_on(core)]
            self.observer.ask(core, self.random.choice(late or self.names))

    def all_idle(self):
        """Waits for all answers; the numbers of the cores."""
        while len(self.observer.idle()) < self._cores:
            self.observer.turn(ANSWER_MAX)
        return self.observer.idle()

    def ask_everything(self, names=None):
        """Every core about every name."""
        for name in names or self.names:
            for core in self.all_idle():
                self.observer.ask(core, name)
        self.all_idle()

    def pause(self, seconds, interval=QUIET_INTERVAL):
        """Cores are asked about anything, at a slower pace."""
        until = now() + seconds
        while now() < until:
            for core in self.observer.idle():
                if now() >= self.observer.last_asked(core) + interval:
                    self.observer.ask(core, self.random.choice(self.names))
            self.observer.turn(min(interval / 2, until - now()))

    def close(self):
        self.observer.close()
