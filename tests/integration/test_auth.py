"""CONTRACT sections 1 and 2: tokens. Open mode is said; a token is compared whole and case-sensitively."""

import os
import signal

from support import client
from support.case import Case, ServedCase, pipelines_of
from support.cases import expand, rows
from support.store import config
from support.waiting import eventually

UNAUTHORIZED = '{"error":"Unauthorized - Invalid or missing Bearer token"}'
TOKEN = "Secret-Token_1.2~3+/=="


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


@expand
class OneToken(ServedCase):
    env = {"FNKIT_AUTH_TOKEN": TOKEN}
    pipelines = pipelines_of(one="a", empty="")

    def refused(self, answer):
        self.assert_error(answer, 401, UNAUTHORIZED)
        self.assertEqual(answer.header("www-authenticate"), "Bearer")

    def test_the_right_token(self):
        self.assertEqual(self.call("/orchestrate/one", headers=bearer(TOKEN)).status, 200)

    def test_the_scheme_is_case_insensitive(self):
        # RFC 9110 11.1
        headers = [("authorization", f"bEARER {TOKEN}")]
        self.assertEqual(self.call("/orchestrate/one", headers=headers).status, 200)

    @rows({
        "no header": [],
        "wrong first byte": bearer("s" + TOKEN[1:]),
        "wrong last byte": bearer(TOKEN[:-1] + "x"),
        "prefix": bearer(TOKEN[:-1]),
        "longer": bearer(TOKEN + "x"),
        "upper case": bearer(TOKEN.upper()),
        "lower case": bearer(TOKEN.lower()),
        "empty": bearer(""),
        "no scheme": [("Authorization", TOKEN)],
        "other scheme": [("Authorization", f"Basic {TOKEN}")],
        "scheme run together": [("Authorization", f"Bearer{TOKEN}")],
        "two tokens in one": bearer(f"{TOKEN} {TOKEN}"),
        "8 KiB": bearer("x" * 8192),
        "in another header": [("X-Authorization", f"Bearer {TOKEN}")],
        "proxy": [("Proxy-Authorization", f"Bearer {TOKEN}")],
    })
    def test_401_for(self, headers):
        self.refused(self.call("/orchestrate/one", headers=headers))
        self.assertEqual(self.fn["a"].requests, [])

    def test_401_in_the_query_is_no_token(self):
        self.refused(self.call(f"/orchestrate/one?token={TOKEN}&access_token={TOKEN}"))

    def test_two_authorization_lines_are_refused(self):
        # RFC 9110 5.3: not a list header. 400 or 401, never 200.
        for first, second in ((TOKEN, "x"), ("x", TOKEN)):
            answer = self.call("/orchestrate/one", headers=bearer(first) + bearer(second))
            self.assertIn(answer.status, (400, 401))

    def test_401_tells_nothing_about_pipelines_and_paths(self):
        for target in ("/orchestrate/nobody", "/orchestrate/", "/orchestrate/empty", "/nope", "/metrics"):
            self.refused(self.call(target))

    def test_pages_that_ask_for_no_token(self):
        for target in ("/health", "/livez", "/readyz", "/"):
            self.assertEqual(self.call(target).status, 200, target)

    def test_the_token_is_never_sent_to_a_function(self):
        self.call("/orchestrate/one", headers=bearer(TOKEN))
        self.assertIsNone(self.fn["a"].only_request().header("authorization"))

    def test_the_token_is_never_logged(self):
        self.call("/orchestrate/one", headers=bearer(TOKEN))
        self.call("/orchestrate/one", headers=bearer("Another-Guess"))
        self.assertNotIn(TOKEN, self.program.output)
        self.assertNotIn("Another-Guess", self.program.output)

    def test_no_100_continue_before_a_401(self):
        caller = self.client()
        headers = bearer("wrong") + [("Expect", "100-continue"), ("Content-Length", "5")]
        caller.send_request("POST", "/orchestrate/one", headers)
        answer = caller.answer()
        self.refused(answer)
        self.assertEqual(answer.interim, [])

    def test_a_trailer_never_authenticates(self):
        caller = self.client()
        caller.send_request("POST", "/orchestrate/one", [("Transfer-Encoding", "chunked")])
        caller.send(b"2\r\n{}\r\n0\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n")
        self.assertEqual(caller.answer().status, 401)

    def test_requests_after_a_401_on_the_same_connection(self):
        caller = self.client()
        answer = caller.call("GET", "/orchestrate/one")
        self.refused(answer)
        self.assertFalse(answer.says_close, "framing is not in doubt")
        self.assertEqual(caller.call("GET", "/orchestrate/one", bearer(TOKEN)).status, 200)
        self.refused(caller.call("GET", "/orchestrate/one"))

    def test_the_body_of_a_refused_request_is_no_request(self):
        smuggled = b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n"
        caller = self.client()
        answer = caller.call("POST", "/orchestrate/one", body=smuggled)
        self.refused(answer)
        if answer.says_close:
            caller.expect_closed()
        else:
            caller.expect_quiet_and_open()


