"""The page of /observe/: what it makes of the figures it polls; and once of a real server's."""

import os
import threading

from support import answers
from support.browser import Browser
from support.case import ServedCase, pipelines_of
from support.client import Client
from support.figures import STARTED, Figures
from support.observe_page import ObservePage
from support.page_case import PageCase

EVIL = "<img src=x onerror=document.title='caught'>"
SIMPLE_BOUNDS = [0.001, 0.002, 0.004]


class Reckoned(PageCase):
    def test_nothing_is_told_of_one_poll(self):
        page = self.open(self.figures().run("order", 10, 0.005).told())
        self.assertEqual(page.card("order")["Requests"], "–")
        self.assertEqual(page.totals["Requests"], "–")
        self.assertEqual(page.text("#window"), "Waiting for a second poll")

    def test_rates_are_those_of_two_polls(self):
        figures = self.figures().run("order", 1000, 0.005, failures=900)
        first = figures.told()
        figures.run("order", 30, 0.005, failures=3).run("fan", 1, 0.005).after(2)
        figures.pipelines["order"].update(cancelled=4, in_progress=7)
        page = self.open(first, figures.told())
        page.wait_for(lambda: page.card("order")["Requests"], "15.0/s")
        card = page.card("order")
        self.assertEqual((card["Failed"], card["Cancelled"], card["In progress"]), ("10.0 % (3)", "4", "7"))
        self.assertEqual(page.card("fan")["Requests"], "0.50/s")
        self.assertEqual(page.card("fan")["Failed"], "0 %")
        totals = page.totals
        self.assertEqual((totals["Requests"], totals["Failed"], totals["In progress"]), ("15.5/s", "9.68 %", "7"))

    def test_percentiles_are_reckoned_within_their_bucket(self):
        figures = self.figures(bounds=SIMPLE_BOUNDS).run("order", 500, 1.0)
        first = figures.told()
        figures.run("order", 50, 0.001).run("order", 40, 0.002).run("order", 10, 0.003).after(1)
        page = self.open(first, figures.told())
        page.wait_for(lambda: page.card("order")["p50"], "1.00 ms")
        self.assertEqual((page.card("order")["p90"], page.card("order")["p99"]), ("2.00 ms", "3.80 ms"))
        self.assertEqual((page.totals["p50"], page.totals["p99"]), ("1.00 ms", "3.80 ms"))

    def test_what_took_longer_than_all_bounds_is_said_to(self):
        figures = self.figures(bounds=SIMPLE_BOUNDS)
        first = figures.told()
        page = self.open(first, figures.run("order", 10, 3.0).after(1).told())
        page.wait_for(lambda: page.card("order")["p99"], "> 4.00 ms")

    def test_a_window_is_as_long_as_chosen(self):
        figures = self.figures().run("order", 3600, 0.001)
        told = [figures.told(), figures.run("order", 50, 0.001).after(50).told()]
        told.append(figures.run("order", 33, 0.001).after(11).told())
        page = self.open(*told)
        page.wait_for(lambda: page.card("order")["Requests"], "3.00/s")
        self.assertEqual(page.text("#window"), "Figures of 11.0 s")
        page.choose_window("60")
        page.wait_for(lambda: page.card("order")["Requests"], "1.36/s")
        page.choose_window("start")
        page.wait_for(lambda: page.card("order")["Requests"], "1.01/s")
        self.assertEqual(page.text("#window"), "Figures since start")

    def test_a_restart_begins_anew(self):
        figures = self.figures().run("order", 1000, 0.005)
        page = self.open(figures.told(), figures.run("order", 10, 0.005).after(1).told())
        page.wait_for(lambda: page.card("order")["Requests"], "10.0/s")
        anew = self.figures(started=STARTED.replace(hour=20), uptime=1.0).run("order", 2000, 0.005)
        self.next(anew.told())
        page.wait_for(lambda: page.card("order")["Requests"], "–")
        self.assertIn("since 2026-11-25 20:00:00 UTC", page.text("#about"))
        self.next(anew.run("order", 5, 0.005).after(1).told())
        page.wait_for(lambda: page.card("order")["Requests"], "5.00/s")

    def test_steps(self):
        figures = self.figures()
        figures.call("b", 100, 0.001, reset=7)
        first = figures.told()
        figures.call("b", 40, 0.001, connect=1, timeout=2, reset=3, protocol=4, status=5, shed=6).after(2)
        figures.steps["b"].update(cancelled=9, connections={"idle": 11, "busy": 12, "connecting": 13})
        page = self.open(first, figures.told())
        row = page.wait_for(lambda: page.step("b"), lambda row: row["Calls"] == "20.0/s")
        wanted = {"connect": "1", "timeout": "2", "reset": "3", "protocol": "4", "status": "5", "shed": "6",
                  "cancelled": "9", "idle": "11", "busy": "12", "connecting": "13", "Failed": "52.5 %"}
        self.assertEqual({key: row[key] for key in wanted}, wanted)
        self.assertEqual(row["Called"], "order, fan")
        self.assertIn("b:8080", row["Step"])

    def test_the_step_that_fails_and_the_one_that_is_slow_stand_out_in_words(self):
        figures = self.figures()
        first = figures.told()
        figures.run("order", 100, 0.05, failures=20).run("fan", 1000, 0.05, failures=9)
        figures.call("a", 100, 0.05).call("b", 100, 0.001, connect=20).call("c", 100, 0.0011).after(1)
        page = self.open(first, figures.told())
        page.wait_for(lambda: page.head("order"), ["order", "sequential", "failing"])
        self.assertEqual(page.head("fan"), ["fan", "parallel"])
        a, b = page.drawing("order")
        self.assertIn("slowest", a)
        self.assertNotIn("failing", a)
        self.assertIn("failing", b)
        self.assertIn("20.0 % failed", b)
        self.assertNotIn("slowest", "".join(page.drawing("fan")))
        self.assertEqual((page.title, page.text("#state")), ("1 failing – fnkit", "1 failing"))

    def test_drawings_tell_chains_from_forks(self):
        page = self.open(self.figures().told())
        self.assertEqual(page.texts("[data-name=order] ol.sequential .name"), ["a", "b"])
        self.assertEqual(page.texts("[data-name=fan] ul.parallel .name"), ["b", "c"])
        places = """return [...document.querySelectorAll(`[data-name=${arguments[0]}] .step`)]
            .map(step => [step.getBoundingClientRect().left, step.getBoundingClientRect().top])"""
        (left, top), (right, same) = page.run(places, "order")
        self.assertTrue(left < right and top == same, "one after the other")
        (left, top), (same, below) = page.run(places, "fan")
        self.assertTrue(left == same and top < below, "one above the other")
        self.next(Figures().pipeline("order", "b", mode="parallel").told())
        page.wait_for(lambda: page.texts("[data-name=order] ul.parallel .name"), ["b"])
        self.assertEqual(page.names, ["order"])

    def test_pipelines_that_are_gone_and_all_others(self):
        figures = self.figures().pipeline("gone", mode=None).pipeline("_other", mode=None)
        figures.total = 1234
        page = self.open(figures.told())
        self.assertEqual(page.head("gone"), ["gone", "removed", "not", "in", "the", "store"])
        self.assertEqual(" ".join(page.head("_other")), "_other all beyond the first 1,000")
        self.assertIn("1,234 are stored", page.text("#shown"))

    def test_cores(self):
        figures = self.figures()
        first = figures.told()
        figures.cores[1].update(requests=300, busy_seconds=0.5, enters=150, in_progress=3, connections=17)
        page = self.open(first, figures.after(2).told())
        page.wait_for(lambda: page.texts("#cores tbody tr:last-child > *"), ["1", "25.0 %", "150/s", "3", "17", "0.50"])


