"""CONTRACT section 3, parallel pipelines: all at once, one object, byte for byte; the first failure."""

import gzip
import json
import socket

from support import answers
from support.case import ServedCase, pipelines_of
from support.cases import expand, rows
from support.store import config
from support.waiting import QUICK, tries

BIG = 0.5  # for bodies of a megabyte, in a build that counts every byte


@expand
class Merged(ServedCase):
    pipelines = pipelines_of(all="|a,b,c", backwards="|c,b,a", both="|a,b", alone="|a")

    def value_of(self, script):
        """The bytes of the one value in the answer of a pipeline of one step."""
        self.fn["a"].script = script
        answer = self.post("/orchestrate/alone")
        self.assertEqual((answer.status, answer.header("content-type")), (200, "application/json"), answer)
        self.assertTrue(answer.body.startswith(b'{"a":') and answer.body.endswith(b"}"), answer.body[:100])
        answer.body.decode("utf-8")
        return answer.body[len(b'{"a":') : -1]

    def timely_value_of(self, script, bound=QUICK):
        """In time, and the function's next answer is not touched by it."""
        for clock in tries(bound):
            self.setUp()
            with clock:
                value = self.value_of(script)
            self.assertEqual(self.value_of(answers.json("1.0")), b"1.0")
        return value

    def text_of(self, script, bound=QUICK):
        return json.loads(self.timely_value_of(script, bound).decode("utf-8"))

    def test_all_are_called_at_once(self):
        # None answers before all three have been called.
        gate = self.gate()
        for made in self.fn.values():
            made.script = answers.held(gate, answers.json("1"))
        caller = self.client()
        caller.send_request("POST", "/orchestrate/all", body=b"in")
        for made in self.fn.values():
            made.wait_for(1)
        gate.set()
        self.assertEqual(caller.answer().body, b'{"a":1,"b":1,"c":1}')
        self.assertEqual([made.only_request().body for made in self.fn.values()], [b"in"] * 3)

    def test_keys_in_the_order_of_steps_not_of_answers(self):
        gates = {name: self.gate() for name in self.fn}
        for name, made in self.fn.items():
            made.script = answers.held(gates[name], answers.json(f'"{name}"'))
        caller = self.client()
        caller.send_request("POST", "/orchestrate/backwards", body=b"{}")
        for made in self.fn.values():
            made.wait_for(1)
        for name in ("b", "a", "c"):
            gates[name].set()
        self.assertEqual(caller.answer().body, b'{"c":"c","b":"b","a":"a"}')

    @rows({
        "big integer": b"12345678901234567890",
        "1.0": b"1.0",
        "exponent": b"-1.5E+400",
        "long fraction": b"0.1000000000000000055511151231257827021181583404541015625",
        "escapes": b'"\\u00e9\\/\\ud83d\\ude00"',
        "white space inside": b'{ "b" :\t[ 1 ,\r\n 2 ] ,"a":{ } }',
        "literals": b"[true,false,null]",
        "empty string": b'""',
        "utf-8": '"grün 😀"'.encode(),
    })
    def test_json_is_embedded_byte_for_byte(self, body):
        self.assertEqual(self.value_of(answers.json(body)), body)

    def test_white_space_around_a_value_is_no_harm(self):
        value = self.value_of(answers.json(b' \r\n\t{"x":1.0}\n'))
        self.assertEqual(value.strip(b" \r\n\t"), b'{"x":1.0}')

    def test_three_values_together(self):
        self.fn["a"].script = answers.json("12345678901234567890")
        self.fn["b"].script = answers.json("1.0")
        self.fn["c"].script = answers.text("plain")
        self.assertEqual(
            self.post("/orchestrate/all").body, b'{"a":12345678901234567890,"b":1.0,"c":"plain"}'
        )

    @rows({
        "plain": "application/json",
        "charset": "application/json; charset=utf-8",
        "charset without space": "application/json;charset=UTF-8",
        "upper case": "Application/JSON",
        "problem": "application/problem+json",
        "vendor with parameter": "application/vnd.api+json; version=1",
    })
    def test_content_types_that_are_json(self, content_type):
        self.assertEqual(self.value_of(answers.json('{"x":1.0}', 200, content_type)), b'{"x":1.0}')

    @rows({
        "text": "text/plain",
        "html": "text/html",
        "xml": "application/xml",
        "octets": "application/octet-stream",
        "json in a parameter": "text/plain; x=application/json",
        "longer": "application/jsonx",
        "sequence": "application/json-seq",
    })
    def test_content_types_that_are_text(self, content_type):
        value = self.value_of(answers.json('{"x":1.0}', 200, content_type))
        self.assertEqual(json.loads(value), '{"x":1.0}')

    def test_no_content_type_is_text(self):
        self.assertEqual(json.loads(self.value_of(answers.reply(200, "[1]", content_type=None))), "[1]")

    @rows({
        "cut": b'{"a":',
        "trailing comma": b'{"a":1,}',
        "two values": b"1 2",
        "NaN": b"NaN",
        "single quotes": b"{'a':1}",
        "leading zero": b"01",
        "comment": b"/* x */ 1",
        "control character": b'"a\nb"',
        "lone bracket": b"]",
        "plus": b"+1",
        "bare word": b"hello",
        "bad escape": b'"\\x41"',
    })
    def test_u24_broken_json_is_a_string(self, body):
        self.assertEqual(self.text_of(answers.json(body)), body.decode())

    def test_u25_invalid_utf_8_in_json_leaves_the_answer_valid(self):
        self.assertIn("\ufffd", str(self.text_of(answers.json(b'{"x":"\xff"}'))))

    @rows({
        "plain": b"hello",
        "quotes and backslashes": b'a"b\\c/',
        "controls": bytes(range(32)) + b"\x7f",
        "line separators": "\u2028\u2029".encode(),
        "emoji": "😀".encode(),
        "invalid": b"a\xffb",
        "truncated": b"\xe2\x82",
        "truncated within": b"\xe2\x82x\xf0\x9f\x98y",
        "surrogate": b"\xed\xa0\x80",
        "overlong": b"\xc0\xaf\xf5\x80\x80\x80",
        "big": b"x" * 1_000_000,
    })
    def test_u25_text_is_a_json_string(self, body):
        bound = BIG if len(body) > 100_000 else QUICK
        self.assertTrue(self.text_of(answers.text(body), bound) == body.decode("utf-8", "replace"))

    @rows({
        "brackets": b"[" * 1_000_000,
        "braces": b'{"a":' * 200_000,
        "brackets that close": b"[" * 1_000_000 + b"]" * 1_000_000,
    })
    def test_u26_a_json_bomb_is_a_string(self, body):
        self.assertTrue(self.text_of(answers.json(body), BIG) == body.decode())

    def test_u26_a_number_of_a_million_digits_stays_as_it_was(self):
        digits = b"1" * 1_000_000
        self.assertTrue(self.timely_value_of(answers.json(digits), BIG) == digits)

    def test_u26_duplicate_keys_stay_as_they_were(self):
        body = b'{"a":1,"a":2}'
        self.assertEqual(self.timely_value_of(answers.json(body)), body)

    def test_an_empty_answer_is_an_empty_string(self):
        for script in (answers.text(b""), answers.json(b""), answers.reply(204)):
            self.assertEqual(self.value_of(script), b'""')

    def test_the_status_is_200_whatever_2xx_they_gave(self):
        self.fn["a"].script = answers.json("1", 201)
        self.fn["b"].script = answers.reply(204)
        answer = self.post("/orchestrate/both")
        self.assertEqual((answer.status, answer.body), (200, b'{"a":1,"b":""}'))

    def test_5_mib_values(self):
        big = b'"' + b"x" * (5 * 1024 * 1024) + b'"'
        self.fn["a"].script = answers.json(big)
        self.fn["b"].script = answers.json("2")
        self.assertTrue(self.post("/orchestrate/both").body == b'{"a":' + big + b',"b":2}')

    def test_every_framing_of_answers(self):
        self.fn["a"].script = answers.chunked(b'{"x"', b":1}", content_type="application/json")
        self.fn["b"].script = answers.until_end(b"[2]", content_type="application/json")
        self.fn["c"].script = answers.byte_by_byte(answers.whole(200, "3", "application/json"))
        self.assertEqual(self.post("/orchestrate/all").body, b'{"a":{"x":1},"b":[2],"c":3}')


