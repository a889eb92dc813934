"""A headless Chromium, driven through chromedriver by the W3C WebDriver protocol."""

import base64
import json
import os
import shutil
import signal
import tempfile
import urllib.error
import urllib.request

from support.process import Process
from support.waiting import eventually

ANSWER_SECONDS = 20.0
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Space": " ", "Right": "\ue014", "Shift": "\ue008"}

_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-default-apps", "--disable-extensions", "--no-proxy-server",
    # Whatever a browser would ask of the world stays unanswered.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

# No proxy of the tester's shell.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class BrowserError(AssertionError):
    """The driver or the script in the page said no."""


def _installed(name):
    path = shutil.which(name)
    if path is None:
        raise AssertionError(f"no {name}: apt-get install chromium chromium-driver")
    return path


class Browser:
    def __init__(self):
        driver = _installed("chromedriver")
        self._profile = tempfile.mkdtemp(prefix="fnkit-browser-")
        self._driver = Process([driver, "--port=0"], env={"HOME": self._profile})
        self._session, self._pid, self.requests = "", None, []
        try:
            port = self._driver.wait_for_line(r"started successfully on port (\d+)", stream="stdout")[1]
            self._url = f"http://127.0.0.1:{port}/session"
            made = self._ask("POST", "", {"capabilities": {"alwaysMatch": self._capabilities()}})
            self._session, self._pid = "/" + made["sessionId"], made["capabilities"].get("goog:processID")
        except BaseException:
            self.close()
            raise

    def _capabilities(self):
        arguments = [*_OPTIONS, "--window-size=1280,900", f"--user-data-dir={self._profile}/profile"]
        return {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": _installed("chromium"), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + self._session + path, data, method=method)
        request.add_header("Content-Type", "application/json; charset=utf-8")
        try:
            with _direct.open(request, timeout=ANSWER_SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)["value"]
            raise BrowserError(f"{told['error']}: {told['message'][:600]}") from None

    def open(self, url):
        self._ask("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """`script` is the body of a function; what it returns."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def command(self, name, **parameters):
        """One of the DevTools protocol."""
        return self._ask("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def click(self, selector):
        """As a pointer does: fails when something covers the element."""
        found = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        self._ask("POST", f"/element/{found[ELEMENT]}/click", {})

    def press(self, *keys):
        """Keys of KEYS, or text, typed where the focus is."""
        strokes = []
        for key in keys:
            for value in [KEYS[key]] if key in KEYS else key:
                strokes += [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")]
        self._ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": strokes}]})

    def resize(self, width, height=900, phone=False):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=2 if phone else 1, mobile=phone)

    def prefer(self, scheme="light", motion="no-preference"):
        """What the reader's system says of colours and of motion."""
        features = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", motion)]
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": name, "value": value} for name, value in features])

    def screenshot(self, path, height_max=2200):
        """The page from its top, below the window's edge as well."""
        width, height = self.run("const d = document.documentElement; return [d.scrollWidth, d.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, height_max), "scale": 1}
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as out:
            out.write(base64.b64decode(shot["data"]))

    def complaints(self):
        """What the console said since the last question, and not that a request failed."""
        lines = self._ask("POST", "/se/log", {"type": "browser"})
        return [line["message"] for line in lines if line["source"] != "network"]

    def requested(self):
        """Every URL that a page asked for since the browser started; its own pages do not count."""
        for line in self._ask("POST", "/se/log", {"type": "performance"}):
            event = json.loads(line["message"])["message"]
            if event["method"] != "Network.requestWillBeSent":
                continue
            if not event["params"]["documentURL"].startswith("chrome:"):
                self.requests.append(event["params"]["request"]["url"])
        return self.requests

    def _running(self):
        return self._pid is not None and os.path.exists(f"/proc/{self._pid}")

    def close(self):
        try:
            if self._session:
                self._ask("DELETE", "")
                eventually(lambda: not self._running(), 5.0, "the browser ended")
        except (AssertionError, OSError):
            if self._running():
                os.kill(self._pid, signal.SIGKILL)
        finally:
            self._driver.kill()
            shutil.rmtree(self._profile, ignore_errors=True)