class Said(PageCase):
    def test_all_is_well(self):
        page = self.open(self.figures().told())
        self.assertEqual((page.title, page.text("#state")), ("healthy – fnkit", "Healthy"))
        self.assertEqual(page.text("h1"), "fnkit-orchestrator 0.1.0")
        self.assertIn("up 1 h 0 min", page.text("#about"))
        self.assertEqual(page.facts["Changes told by"], "keyspace notifications and tracking")
        self.assertEqual(page.facts["Last full comparison"], "1 s ago")
        self.assertEqual(page.text("#failures-shown"), "none")

    def test_what_ails_the_store(self):
        figures = self.figures()
        figures.store.update(connected=False, trouble="connection refused", age_seconds=None,
                             invalid_pipelines=[{"name": "bad", "why": '"steps" is missing'}])
        figures.records["spans"]["dropped"] = 12
        figures.refused = {"401": 3}
        page = self.open(figures.told())
        self.assertEqual(page.title, "store trouble, 1 invalid pipeline, 12 records dropped – fnkit")
        facts = page.facts
        self.assertEqual(facts["Store"], "not connected, redis://fnkit-cache:6379: connection refused")
        self.assertEqual(facts["Last full comparison"], "none yet")
        self.assertEqual(facts["Invalid pipelines"], 'bad: "steps" is missing')
        self.assertIn("spans 12", facts["Records dropped"])
        self.assertIn("401: 3", facts["Answered without a pipeline"])

    def test_recent_failures_and_a_selection_that_stays(self):
        figures = self.figures().fail("order", "b", "status 500", request_id="first")
        page = self.open(figures.told())
        wanted = ["2026-11-25 19:00:00.000", "order", "b", "502", "12.3 ms", "status 500", "first\n" + "0" * 32]
        page.wait_for(page.failures, [wanted])
        page.run("getSelection().selectAllChildren(document.querySelector('#failures .id'))")
        self.next(figures.after(1).fail("order", "b", "reset", request_id="second").told())
        page.wait_for(lambda: [row[6].split()[0] for row in page.failures()], ["second", "first"])
        self.assertEqual(page.run("return getSelection().toString()"), "first")

    def test_names_and_reasons_stay_text(self):
        figures = Figures().pipeline(EVIL, EVIL + "step").fail(EVIL, EVIL, EVIL, request_id=EVIL)
        figures.store.update(trouble=EVIL, invalid_pipelines=[{"name": EVIL, "why": EVIL}])
        page = self.open(figures.told(), figures.after(1).told())
        self.assertEqual(page.names, [EVIL])
        self.assertIn(EVIL + "step", page.drawing(EVIL)[0])
        self.assertEqual(page.failures()[0][5], EVIL)
        self.assertEqual(page.facts["Invalid pipelines"], f"{EVIL}: {EVIL}")
        self.assertEqual(page.run("return document.images.length + document.querySelectorAll('main script').length"), 0)
        self.assertNotIn("caught", page.title)

    def test_not_reachable_and_back(self):
        figures = self.figures()
        page = self.open(figures.told(), figures.run("order", 10, 0.001).after(1).told())
        page.wait_for(lambda: page.card("order")["Requests"], "10.0/s")
        self.next(None)
        page.wait_for(lambda: page.text("#notice"), lambda said: said.startswith("Not reachable since "))
        self.assertIn("retrying", page.text("#notice"))
        self.assertEqual((page.title, page.text("#state")), ("not reachable – fnkit", "Not reachable"))
        self.assertEqual(page.card("order")["Requests"], "10.0/s")
        self.assertIn("grayscale", page.run("return getComputedStyle(document.querySelector('main')).filter"))
        self.server.answer(figures.run("order", 30, 0.001).after(1).told())
        page.wait_for(lambda: page.text("#notice"), "")
        page.wait_for(lambda: page.card("order")["Requests"], "20.0/s")
        self.assertEqual(page.run("return getComputedStyle(document.querySelector('main')).filter"), "none")

    def test_a_token_is_needed(self):
        page = self.open(401)
        said = page.text("#notice")
        self.assertIn("token", said)
        self.assertIn("--admin-listen", said)

    def test_an_answer_that_is_none(self):
        page = self.open(503)
        self.assertIn("the answer is 503", page.text("#notice"))

    def test_paused(self):
        figures = self.figures()
        page = self.open(figures.told())
        self.browser.click("#pause")
        self.assertIn("Paused", page.text("#notice"))
        self.server.answer(figures.told())
        # The timer of a poll would have come before this one.
        page.run("setTimeout(() => { document.body.dataset.later = 'yes' }, 1300)")
        page.wait_for(lambda: page.run("return document.body.dataset.later"), "yes")
        self.assertEqual(self.server.polls, 0)
        self.browser.click("#pause")
        self.server.wait_for_polls(2)
        page.wait_for(lambda: page.text("#notice"), "")