@expand
class Failed(ServedCase):
    """502, the first failure that became known, the others abandoned."""

    arguments = ("--step-timeout", "2s")
    pipelines = {
        **pipelines_of(all="|a,b,c", both="|a,b"),
        "down": config("a", "down", mode="parallel"),
    }

    @classmethod
    def more_resolve(cls):
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))  # never listens
        cls.addClassCleanup(taken.close)
        return {"down": f"127.0.0.1:{taken.getsockname()[1]}"}

    def failure(self, answer):
        """The one failure of the answer, its shape checked."""
        self.assertEqual((answer.status, answer.header("content-type")), (502, "application/json"), answer)
        self.assertEqual(answer.keys(), ["error", "details", "failures"])
        told = answer.json()
        self.assertEqual(told["error"], "Parallel execution failed")
        self.assertGreaterEqual(len(told["failures"]), 1)
        for failure in told["failures"]:
            self.assertEqual(list(failure), ["step", "status", "body"])
        self.assertEqual(json.loads(told["details"]), told["failures"][0])
        return told["failures"][0]

    def test_exact_shape(self):
        gate = self.gate()
        self.fn["a"].script = answers.held(gate, answers.text("late"))
        self.fn["b"].script = answers.text('no "b"', 418)
        answer = self.post("/orchestrate/both")
        inner = r'{\"step\":\"b\",\"status\":418,\"body\":\"no \\\"b\\\"\"}'
        wanted = (
            '{"error":"Parallel execution failed","details":"' + inner + '",'
            '"failures":[{"step":"b","status":418,"body":"no \\"b\\""}]}'
        )
        self.assert_error(answer, 502, wanted)

    @rows({str(status): status for status in (301, 302, 307, 400, 404, 429, 500, 503)})
    def test_status_of_a_step(self, status):
        self.fn["b"].script = answers.reply(status, "why", headers=[("Location", "http://a:1/")])
        failure = self.failure(self.post("/orchestrate/both"))
        self.assertEqual(failure, {"step": "b", "status": status, "body": "why"})

    def test_a_body_that_is_json_is_given_as_text(self):
        self.fn["b"].script = answers.json('{"why":1.0}', 400)
        self.assertEqual(self.failure(self.post("/orchestrate/both"))["body"], '{"why":1.0}')

    def test_unreachable_is_502(self):
        failure = self.failure(self.post("/orchestrate/down"))
        self.assertEqual((failure["step"], failure["status"]), ("down", 502))
        self.assertTrue(failure["body"], "the reason is missing")

    def test_silence_is_504(self):
        self.fn["b"].script = answers.silent
        failure = self.failure(self.post("/orchestrate/both"))
        self.assertEqual((failure["step"], failure["status"]), ("b", 504))
        self.assertTrue(failure["body"], "the reason is missing")

    def test_broken_http_is_502(self):
        self.fn["b"].script = answers.raw(b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n", "silent")
        failure = self.failure(self.post("/orchestrate/both"))
        self.assertEqual((failure["step"], failure["status"]), ("b", 502))

    def test_a_compressed_answer_is_a_failed_step(self):
        data = gzip.compress(b"{}", mtime=0)
        self.fn["b"].script = answers.reply(200, data, "application/json", [("Content-Encoding", "gzip")])
        failure = self.failure(self.post("/orchestrate/both"))
        self.assertEqual((failure["step"], failure["status"]), ("b", 502))

    def test_identity_is_not_compressed(self):
        self.fn["b"].script = answers.reply(200, "1", "application/json", [("Content-Encoding", "identity")])
        self.assertEqual(self.post("/orchestrate/both").status, 200)

    def test_all_fail(self):
        for made in self.fn.values():
            made.script = answers.text("no", 500)
        self.assertEqual(self.failure(self.post("/orchestrate/all"))["status"], 500)
