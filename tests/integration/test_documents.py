"""What documents show is what happens: their commands are run, their configs are taken."""

import json
import os
import re
import shlex
import tempfile

from support.case import Case
from support.gateway import ROOT
from support.program import run


def document(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


class Examples(Case):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="fnkit-documents-")
        self.addCleanup(self.folder.cleanup)

    def command(self, *arguments):
        environment = {"CACHE_URL": f"file://{self.folder.name}/store"}
        return run(*arguments, env=environment, preexec=lambda: os.chdir(self.folder.name))

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_the_commands_of_the_readme(self):
        os.mkdir(os.path.join(self.folder.name, "store"))
        self.write("pipeline.json", '{"steps":["a"]}')
        lines = [line for block in blocks(document("README.md"), "sh") for line in block.splitlines()
                 if line.startswith("fnkit-orchestrator ")]
        self.assertGreaterEqual(len(lines), 7)
        for line in lines:
            words = shlex.split(line, comments=True)[1:]
            if words[0] == "serve":
                words.append("--print-config")
            ended = self.command(*words)
            self.assertEqual(ended.code, 0, f"{line}: {ended}")
            if words[0] == "ls":
                self.assertIn("process-order", ended.stdout)

    def test_every_config_that_is_shown_is_one(self):
        shown = [block for name in ("README.md", "docs/operating.md") for block in blocks(document(name), "json")]
        self.assertTrue(shown)
        for text in shown:
            json.loads(text)
            self.write("shown.json", text)
            ended = self.command("check", "shown.json")
            self.assertEqual(ended.code, 0, f"{text}: {ended}")

    def test_every_setting_that_is_named_is_one(self):
        known = set(re.findall(r"--[a-z][a-z-]+", self.command("serve", "--help").stdout))
        known |= set(re.findall(r"--[a-z][a-z-]+", "".join(self.command(word, "--help").stdout for word in ("add", "ls", "demo", "version"))))
        known |= {"--once", "--quick", "--long", "--security-opt"}  # of scripts, and of docker
        for name in ("README.md", "docs/operating.md", "docs/replacing-bun.md", "docs/architecture.md"):
            named = set(re.findall(r"`(--[a-z][a-z-]+)", document(name)))
            self.assertEqual(named - known, set(), name)
