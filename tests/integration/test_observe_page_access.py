"""The page of /observe/ for all its readers: phones, keyboards, either scheme of colours."""

from support.figures import Figures
from support.page_case import PageCase

PHONE = 360
LONG = "a-name-as-long-as-names-may-be-" * 4
CONTRAST_TEXT = 4.5

# [ratio, words] of every text that is shown: its colour on the first opaque ground below it.
_CONTRASTS = """
    const parse = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
    const bright = ([r, g, b]) => [r, g, b].map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const ground = node => {
        for (; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const holder = walker.currentNode.parentElement, words = walker.currentNode.textContent.trim();
        if (!words || holder.closest('script') || !holder.checkVisibility()) continue;
        const [one, other] = [parse(getComputedStyle(holder).color), ground(holder)].map(bright);
        found.push([(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), words]);
    }
    return found;
"""
# Whether the focus can be seen: on the element itself, or on the label's face of a radio button.
_FOCUS = """
    const at = document.activeElement;
    const faces = [at, at.nextElementSibling].filter(Boolean).map(face => getComputedStyle(face));
    return [at.id || at.dataset.sort || at.value || at.textContent.slice(0, 40),
        faces.some(face => face.outlineStyle !== 'none' && parseFloat(face.outlineWidth) >= 2)];
"""


def busy_figures():
    """Something of everything that the page can show."""
    made = Figures().pipeline("order", "a", "b").pipeline("fan", "b", LONG, mode="parallel")
    made.pipeline(LONG, "a", LONG, "b").pipeline("gone", mode=None)
    made.store["invalid_pipelines"] = [{"name": LONG, "why": "x" * 200}]
    made.store["trouble"] = "y" * 200
    made.records["spans"]["dropped"] = 3
    made.refused = {"401": 3, "404": 1234567}
    for number in range(100):
        made.fail(LONG, LONG, "z" * 200, request_id=f"{number}" + "r" * 120)
    first = made.told()
    made.run("order", 123456, 0.05, failures=100000).run("fan", 1234567, 5.0).run(LONG, 7, 0.001)
    made.call("a", 100, 1.5).call("b", 100, 0.001, connect=99).call(LONG, 100, 0.1, shed=1).after(1)
    made.fail("order", "b", "status 500")
    return first, made.told()


class Seen(PageCase):
    def setUp(self):
        super().setUp()
        self.open(*busy_figures())
        self.page.wait_for(lambda: self.page.card("order")["Requests"], "123,456/s")

    def test_on_a_phone_nothing_is_wider_than_it(self):
        for width in (PHONE, 320):
            self.browser.resize(width, 800, phone=True)
            self.page.wait_for(lambda: self.page.run("return innerWidth"), width)
            self.assertEqual(self.page.run("return document.scrollingElement.scrollWidth"), width)
        # Wide tables scroll within their box, and failures have become cards.
        sizes = "const box = document.querySelector(arguments[0]); return box.scrollWidth > box.clientWidth"
        self.assertTrue(self.page.run(sizes, "#steps .box"))
        self.assertFalse(self.page.run(sizes, "#failures .box"))

    def test_no_window_is_too_narrow(self):
        for width in (640, 768, 1024, 1920):
            self.browser.resize(width)
            self.page.wait_for(lambda: self.page.run("return innerWidth"), width)
            self.assertLessEqual(self.page.run("return document.scrollingElement.scrollWidth"), width)

    def test_contrast_in_both_schemes_and_while_not_reachable(self):
        grounds = set()
        for lost in (False, True):
            if lost:
                self.next(None)
                self.page.wait_for(lambda: self.page.text("#state"), "Not reachable")
            for scheme in ("light", "dark"):
                self.browser.prefer(scheme, "reduce")
                grounds.add(self.page.run("return getComputedStyle(document.body).backgroundColor"))
                found = self.page.run(_CONTRASTS)
                self.assertGreater(len(found), 200)
                poor = [text for text in found if text[0] < CONTRAST_TEXT]
                self.assertEqual(poor, [], f"{scheme}, lost: {lost}")
        self.assertEqual(len(grounds), 2, "one ground for both schemes")

    def test_motion_is_left_out_where_it_is_not_wanted(self):
        smooth = "return getComputedStyle(document.documentElement).scrollBehavior"
        self.assertEqual(self.page.run(smooth), "auto")
        self.browser.prefer("light", "no-preference")
        self.assertEqual(self.page.run(smooth), "smooth")
        moving = "return document.getAnimations().length"
        self.assertEqual(self.page.run(moving), 0)

    def test_figures_do_not_dance(self):
        self.assertEqual(self.page.run("return getComputedStyle(document.body).fontVariantNumeric"), "tabular-nums")


