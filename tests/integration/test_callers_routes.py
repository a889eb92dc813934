"""CONTRACT section 2: which answer each target gets, and what suffix and query become."""

from support import answers
from support.case import ServedCase, pipelines_of
from support.cases import expand, rows
from support.store import config

ODD = "Az09._~:@!$&'()*+,;=-"

INVALID = {
    "not JSON": "{",
    "empty": "",
    "an array": "[]",
    "null": "null",
    "a string": '"a"',
    "no steps key": '{"mode":"sequential"}',
    "steps a string": '{"steps":"a"}',
    "steps of numbers": '{"steps":[1]}',
    "steps with null": '{"steps":["a",null]}',
    "unknown mode": '{"mode":"diagonal","steps":["a"]}',
    "mode a number": '{"mode":1,"steps":["a"]}',
    "two values": '{"steps":["a"]}{"steps":["a"]}',
    "trailing comma": '{"steps":["a"],}',
    "65 steps": config(*["a"] * 65),
    "over 64 KiB": '{"steps":["a"],"x":"%s"}' % ("x" * 65536),
    "nested too deep": '{"steps":["a"],"x":' + "[" * 5000 + "]" * 5000 + "}",
    "invalid UTF-8": b'{"steps":["a"],"x":"\xff"}',
    "step empty": '{"steps":[""]}',
    "step with slash": '{"steps":["evil.com/x?"]}',
    "step with at": '{"steps":["a@b"]}',
    "step with port": '{"steps":["a:22"]}',
    "step with line end": '{"steps":["a\\r\\nX: y"]}',
    "step with NUL": '{"steps":["a\\u0000"]}',
    "step with percent": '{"steps":["a%2fb"]}',
    "step 8 bit": '{"steps":["ä"]}',
    "step dots": '{"steps":[".."]}',
    "step of 254 bytes": '{"steps":["%s"]}' % ("a" * 254),
    "step loopback": '{"steps":["127.0.0.1"]}',
    "step hex address": '{"steps":["0x7f.1"]}',
    "step decimal address": '{"steps":["2130706433"]}',
    "step octal address": '{"steps":["0177.0.0.1"]}',
    "step short address": '{"steps":["127.1"]}',
    "step hex number": '{"steps":["0x7f000001"]}',
    "step address with dot": '{"steps":["127.0.0.1."]}',
    "step IPv6": '{"steps":["[::1]"]}',
    "step IPv6 bare": '{"steps":["::1"]}',
    "step metadata address": '{"steps":["169.254.169.254"]}',
    "step second of two": '{"steps":["a","10.0.0.1"]}',
    "step in parallel": '{"mode":"parallel","steps":["a","10.0.0.1"]}',
}

VALID = {
    "mode missing": '{"steps":["a"]}',
    "unknown key": '{"steps":["a"],"colour":{"x":[1]}}',
    "white space": ' {\n "steps" : [ "a" ] , "mode" : "sequential" } \n',
    "escaped name": '{"st\\u0065ps":["\\u0061"]}',
    "64 steps": config(*["a"] * 64),
}


def key(name):
    return name.replace(" ", "-")


