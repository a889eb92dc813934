"""The base of the tests of the page: one browser a class, figures made up by each test."""

from support.browser import Browser
from support.case import Case
from support.figures import Figures
from support.observe_page import ObservePage
from support.page_server import PageServer


class PageCase(Case):
    alone = True

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.resize(1280)
        self.browser.prefer("light", "reduce")
        self.server = PageServer()
        self.addCleanup(self.server.close)
        self.page = ObservePage(self.browser, f"{self.server.origin}/observe/")

    def tearDown(self):
        """Whatever a test did, the page has thrown nothing, and asked nobody but its own server."""
        self.assertEqual(self.browser.complaints(), [])
        self.browser.open("about:blank")  # first, or it would ask once more after it was looked at
        theirs = [url for url in self.browser.requested() if not url.startswith(self.server.origin + "/")]
        self.browser.requests.clear()
        self.assertEqual([url for url in theirs if url != "about:blank"], [])

    def open(self, *answers):
        """The page after all of these were polled."""
        self.server.answer(*answers)
        self.page.open()
        self.follow(len(answers))
        return self.page

    def follow(self, polls):
        for count in range(1, polls):
            self.server.wait_for_polls(count)
            self.page.poll_now()
        self.server.wait_for_polls(polls)
        self.page.wait_for(lambda: self.page.title, lambda title: title != "fnkit")

    def next(self, *answers):
        """The answers of the next polls."""
        self.server.answer(*answers)
        for count in range(1, len(answers) + 1):
            self.page.poll_now()
            self.server.wait_for_polls(count)

    def figures(self, **more):
        """Two pipelines: `order` of the steps a, b one after the other, `fan` of b, c at once."""
        return Figures(**more).pipeline("order", "a", "b").pipeline("fan", "b", "c", mode="parallel")