class Operated(PageCase):
    def setUp(self):
        super().setUp()
        # One poll: to hasten another would move the focus.
        self.open(busy_figures()[1])

    def tab_to(self, wanted):
        """Tab until the focus is there; it could be seen all the way."""
        passed = []
        for _ in range(40):
            self.browser.press("Tab")
            name, visible = self.page.run(_FOCUS)
            self.assertTrue(visible, f"the focus on {name!r} cannot be seen")
            passed.append(name)
            if name == wanted:
                return passed
        raise AssertionError(f"Tab came to {passed}, not to {wanted!r}")

    def test_by_keyboard_alone(self):
        page = self.page
        self.assertEqual(self.tab_to("filter")[0], "Skip to the pipelines")
        self.browser.press("order")
        page.wait_for(lambda: page.names, ["order"])
        self.tab_to("10")
        self.browser.press("Right", "Right")
        self.assertEqual(page.text("#window"), "Figures since start")
        self.tab_to("pause")
        self.browser.press("Space")
        self.assertEqual(page.text("#pause"), "Resume")
        self.browser.press("Enter")
        self.assertEqual(page.text("#pause"), "Pause")
        self.tab_to("name")
        self.browser.press("Enter")
        self.assertEqual(page.texts("[aria-pressed=true]"), ["name"])

    def test_the_skip_link_leads_to_the_pipelines(self):
        self.browser.press("Tab", "Enter")
        self.page.wait_for(lambda: self.page.run("return document.activeElement.id"), "pipelines")
        self.assertEqual(self.tab_to("requests"), ["requests"])

    def test_the_table_of_steps_is_sorted_by_its_heads(self):
        def sorted_by():
            return self.page.run("""return [...document.querySelectorAll('#steps [aria-sort]')]
                .map(head => [head.textContent, head.ariaSort])""")

        names = "#steps tbody .name"
        self.page.choose_window("start")
        self.assertEqual(sorted_by(), [["Calls", "descending"]])
        self.page.run("document.querySelector('#steps thead tr:last-child button').focus()")
        self.browser.press("Enter")
        self.assertEqual(sorted_by(), [["Step", "ascending"]])
        self.assertEqual(self.page.texts(names), sorted(["a", "b", LONG]))
        self.browser.press("Enter")
        self.assertEqual(sorted_by(), [["Step", "descending"]])
        self.assertEqual(self.page.texts(names), sorted(["a", "b", LONG], reverse=True))
        self.browser.click("#steps thead tr:last-child th:nth-child(6) button")
        self.assertEqual(sorted_by(), [["p99", "descending"]])
        self.assertEqual(self.page.texts(names), ["a", LONG, "b"])

    def test_focus_and_scrolling_stay_where_they_are_from_poll_to_poll(self):
        self.page.run("document.querySelector('#steps .box').focus(); scrollTo(0, 500)")
        changed = busy_figures()[1]
        changed["uptime_seconds"] += 1
        changed["pipelines"][0]["in_progress"] = 7
        changed["failures"][0]["request_id"] = "newest"
        self.server.answer(changed)
        self.page.wait_for(lambda: self.page.card("order")["In progress"], "7")
        self.assertEqual(self.page.failures()[0][6].split()[0], "newest")
        self.assertEqual(self.page.run("return document.activeElement.closest('section').id"), "steps")
        self.assertEqual(self.page.run("return scrollY"), 500)

    def test_sections_and_tables_are_named(self):
        odd = self.page.run("""
            const named = node => node.getAttribute('aria-label') ||
                document.getElementById(node.getAttribute('aria-labelledby'))?.textContent;
            return [
                ...[...document.querySelectorAll('section, nav, table, [role=group], [role=search], svg, article')]
                    .filter(node => !named(node)),
                ...[...document.querySelectorAll('section')].filter(node => !node.querySelector('h2')),
                ...[...document.querySelectorAll('th')].filter(node => !node.scope),
                ...[...document.querySelectorAll('button')].filter(node => !node.hidden && !node.textContent),
                ...[...document.querySelectorAll('input')].filter(node => !node.labels.length),
                ...[...document.querySelectorAll('[title]')],
            ].map(node => node.outerHTML.slice(0, 200))""")
        self.assertEqual(odd, [])
        self.assertEqual(self.page.run("return document.documentElement.lang"), "en")
        counts = "return arguments[0].map(what => document.querySelectorAll(what).length)"
        self.assertEqual(self.page.run(counts, ["h1", "main", "header", "footer"]), [1, 1, 1, 1])
        # A screen reader is told of trouble, not of each second's figures.
        self.assertEqual(self.page.run(counts, ["[role=status], [aria-live]", "#notice[role=status]"]), [1, 1])


class Policy(PageCase):
    def test_it_is_in_force_and_the_tests_would_see_it_broken(self):
        page = self.open(self.figures().told())
        page.run("const image = new Image(); image.src = arguments[0]", f"{self.server.origin}/image")
        said = []
        page.wait_for(lambda: said.extend(self.browser.complaints()) or len(said), lambda count: count > 0)
        self.assertIn("Content Security Policy", said[0])
