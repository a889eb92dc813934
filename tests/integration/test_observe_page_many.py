"""The page of /observe/ with a thousand pipelines: few are drawn, all are found, none is slow."""

from support.figures import Figures
from support.page_case import PageCase
from support.waiting import tries


class Many(PageCase):
    def setUp(self):
        super().setUp()
        figures = Figures()
        for number in range(1000):
            figures.pipeline(f"p{number:03}", f"s{number:03}", f"s{number % 7:03}")
        first = figures.told()
        for number in range(1000):
            figures.run(f"p{number:03}", 10 + number, 0.001 * 2 ** (number * 7 % 10), failures=number % 2)
        figures.run("p500", 1, 0.001, failures=9)
        self.open(first, figures.after(1).told())
        self.page.wait_for(lambda: self.page.names[:2], ["p999", "p998"])

    def test_few_are_drawn_and_more_on_demand(self):
        self.assertEqual(len(self.page.names), 50)
        self.assertEqual(self.page.text("#shown"), "50 of 1,000")
        self.browser.click("#more")
        self.assertEqual(len(self.page.names), 100)
        self.assertEqual(len(self.page.texts("#steps tbody tr")), 50)

    def test_filter_and_sort(self):
        self.page.filter("P12")
        self.assertEqual(self.page.names, [f"p12{digit}" for digit in range(9, -1, -1)])
        self.page.sort("name")
        self.assertEqual(self.page.names, [f"p12{digit}" for digit in range(10)])
        self.page.sort("p99")
        by_latency = sorted(range(120, 130), key=lambda number: -(number * 7 % 10))
        self.assertEqual(self.page.names, [f"p{number}" for number in by_latency])
        self.page.filter("")
        self.page.sort("failures")
        self.assertEqual(self.page.names[0], "p500")
        self.page.filter("no such")
        self.assertEqual(self.page.names, [])

    def test_showing_them_takes_little_time(self):
        script = """const box = document.getElementById('filter'), begun = performance.now();
            box.value = arguments[0]; box.dispatchEvent(new Event('input')); return performance.now() - begun"""
        for clock in tries(0.2):
            with clock:
                self.page.run(script, "p")
