"""CONTRACT section 1, the commands that manage pipelines, over a directory and over a real store."""

import json
import os

from support.case import Case
from support.program import run
from support.store import PREFIX, StoreServer, config


class OverDirectory(Case):
    """add, ls, list, show, remove, rm and check do not care which store it is; this one is quick."""

    def setUp(self):
        self.store = self.directory()

    def command(self, *words, stdin=""):
        return run(*words, env={"CACHE_URL": self.store.url}, stdin=stdin)

    def done(self, *words, stdin=""):
        finished = self.command(*words, stdin=stdin)
        self.assertEqual(finished.code, 0, finished)
        return finished

    def refused(self, *words, codes=(1,), naming="", stdin=""):
        finished = self.command(*words, stdin=stdin)
        self.assertIn(finished.code, codes, finished)
        self.assertIn(naming, finished.stderr, f"the reason on stderr does not name {naming!r}")
        self.assertTrue(finished.stderr.strip(), "no reason on stderr")
        return finished

    def stored(self, name):
        return json.loads(self.store.get(name))

    # add

    def test_add_stores_a_sequential_pipeline(self):
        self.done("add", "p", "--steps", "a,b,c", "--mode", "sequential")
        self.assertEqual(self.stored("p"), {"mode": "sequential", "steps": ["a", "b", "c"]})

    def test_add_stores_a_parallel_pipeline(self):
        self.done("add", "p", "--steps", "a,b", "--mode", "parallel")
        self.assertEqual(self.stored("p"), {"mode": "parallel", "steps": ["a", "b"]})

    def test_add_without_mode_is_sequential(self):
        self.done("add", "p", "--steps", "a")
        self.assertEqual(self.stored("p").get("mode", "sequential"), "sequential")

    def test_add_again_replaces(self):
        self.done("add", "p", "--steps", "a")
        self.done("add", "p", "--steps", "b", "--mode", "parallel")
        self.assertEqual(self.stored("p"), {"mode": "parallel", "steps": ["b"]})

    def test_add_takes_the_cache_url_flag(self):
        other = self.directory()
        self.done("add", "p", "--steps", "a", "--cache-url", other.url)
        self.assertEqual((self.store.names(), other.names()), ([], ["p"]), "flag before environment")

    def test_add_file_takes_a_whole_config(self):
        path = os.path.join(self.directory().path, "mine.json")
        with open(path, "w", encoding="utf-8") as out:
            out.write('{ "mode": "parallel", "steps": ["a", "b"] }')
        self.done("add", "p", "--file", path)
        self.assertEqual(self.stored("p"), {"mode": "parallel", "steps": ["a", "b"]})

    def test_add_file_dash_reads_stdin(self):
        self.done("add", "p", "--file", "-", stdin=config("x", "y"))
        self.assertEqual(self.stored("p"), {"mode": "sequential", "steps": ["x", "y"]})

    def test_add_file_without_mode(self):
        self.done("add", "p", "--file", "-", stdin='{"steps":["x"]}')
        self.assertEqual(self.stored("p")["steps"], ["x"])

    def test_add_refuses_a_file_that_is_not_there(self):
        self.refused("add", "p", "--file", "/nonexistent/p.json", codes=(1, 2), naming="/nonexistent/p.json")

    def test_add_refuses_broken_json_and_stores_nothing(self):
        self.refused("add", "p", "--file", "-", stdin='{"steps":["x"')
        self.assertEqual(self.store.names(), [])

    def test_add_refuses_an_unknown_key_naming_the_nearest(self):
        said = self.refused("add", "p", "--file", "-", stdin='{"stpes":["a"]}', naming="stpes").stderr
        self.assertRegex(said.replace("stpes", ""), r"\bsteps\b", "the nearest key is not named")
        said = self.refused("add", "p", "--file", "-", stdin='{"mdoe":"parallel","steps":["a"]}').stderr
        self.assertRegex(said, r"\bmode\b")
        self.assertEqual(self.store.names(), [])

    def test_add_refuses_step_names_that_are_no_names(self):
        # An impossible value is wrong usage (2); a config that cannot be stored is 1. Either is fair.
        for step in ("127.0.0.1", "0x7f.1", "2130706433", "a/b", "-a", "a b", "a@b", "a:22", "[::1]"):
            self.refused("add", "p", f"--steps=ok,{step}", codes=(1, 2), naming=step)
        self.assertEqual(self.store.names(), [])

    def test_add_refuses_more_than_64_steps(self):
        self.done("add", "p64", "--steps", ",".join(f"s{i}" for i in range(64)))
        self.refused("add", "p65", "--steps", ",".join(f"s{i}" for i in range(65)), codes=(1, 2))
        self.assertEqual(self.store.names(), ["p64"])

    def test_add_refuses_names_that_no_caller_could_ask_for(self):
        for name in ("a/b", "a b", "a?b", "ä", "n" * 129, ""):
            self.refused("add", name, "--steps", "a", codes=(1, 2))
        self.assertEqual(self.store.names(), [])

    def test_add_takes_every_character_a_name_may_have(self):
        name = "Az09._~:@!$&'()*+,;=-"
        self.done("add", name, "--steps", "a")
        self.assertEqual(self.store.names(), [name])

    def test_add_takes_a_name_of_128_bytes(self):
        self.done("add", "n" * 128, "--steps", "a")
        self.assertEqual(self.store.names(), ["n" * 128])

    # ls, list, show, remove, rm

    def test_ls_lists_name_mode_and_steps(self):
        self.store.set("first", config("a", "b"))
        self.store.set("second", config("c", mode="parallel"))
        for word in ("ls", "list"):
            lines = self.done(word).stdout.splitlines()
            line = next(line for line in lines if "first" in line)
            self.assertRegex(line, r"first.*sequential.*\ba\b.*\bb\b")
            line = next(line for line in lines if "second" in line)
            self.assertRegex(line, r"second.*parallel.*\bc\b")

    def test_ls_lists_an_invalid_value_as_invalid_with_why(self):
        self.store.set("good", config("a"))
        self.store.set("bad", '{"mode":"diagonal","steps":["a"]}')
        lines = self.done("ls").stdout.splitlines()
        line = next(line for line in lines if "bad" in line)
        self.assertIn("invalid", line)
        self.assertIn("diagonal", line, "why it is invalid")
        self.assertTrue(any("good" in line and "invalid" not in line for line in lines))

    def test_ls_json(self):
        self.store.set("good", config("a", "b", mode="parallel"))
        self.store.set("bad", "[]")
        for word in ("ls", "list"):
            listed = {entry["name"]: entry for entry in json.loads(self.done(word, "--json").stdout)}
            self.assertEqual(set(listed), {"good", "bad"})
            self.assertEqual(listed["good"]["mode"], "parallel")
            self.assertEqual(listed["good"]["steps"], ["a", "b"])
            self.assertNotIn("error", listed["good"])
            self.assertTrue(listed["bad"]["error"])

    def test_ls_json_of_an_empty_store(self):
        self.assertEqual(json.loads(self.done("ls", "--json").stdout), [])
        self.done("ls")

    def test_show_prints_the_json_of_one(self):
        self.store.set("p", config("a", "b"))
        shown = json.loads(self.done("show", "p").stdout)
        self.assertEqual(shown, {"mode": "sequential", "steps": ["a", "b"]})

    def test_show_of_an_unknown_name_cannot_be_done(self):
        self.assertEqual(self.refused("show", "nobody", naming="nobody").stdout, "")

    def test_remove_and_rm_delete(self):
        for word in ("remove", "rm"):
            self.store.set("p", config("a"))
            self.store.set("q", config("a"))
            self.done(word, "p")
            self.assertEqual(self.store.names(), ["q"])

    def test_remove_of_an_unknown_name_cannot_be_done(self):
        # Like `rm`: what is not there cannot be deleted, and a typing error should be told.
        self.refused("remove", "nobody", naming="nobody")

    def test_show_and_remove_cannot_leave_the_directory(self):
        outside = os.path.join(os.path.dirname(self.store.path), "outside.json")
        self.assertFalse(os.path.exists(outside))
        for word in ("show", "rm"):
            self.refused(word, "../outside", codes=(1, 2))
        self.refused("add", "../outside", "--steps", "a", codes=(1, 2))
        self.assertFalse(os.path.exists(outside))

    # check

    def write(self, text):
        path = os.path.join(self.store.path, f"file{len(os.listdir(self.store.path))}.txt")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def test_check_of_good_files(self):
        self.done("check", self.write(config("a")), self.write('{"steps":["a","b"]}'))
        self.assertEqual(self.store.names(), [], "check stores nothing")

    def test_check_needs_no_store(self):
        path = self.write(config("a"))
        self.assertEqual(run("check", path, env={"CACHE_URL": "redis://127.0.0.1:1"}).code, 0)

    def test_check_names_the_bad_one_of_several(self):
        good, bad = self.write(config("a")), self.write('{"steps":["127.0.0.1"]}')
        said = self.refused("check", good, bad, naming=bad).output
        self.assertIn("127.0.0.1", said)

    def test_check_of_bad_files(self):
        for text in (
            "", "[]", "null", '"a"', '{"steps":"a"}', '{"steps":[1]}', '{"steps":["a"],"mode":"x"}',
            '{"mode":"parallel"}', '{"steps":["a"]} trailing', '{"steps":["a",]}', "{'steps':['a']}",
            '{"steps":[""]}', '{"steps":["a/b"]}', '{"steps":["%s"]}' % ("a" * 254),
        ):
            finished = self.command("check", self.write(text))
            self.assertEqual(finished.code, 1, f"{text[:60]!r}: {finished}")

    def test_check_refuses_an_unknown_key_naming_the_nearest(self):
        path = self.write('{"stpes":["a"]}')
        said = self.refused("check", path, naming="stpes").stderr
        self.assertRegex(said.replace("stpes", ""), r"\bsteps\b")

    def test_check_of_a_file_that_is_not_there(self):
        self.refused("check", "/nonexistent/x.json", codes=(1, 2), naming="/nonexistent/x.json")


