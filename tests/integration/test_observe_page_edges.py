"""The page of /observe/ where little is seen at first sight: orders, units, what is shown on demand."""

from datetime import timedelta

from support.figures import STARTED, Figures
from support.page_case import PageCase

MICROS_TO_SECONDS = [0.00005, 0.0001, 1.0, 3.0]

# Answers wait in `held` until they are let go; `planned` are the polls that a timer will begin.
_HOLD = """
    const ask = window.fetch, later = window.setTimeout;
    window.held = [], window.planned = 0;
    window.fetch = (...what) => ask(...what).then(answer => new Promise(go => held.push(() => go(answer))));
    window.setTimeout = (work, ...more) => { planned += work.name === 'poll'; return later(work, ...more); };
"""


class Edges(PageCase):
    def test_a_restart_that_was_missed_for_long_is_seen_by_its_start_alone(self):
        figures = self.figures().run("order", 10, 0.005)
        page = self.open(figures.told(), figures.run("order", 10, 0.005).after(1).told())
        page.wait_for(lambda: page.card("order")["Requests"], "10.0/s")
        anew = self.figures(started=STARTED + timedelta(hours=3), uptime=7200.0).run("order", 5000, 0.005)
        anew.pipelines["order"]["in_progress"] = 7
        self.next(anew.told())
        # At once: what was polled before is too old for the window by the next poll in any case.
        page.wait_for(lambda: page.card("order")["In progress"], "7")
        self.assertEqual(page.card("order")["Requests"], "–")

    def test_a_pipeline_that_is_counted_anew_has_no_negative_figures(self):
        figures = self.figures().run("fan", 10, 0.005).run("order", 1000, 0.005, failures=500)
        first = figures.told()
        figures.pipeline("order", "a", "b").run("order", 5, 0.005).run("fan", 995, 0.005).after(1)
        page = self.open(first, figures.told())
        page.wait_for(lambda: page.card("fan")["Requests"], "995/s")
        card = page.card("order")
        self.assertEqual((card["Requests"], card["Failed"]), ("5.00/s", "0 %"))

    def test_units_from_micros_to_seconds(self):
        figures = self.figures(bounds=MICROS_TO_SECONDS)
        first = figures.told()
        page = self.open(first, figures.run("order", 10, 0.00009).run("fan", 10, 2.5).after(1).told())
        page.wait_for(lambda: page.card("order")["p50"], "75.0 µs")
        self.assertEqual(page.card("fan")["p50"], "2.00 s")

    def test_the_trend_tells_its_peak(self):
        figures = self.figures()
        told = [figures.told(), figures.run("order", 20, 0.005).after(1).told()]
        page = self.open(*told, figures.run("order", 10, 0.005).after(1).told())
        trend = "return document.querySelector('[data-name=order] svg').getAttribute('aria-label')"
        page.wait_for(lambda: page.run(trend), lambda said: said.endswith("of the last 1 s, highest 20.0/s"))

    def test_pipelines_are_found_by_their_steps_and_in_either_case(self):
        page = self.open(Figures().pipeline("Order", "Check").pipeline("fan", "mail").told())
        for words, found in (("check", ["Order"]), ("ORDER", ["Order"]), ("mail", ["fan"])):
            page.filter(words)
            self.assertEqual(page.names, found)

    def test_more_steps_and_failures_on_demand(self):
        figures = Figures().pipeline("order", *(f"s{number:02}" for number in range(60)))
        for number in range(20):
            figures.fail("order", "s00", "reset", request_id=f"r{number}")
        page = self.open(figures.told())
        for table, button, few, all_of_them in (("steps", "more-steps", 50, 60), ("failures", "more-failures", 12, 20)):
            self.assertEqual(len(page.texts(f"#{table} tbody tr")), few)
            page.run("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", button)
            self.browser.click(f"#{button}")
            self.assertEqual(len(page.texts(f"#{table} tbody tr")), all_of_them)
            self.assertFalse(page.run("return document.getElementById(arguments[0]).checkVisibility()", button))

    def test_the_order_stays_for_some_polls_and_then_follows(self):
        figures = self.figures()
        page = self.open(figures.told(), figures.run("order", 10, 0.005).after(1).told())
        page.wait_for(lambda: page.names, ["order", "fan"])
        self.next(figures.run("fan", 1000, 0.005).after(1).told())
        page.wait_for(lambda: page.card("fan")["Requests"], "500/s")
        self.assertEqual(page.names, ["order", "fan"])
        self.next(*[figures.after(1).told() for _ in range(4)])
        page.wait_for(lambda: page.names, ["fan", "order"])

    def test_back_again_is_said_in_the_title_and_the_state(self):
        figures = self.figures()
        page = self.open(figures.told())
        self.next(None)
        page.wait_for(lambda: page.text("#state"), "Not reachable")
        self.next(figures.after(1).told())
        page.wait_for(lambda: (page.title, page.text("#state")), ("healthy – fnkit", "Healthy"))

    def test_a_poll_under_way_when_paused_is_the_last(self):
        figures = self.figures()
        page = self.open(figures.told())
        page.run(_HOLD)
        figures.pipelines["order"]["in_progress"] = 7
        self.server.answer(figures.after(1).told())
        page.wait_for(lambda: page.run("return held.length"), 1)
        self.browser.click("#pause")
        page.run("held.forEach(go => go())")
        page.wait_for(lambda: page.card("order")["In progress"], "7")
        self.assertEqual(page.run("return planned"), 0)

    def test_the_focus_on_a_window_is_on_its_face(self):
        """The radio button itself cannot be seen, whatever outline it has."""
        page = self.open(self.figures().told())
        page.run("document.getElementById('filter').focus()")
        self.browser.press("Tab")
        style, width = page.run("""const face = getComputedStyle(document.activeElement.nextElementSibling);
            return [face.outlineStyle, parseFloat(face.outlineWidth)]""")
        self.assertEqual(page.run("return document.activeElement.name"), "window")
        self.assertNotEqual(style, "none")
        self.assertGreaterEqual(width, 2)