class LivePage(ServedCase):
    """With FNKIT_SCREENSHOTS=DIRECTORY, pictures of it are left there."""

    alone = True

    functions = ("check", "charge", "mail")
    pipelines = pipelines_of(order="check,charge", notify="|check,mail")
    arguments = ("--admin-listen", "127.0.0.1:0")

    def setUp(self):
        super().setUp()
        self.fn["charge"].script = answers.text("no funds", status=500)
        host, port = self.program.admin_address
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.browser.resize(1280)
        self.page = ObservePage(self.browser, f"http://{host}:{port}/observe/").open()
        self.stopped = threading.Event()
        self.callers = [threading.Thread(target=self.load, args=(name,)) for name in self.pipelines]
        for caller in self.callers:
            caller.start()
        self.addCleanup(self.end_load)

    def load(self, name):
        with Client(self.address) as client:
            while not self.stopped.is_set():
                client.call("POST", f"/orchestrate/{name}", body=b"{}")

    def end_load(self):
        self.stopped.set()
        for caller in self.callers:
            caller.join()

    def pictures(self, folder):
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            self.browser.screenshot(os.path.join(folder, f"observe-{scheme}.png"))
        self.browser.prefer("light")
        self.browser.resize(360, 800, phone=True)
        self.browser.screenshot(os.path.join(folder, "observe-phone.png"))

    def test_two_pipelines_under_load(self):
        page = self.page
        page.wait_for(lambda: page.title, lambda title: title.startswith("1 failing"), 10.0)
        self.assertEqual(page.head("order"), ["order", "sequential", "failing"])
        self.assertEqual(page.head("notify"), ["notify", "parallel"])
        for name in self.pipelines:
            self.assertRegex(page.card(name)["Requests"], r"^[1-9][\d,.]*/s$")
            self.assertRegex(page.card(name)["p99"], r"^[\d.]+ (µs|ms|s)$")
        self.assertRegex(page.card("order")["Failed"], r"^100 %")
        self.assertEqual(page.card("notify")["Failed"], "0 %")
        row = page.step("charge")
        self.assertEqual((row["Failed"], row["Called"], row["connect"]), ("100 %", "order", "0"))
        self.assertNotEqual(row["status"], "0")
        self.assertEqual([cell for cell in page.failures()[0][1:3]], ["order", "charge"])
        self.assertIn("connected", page.facts["Store"])
        self.assertEqual(len(page.texts("#cores tbody tr")), self.cores)
        if os.environ.get("FNKIT_SCREENSHOTS"):
            self.pictures(os.environ["FNKIT_SCREENSHOTS"])
        self.assertEqual(self.browser.complaints(), [])
