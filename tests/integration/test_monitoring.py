"""packaging/monitoring: the board and the alerts, asked of a real Prometheus that scrapes a busy program."""

import json
import os
import subprocess
import tempfile
import urllib.parse

from support import answers, client, settings
from support.case import Case, pipelines_of
from support.gateway import ROOT, free_port
from support.process import Process
from support.waiting import eventually

MONITORING = os.path.join(ROOT, "packaging/monitoring")
PROMETHEUS = """
global: {{scrape_interval: 200ms, evaluation_interval: 200ms}}
scrape_configs:
  - job_name: fnkit-orchestrator
    static_configs: [{{targets: ['{target}']}}]
rule_files: ['{rules}']
"""
RATE_WINDOW = "2s"
# Nothing is invalid here, and nothing in progress when Prometheus looks.
MAY_BE_ZERO = ("Pipelines", "Requests in progress, callers' connections")


def board_queries():
    with open(os.path.join(MONITORING, "grafana.json"), encoding="utf-8") as file:
        board = json.load(file)
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


class Prometheus:
    def __init__(self, target):
        if not settings.prometheus:
            raise AssertionError("prometheus is missing: give --prometheus PATH, or put it into PATH")
        self._directory = tempfile.TemporaryDirectory(prefix="fnkit-prometheus-")
        self.address = ("127.0.0.1", free_port())
        path = os.path.join(self._directory.name, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PROMETHEUS.format(target=target, rules=os.path.join(MONITORING, "alerts.yml")))
        self._process = Process([settings.prometheus, f"--config.file={path}",
                                 "--web.listen-address=%s:%d" % self.address,
                                 f"--storage.tsdb.path={self._directory.name}/data"])

    def get(self, target):
        try:
            answer = client.call(self.address, "GET", target)
        except OSError:
            return None
        return json.loads(answer.body) if answer.status == 200 else None

    def query(self, expression):
        """Its values; an expression that Prometheus refuses is a failure."""
        answer = client.call(self.address, "GET", "/api/v1/query?query=" + urllib.parse.quote(expression, safe=""))
        if answer.status != 200:
            raise AssertionError(f"{expression}: {answer.body}")
        return json.loads(answer.body)["data"]["result"]

    def close(self):
        self._process.kill()
        self._directory.cleanup()


class Monitored(Case):
    def setUp(self):
        good, bad = self.function("good"), self.function("bad", answers.reply(500, b"no"))
        self.program = self.start(self.directory(pipelines_of(works="good", fails="good,bad")).url,
                                  "--admin-listen", "127.0.0.1:0", "--body-max", "1KiB",
                                  resolve={"good": good.address, "bad": bad.address})
        self.prometheus = Prometheus("%s:%d" % self.program.admin_address)
        self.addCleanup(self.prometheus.close)

    def work(self):
        for pipeline in ("works", "fails"):
            self.program.call("POST", f"/orchestrate/{pipeline}", body=b"{}")
        self.program.call("POST", "/orchestrate/works", body=b"x" * 2048)

    def asked(self, expression, may_be_zero):
        expression = expression.replace("$__rate_interval", RATE_WINDOW).replace('"$instance"', '".*"')
        self.assertNotIn("$", expression)

        def answered():
            self.work()
            values = [float(each["value"][1]) for each in self.prometheus.query(expression)]
            return values and (may_be_zero or any(value > 0 for value in values))

        eventually(answered, 15, f"a value of {expression}")

    def test_each_query_of_the_board_has_values(self):
        eventually(lambda: self.prometheus.get("/api/v1/status/config"), 20, "prometheus answering")
        queries = list(board_queries())
        self.assertGreater(len(queries), 12)
        for title, expression in queries:
            with self.subTest(title):
                self.asked(expression, title in MAY_BE_ZERO)

    def test_the_alerts_go_by_what_is_there(self):
        eventually(lambda: self.prometheus.get("/api/v1/status/config"), 20, "prometheus answering")

        def rules():
            self.work()
            found = self.prometheus.get("/api/v1/rules")["data"]["groups"]
            rules = [rule for group in found for rule in group["rules"]]
            return rules if rules and all(rule["health"] == "ok" for rule in rules) else None

        found = {rule["name"]: rule["state"] for rule in eventually(rules, 15, "all rules evaluated")}
        self.assertEqual(len(found), 6)
        eventually(lambda: self.state_of("FnkitFailureRatio") == "pending", 15, "failures being seen")
        for quiet in ("FnkitShedsLoad", "FnkitStoreStale", "FnkitRestarts", "FnkitPipelineInvalid", "FnkitSlowStep"):
            self.assertEqual(self.state_of(quiet), "inactive", quiet)

    def state_of(self, name):
        self.work()
        groups = self.prometheus.get("/api/v1/rules")["data"]["groups"]
        return next(rule["state"] for group in groups for rule in group["rules"] if rule["name"] == name)

    def test_each_limit_that_an_alert_names_is_one(self):
        with open(os.path.join(MONITORING, "alerts.yml"), encoding="utf-8") as file:
            named = file.read().split('limit=~"')[1].split('"')[0].split("|")
        text = client.call(self.program.admin_address, "GET", "/metrics").body.decode()
        self.assertEqual(len(named), 4)
        for limit in named:
            self.assertIn(f'fnkit_limit_hits_total{{limit="{limit}"}}', text)


class Rules(Case):
    def test_alerts_begin_and_do_not_begin_as_they_should(self):
        done = subprocess.run([settings.promtool, "test", "rules", "alerts_test.yml"], cwd=MONITORING,
                              capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
