"""CONTRACT section 1 and 4: file:///dir, a directory of <name>.json files, watched for changes."""

import os
import shutil

from support import answers
from support.case import two_cores
from support.program import run
from support.store import config
from support.store_case import CONNECTIONS, StoreCase

ONE, TWO = config("one"), config("two")


class Directory(StoreCase):
    def setUp(self):
        self.fn = {name: self.function(name, answers.text(name)) for name in ("one", "two")}
        self.store = self.directory({"p": ONE, "q": ONE})
        self.program = self.start(
            self.store.url, "--refresh-interval", "1h", cores=two_cores(),
            resolve={name: made.address for name, made in self.fn.items()},
        )
        self.callers = [self.connect(self.program.address) for _ in range(CONNECTIONS)]
        self.runs("p", "one")

    def test_create(self):
        self.gone("new")
        self.store.write_in_place("new", TWO)
        self.runs("new", "two")

    def test_atomic_replace(self):
        self.store.set("p", TWO)
        self.runs("p", "two")
        for value, function in ((ONE, "one"), (TWO, "two")) * 3:
            self.store.set("p", value)
            self.runs("p", function)

    def test_write_in_place(self):
        self.store.write_in_place("p", TWO)
        self.runs("p", "two")

    def test_delete(self):
        self.store.remove("p")
        self.gone("p")
        self.runs("q", "one")

    def test_rename_within(self):
        self.store.set("p", TWO)
        self.runs("p", "two")
        os.rename(self.store.file("p"), self.store.file("moved"))
        self.gone("p")
        self.runs("moved", "two")

    def test_moved_away(self):
        other = self.directory()
        os.rename(self.store.file("p"), other.file("p"))
        self.gone("p")

    def test_a_half_written_file_keeps_the_last_good_one(self):
        with open(self.store.file("p"), "w", encoding="utf-8") as out:
            out.write(TWO[: len(TWO) // 2])
            out.flush()
            self.store.set("q", TWO)
            self.runs("q", "two")
            self.runs("p", "one")
            out.write(TWO[len(TWO) // 2 :])
        self.runs("p", "two")

    def test_an_empty_file_keeps_the_last_good_one(self):
        self.store.write_in_place("p", "")
        self.store.set("q", TWO)
        self.runs("q", "two")
        self.runs("p", "one")

    def test_an_invalid_new_file_is_500(self):
        self.store.set("bad", "{")
        self.in_force("bad", 500, b"")
        self.store.set("bad", TWO)
        self.runs("bad", "two")

    def test_other_files_are_ignored(self):
        for name in ("p.json.tmp", "x.txt", ".hidden", "p.json~", "readme"):
            with open(os.path.join(self.store.path, name), "w", encoding="utf-8") as out:
                out.write(TWO)
        os.mkdir(os.path.join(self.store.path, "directory.json"))
        self.store.set("q", TWO)
        self.runs("q", "two")
        self.runs("p", "one")
        for name in ("x", "x.txt", "readme", ".hidden"):
            self.gone(name)

    def test_a_symbolic_link_to_a_file(self):
        # As Kubernetes mounts config maps.
        other = self.directory({"real": TWO})
        os.symlink(other.file("real"), self.store.file("linked"))
        self.runs("linked", "two")

    def test_many_files_at_once(self):
        for number in range(500):
            self.store.set(f"many{number}", TWO)
        self.runs("many499", "two", deadline=3.0)
        for number in range(500):
            self.store.remove(f"many{number}")
        self.gone("many0", deadline=3.0)
        self.gone("many499", deadline=3.0)

    def test_a_directory_that_is_gone_keeps_what_was_known(self):
        aside = self.store.path + ".aside"
        os.rename(self.store.path, aside)
        self.addCleanup(shutil.rmtree, aside, True)
        for caller in self.callers:
            self.assertEqual(caller.call("GET", "/livez").status, 200)
        self.runs("p", "one")

    def test_the_commands_of_section_1_change_it_live(self):
        env = {"CACHE_URL": self.store.url}
        self.assertEqual(run("add", "made", "--steps", "one,two", env=env).code, 0)
        self.runs("made", "two")
        self.assertEqual(run("rm", "made", env=env).code, 0)
        self.gone("made")
