"""The page of /observe/ as its reader sees it: words and figures, found by their labels."""

from support.waiting import eventually

# The figures of a <dl>: a <dt> and its <dd> each.
_TERMS = """
    const told = {};
    for (const term of arguments[0].querySelectorAll('dt'))
        told[term.textContent] = term.nextElementSibling.textContent;
    return told;
"""
_CARD = """
    const card = [...document.querySelectorAll('#cards article')]
        .find(card => card.querySelector('h3').textContent === arguments[0]);
    if (!card) return null;
"""
_STEPS = _CARD + """
    return [...card.querySelectorAll('.step')].map(step => step.innerText);
"""
_ROW = """
    const row = [...document.querySelectorAll('#steps tbody tr')]
        .find(row => row.querySelector('th .name').textContent === arguments[0]);
    if (!row) return null;
    const names = [...document.querySelectorAll('#steps thead tr:last-child th')];
    return Object.fromEntries([...row.children].map((cell, at) => [names[at].innerText.split(' ')[0], cell.innerText]));
"""


class ObservePage:
    def __init__(self, browser, url):
        self.browser, self.url = browser, url

    def open(self):
        self.browser.open(self.url)
        return self

    def run(self, script, *arguments):
        return self.browser.run(script, *arguments)

    def text(self, selector):
        """As it is shown: what is hidden has none."""
        return self.run("return document.querySelector(arguments[0]).innerText", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector)

    def terms(self, selector):
        return self.run(f"arguments[0] = document.querySelector(arguments[0]); {_TERMS}", selector)

    @property
    def title(self):
        return self.run("return document.title")

    @property
    def totals(self):
        return self.terms("#totals")

    @property
    def facts(self):
        return self.terms("#facts")

    @property
    def names(self):
        """Of the pipelines that are shown, in their order."""
        return self.texts("#cards h3")

    def card(self, name):
        """A pipeline's figures; empty when it is not shown."""
        return self.run(f"{_CARD} arguments[0] = card; {_TERMS}", name) or {}

    def head(self, name):
        """A pipeline's name, kind and tags."""
        return self.run(f"{_CARD} return card.querySelector('.row .row').innerText.split(/\\s+/)", name) or []

    def drawing(self, name):
        """The words of each step in a pipeline's drawing."""
        return self.run(_STEPS, name) or []

    def step(self, name):
        """A row of the table of steps, by column."""
        return self.run(_ROW, name) or {}

    def failures(self):
        return self.run("""return [...document.querySelectorAll('#failures tbody tr')]
            .map(row => [...row.cells].map(cell => cell.innerText))""")

    def filter(self, words):
        self.run("""const box = document.getElementById('filter'); box.value = arguments[0];
            box.dispatchEvent(new Event('input'))""", words)

    def choose_window(self, value):
        self.browser.click(f"label:has(> input[name=window][value='{value}'])")

    def sort(self, name):
        self.browser.click(f"[data-sort='{name}']")

    def poll_now(self):
        """Polls without awaiting the next second: resuming does so at once."""
        self.browser.click("#pause")
        self.browser.click("#pause")

    def wait_for(self, look, wanted, deadline=5.0):
        """Until look() is `wanted`, or accepted by it."""
        accepted = wanted if callable(wanted) else lambda seen: seen == wanted
        seen = []

        def there():
            seen[:] = [look()]
            if not accepted(seen[0]):
                raise AssertionError(f"{seen[0]!r}")
            return True

        eventually(there, deadline, f"{wanted!r} on the page" if not callable(wanted) else "it on the page")
        return seen[0]