class TokenFile(Case):
    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as out:
            out.write(text)

    def setUp(self):
        self.store = self.directory({"empty": config()})
        self.path = os.path.join(self.directory().path, "tokens")

    def status(self, program, token):
        return program.call("GET", "/orchestrate/empty", bearer(token)).status

    def test_one_token_a_line(self):
        self.write("first\nsecond\r\n\nthird")
        program = self.start(self.store.url, "--auth-token-file", self.path)
        for token in ("first", "second", "third"):
            self.assertEqual(self.status(program, token), 400, token)
        for token in ("fourth", "first\tsecond", "", "firs"):
            self.assertEqual(self.status(program, token), 401, token)

    def test_the_flag_comes_before_the_environment(self):
        self.write("from-file\n")
        env = {"FNKIT_AUTH_TOKEN": "from-env"}
        program = self.start(self.store.url, "--auth-token-file", self.path, env=env)
        self.assertEqual(self.status(program, "from-file"), 400)
        self.assertEqual(self.status(program, "from-env"), 401)

    def test_sighup_reads_it_again(self):
        self.write("old\nboth\n")
        program = self.start(self.store.url, "--auth-token-file", self.path)
        callers = [client.Client(program.address) for _ in range(8)]
        for caller in callers:
            self.addCleanup(caller.close)
        self.write("both\nnew\n")
        program.send_signal(signal.SIGHUP)

        def everywhere(token):
            return {c.call("GET", "/orchestrate/empty", bearer(token)).status for c in callers}

        eventually(lambda: everywhere("new") == {400}, 5.0, "the new token in force")
        self.assertEqual(everywhere("old"), {401})
        self.assertEqual(everywhere("both"), {400})

    def test_sighup_with_a_file_that_is_gone_keeps_the_tokens(self):
        self.write("token\n")
        program = self.start(self.store.url, "--auth-token-file", self.path)
        os.unlink(self.path)
        before = len(program.stderr)
        program.send_signal(signal.SIGHUP)
        eventually(lambda: self.path in program.stderr[before:], 5.0, "a line that names the file")
        self.assertEqual(self.status(program, "token"), 400)
        self.assertEqual(program.call("GET", "/orchestrate/empty").status, 401)

    def test_a_file_without_any_token_never_means_open(self):
        # Silence is the one thing it must not do: refuse to start, or let nobody in.
        self.write("\n\n")
        program = self.start(self.store.url, "--auth-token-file", self.path, ready=False)
        eventually(lambda: not program.alive() or "listening" in program.stderr, 10.0, "started or not")
        if program.alive():
            self.assertEqual(program.call("GET", "/orchestrate/empty").status, 401)
        else:
            self.assertIn(program.wait(), (1, 2))


class OpenMode(Case):
    def test_open_mode_is_said_at_start(self):
        program = self.start(self.directory({"empty": config()}).url)
        self.assertEqual(program.call("GET", "/orchestrate/empty").status, 400)
        self.assertRegex(program.stderr, r"(?i)open mode")

    def test_open_mode_ignores_whatever_is_sent(self):
        program = self.start(self.directory({"empty": config()}).url)
        self.assertEqual(program.call("GET", "/orchestrate/empty", bearer("any")).status, 400)

    def test_with_a_token_it_is_not_said(self):
        program = self.start(self.directory().url, env={"FNKIT_AUTH_TOKEN": "x"})
        self.assertNotRegex(program.stderr, r"(?i)open mode")

    def test_an_empty_token_in_the_environment_is_not_silently_open(self):
        url = self.directory({"empty": config()}).url
        program = self.start(url, env={"FNKIT_AUTH_TOKEN": ""}, ready=False)
        eventually(lambda: not program.alive() or "listening" in program.stderr, 10.0, "started or not")
        if program.alive():
            if program.call("GET", "/orchestrate/empty").status != 401:
                self.assertRegex(program.stderr, r"(?i)open mode")
        else:
            self.assertIn(program.wait(), (1, 2))