class OverStore(Case):
    """The same commands write and read the same keys as any other client of the store."""

    @classmethod
    def setUpClass(cls):
        cls.server = StoreServer().start()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.server.client()("FLUSHALL")

    def command(self, *words):
        return run(*words, env={"CACHE_URL": self.server.url})

    def test_add_writes_the_key_that_the_contract_names(self):
        self.assertEqual(self.command("add", "p", "--steps", "a,b").code, 0)
        self.assertEqual(self.server.client()("KEYS", "*"), [PREFIX.encode() + b"p"])
        self.assertEqual(json.loads(self.server.get("p"))["steps"], ["a", "b"])

    def test_ls_and_show_read_what_another_client_wrote(self):
        self.server.set("p", config("a", "b"))
        self.server.set("bad", "{")
        self.server.client()("SET", "other:key", "x")
        listed = {entry["name"]: entry for entry in json.loads(self.command("ls", "--json").stdout)}
        self.assertEqual(set(listed), {"p", "bad"})
        self.assertIn("error", listed["bad"])
        self.assertEqual(json.loads(self.command("show", "p").stdout)["steps"], ["a", "b"])

    def test_ls_of_a_value_that_is_no_string(self):
        self.server.client()("LPUSH", PREFIX + "list", "x")
        listed = json.loads(self.command("ls", "--json").stdout)
        self.assertEqual([entry["name"] for entry in listed], ["list"])
        self.assertTrue(listed[0]["error"])

    def test_ls_of_many(self):
        client = self.server.client()
        for number in range(1500):
            client("SET", f"{PREFIX}p{number}", config("a"))
        self.assertEqual(len(json.loads(self.command("ls", "--json").stdout)), 1500)

    def test_remove_deletes_the_key(self):
        self.server.set("p", config("a"))
        self.assertEqual(self.command("rm", "p").code, 0)
        self.assertIsNone(self.server.get("p"))
        self.assertEqual(self.command("rm", "p").code, 1)

    def test_a_read_only_user_is_told_why(self):
        self.server.client()("ACL", "SETUSER", "reader", "on", ">pw", "~*", "&*", "+@read", "+@connection")
        url = self.server.url.replace("//", "//reader:pw@")
        finished = run("add", "p", "--steps", "a", env={"CACHE_URL": url})
        self.assertEqual(finished.code, 1, finished)
        self.assertRegex(finished.stderr, r"(?i)noperm|permission")
        self.assertNotIn("pw@", finished.stderr, "the password is repeated")