@expand
class Answers(ServedCase):
    """The table of section 2."""

    pipelines = {
        **pipelines_of(one="a", empty=""),
        ODD: config("a"),
        "n" * 128: config("a"),
        **{f"bad-{key(name)}": value for name, value in INVALID.items()},
        **{f"good-{key(name)}": value for name, value in VALID.items()},
    }

    @rows({"nothing": "/orchestrate", "slash": "/orchestrate/", "query": "/orchestrate?x=1",
           "slash and query": "/orchestrate/?x=1", "empty name and suffix": "/orchestrate//x"})
    def test_no_or_empty_name(self, target):
        for method in ("GET", "POST"):
            self.assert_error(self.call(target, method), 400, '{"error":"Pipeline name missing"}')

    @rows({"nope": "/nope", "prefix": "/orchestrated/one", "upper case": "/Orchestrate/one",
           "deeper": "/x/orchestrate/one", "two slashes": "//orchestrate/one"})
    def test_other_path(self, target):
        for method in ("GET", "POST", "DELETE"):
            self.assert_error(self.call(target, method), 404, '{"error":"Not found"}')

    @rows({"plain": "nobody", "case": "ONE", "longer": "one1", "shorter": "on", "of 129 bytes": "n" * 129})
    def test_unknown_pipeline(self, name):
        answer = self.call(f"/orchestrate/{name}")
        self.assert_error(answer, 404, f'{{"error":"Pipeline not found: {name}"}}')

    def test_unknown_pipeline_with_suffix_and_query(self):
        answer = self.call("/orchestrate/nobody/x/y?q=1")
        self.assert_error(answer, 404, '{"error":"Pipeline not found: nobody"}')

    def test_names_with_bytes_that_no_name_has_are_not_found(self):
        for name in ("a%2Fb", "%00", "a%22b", "%C3%A4", "one%20"):
            answer = self.call(f"/orchestrate/{name}")
            self.assertEqual(answer.status, 404, name)
            self.assertTrue(answer.json()["error"].startswith("Pipeline not found: "))

    def test_no_steps(self):
        self.assert_error(self.call("/orchestrate/empty"), 400, '{"error":"Pipeline has no steps"}')

    @rows({name: key(name) for name in INVALID})
    def test_invalid_config(self, name):
        answer = self.call(f"/orchestrate/bad-{name}", "POST", body=b"{}")
        self.assertEqual(answer.status, 500, answer)
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertEqual(answer.keys(), ["error", "detail"])
        self.assertEqual(answer.json()["error"], f"Pipeline config invalid: bad-{name}")
        self.assertTrue(answer.json()["detail"])
        self.assertEqual(self.fn["a"].requests, [])
        self.assertEqual(self.call("/orchestrate/one").status, 200, "others are unaffected")

    @rows({name: key(name) for name in VALID})
    def test_valid_config(self, name):
        answer = self.call(f"/orchestrate/good-{name}", "POST", body=b"{}")
        self.assertEqual((answer.status, answer.body), (200, b'{"from":"a"}'), answer)

    def test_every_character_of_a_name(self):
        self.assertEqual(self.call(f"/orchestrate/{ODD}").status, 200)

    def test_a_name_of_128_bytes(self):
        self.assertEqual(self.call("/orchestrate/" + "n" * 128).status, 200)

    def test_any_method(self):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            self.assertEqual(self.call("/orchestrate/one", method).status, 200, method)

    def test_connect_is_no_way_out(self):
        with self.client() as caller:
            caller.send(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
            self.assertIn(caller.answer().status, (405, 501))


@expand
class Targets(ServedCase):
    """Suffix and query go to every step as its path and query."""

    pipelines = pipelines_of(p="a,b", q="|a,b")

    @rows({
        "no suffix": ("", "/"),
        "slash": ("/", "/"),
        "query only": ("?q=1", "/?q=1"),
        "empty query": ("?", ("/", "/?")),
        "slash and query": ("/?q=1", "/?q=1"),
        "suffix": ("/x/y", "/x/y"),
        "suffix and query": ("/x/y?q=1", "/x/y?q=1"),
        "trailing slash": ("/x/", "/x/"),
        "double slash": ("/x//y", "/x//y"),
        "query with slash and question mark": ("/x?a=/b?c", "/x?a=/b?c"),
        "percent-encoded": ("/a%2Fb%20c%00?x=%26%0d%0a", "/a%2Fb%20c%00?x=%26%0d%0a"),
        "lower case escapes stay": ("/%e2%82%ac", "/%e2%82%ac"),
        "every character": ("/-._~:@!$&'()*+,;=?/?:@-._~!$&'()*+,;=", "/-._~:@!$&'()*+,;=?/?:@-._~!$&'()*+,;="),
        "dot in a name": ("/.x/..y/z.", "/.x/..y/z."),
    })
    def test_suffix_and_query(self, given, wanted):
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for name in ("p", "q"):
            self.setUp()
            self.assertEqual(self.call(f"/orchestrate/{name}{given}", "POST", body=b"{}").status, 200)
            for step in ("a", "b"):
                self.assertIn(self.fn[step].only_request().target, wanted)

    def test_absolute_form(self):
        # RFC 9112 3.2.2: a server must accept it.
        self.assertEqual(self.call("http://fnkit.test/orchestrate/p/x?y=1").status, 200)
        self.assertEqual(self.fn["a"].only_request().target, "/x?y=1")

    def test_dot_segments_are_refused(self):
        # What a function's own router would make of them is not ours to guess.
        for suffix in ("/..", "/../x", "/x/../y", "/x/..?q"):
            self.assertEqual(self.call(f"/orchestrate/p{suffix}").status, 400, suffix)
        self.assertEqual(self.fn["a"].requests, [])

    def test_a_long_query(self):
        query = "q=" + "x" * 7000
        self.assertEqual(self.call(f"/orchestrate/p/y?{query}").status, 200)
        self.assertEqual(self.fn["a"].only_request().target, f"/y?{query}")


class RequestIds(ServedCase):
    """Every answer carries x-request-id: the caller's, or a new one."""

    pipelines = pipelines_of(one="a", empty="", two="a,b")

    def test_the_callers_is_echoed_on_every_kind_of_answer(self):
        for target in ("/orchestrate/one", "/orchestrate/empty", "/orchestrate/x", "/nope", "/livez", "/"):
            answer = self.call(target, headers=[("X-Request-Id", "Id-1_2.3")])
            self.assertEqual(answer.header("x-request-id"), "Id-1_2.3", target)

    def test_a_new_one_each_time(self):
        seen = {self.call("/orchestrate/one").header("x-request-id") for _ in range(20)}
        self.assertEqual(len(seen), 20)
        self.assertNotIn(None, seen)

    def test_errors_of_the_wire_have_one_too(self):
        with self.client() as caller:
            caller.send(b"GET / HTTP/1.1\r\nHost: t\r\nbad header\r\n\r\n")
            self.assertTrue(caller.answer().header("x-request-id"))

    def test_all_steps_get_the_same_one(self):
        answer = self.call("/orchestrate/two")
        ids = {self.fn[step].only_request().header("x-request-id") for step in ("a", "b")}
        self.assertEqual(ids, {answer.header("x-request-id")})

    def test_a_step_cannot_replace_it(self):
        self.fn["a"].script = answers.reply(200, "x", headers=[("X-Request-Id", "from-the-step")])
        answer = self.call("/orchestrate/one", headers=[("x-request-id", "mine")])
        self.assertEqual(answer.header("x-request-id"), "mine")
