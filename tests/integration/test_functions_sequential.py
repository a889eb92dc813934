"""CONTRACT section 3, sequential pipelines: what passes on, what stops them, what the caller gets."""

import gzip
import json
import os

from support import answers
from support.case import ServedCase
from support.cases import expand, rows
from support.store import config
from support.waiting import eventually


def failed(step, status, body):
    """The exact bytes of the contract's shape."""
    told = {"error": "Step failed", "step": step, "status": status, "body": body}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


@expand
class Success(ServedCase):
    def test_each_input_is_the_output_before_it(self):
        self.fn["a"].script = answers.text("from a")
        self.fn["b"].script = answers.text("from b")
        self.fn["c"].script = answers.text("from c")
        answer = self.post("/orchestrate/three", b"from the caller")
        self.assertEqual((answer.status, answer.body), (200, b"from c"))
        bodies = [self.fn[step].only_request().body for step in ("a", "b", "c")]
        self.assertEqual(bodies, [b"from the caller", b"from a", b"from b"])

    def test_one_after_the_other(self):
        gate = self.gate()
        self.fn["a"].script = answers.held(gate, answers.text("x"))
        caller = self.client()
        caller.send_request("POST", "/orchestrate/two", body=b"{}")
        self.fn["a"].wait_for(1)
        self.assertEqual(self.call("/livez").status, 200)
        self.assertEqual(self.fn["b"].requests, [])
        gate.set()
        self.assertEqual(caller.answer().status, 200)
        self.fn["b"].only_request()

    def test_bodies_pass_byte_for_byte(self):
        data = os.urandom(100_000) + b"\x00\xff\r\n" + bytes(range(256))
        self.fn["a"].script = answers.reply(200, data, "image/png")
        self.fn["b"].script = answers.echo()
        self.assertTrue(self.post("/orchestrate/two").body == data)
        self.assertTrue(self.fn["b"].only_request().body == data)

    def test_json_is_not_touched(self):
        data = b'{ "n" : 12345678901234567890, "f":1.0,\t"e":"\\u00e9" }\n'
        self.fn["a"].script = answers.json(data)
        self.assertEqual(self.call("/orchestrate/one").body, data)

    @rows({str(status): status for status in (200, 201, 202, 203, 206, 299)})
    def test_status_of_the_last_step(self, status):
        self.fn["b"].script = answers.reply(status, "made", "text/x-made")
        answer = self.post("/orchestrate/two")
        self.assertEqual((answer.status, answer.body), (status, b"made"))
        self.assertEqual(answer.header("content-type"), "text/x-made")

    def test_204_of_the_last_step(self):
        self.fn["b"].script = answers.reply(204)
        caller = self.client()
        answer = caller.call("POST", "/orchestrate/two", body=b"{}")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertIsNone(answer.header("content-length"))  # RFC 9110 8.6
        caller.expect_quiet_and_open()

    def test_an_empty_body_of_the_last_step(self):
        self.fn["b"].script = answers.reply(200, b"", "text/plain")
        answer = self.post("/orchestrate/two")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.header("content-length"), "0")

    def test_status_of_an_earlier_step_does_not_matter(self):
        self.fn["a"].script = answers.reply(201, "created")
        self.fn["b"].script = answers.text("x")
        self.assertEqual(self.post("/orchestrate/two").status, 200)

    def test_an_empty_output_is_an_empty_input(self):
        for script in (answers.reply(204), answers.reply(200, b"")):
            self.setUp()
            self.fn["a"].script = script
            self.assertEqual(self.post("/orchestrate/two").status, 200)
            self.assertEqual(self.fn["b"].only_request().body, b"")

    def test_an_answer_without_content_type(self):
        self.fn["a"].script = answers.reply(200, "x", content_type=None)
        answer = self.call("/orchestrate/one")
        self.assertEqual((answer.status, answer.body), (200, b"x"))

    def test_a_compressed_answer_passes_on_with_its_encoding(self):
        data = gzip.compress(b'{"a":1}', mtime=0)
        self.fn["b"].script = answers.reply(200, data, "application/json", [("Content-Encoding", "gzip")])
        answer = self.post("/orchestrate/two")
        self.assertEqual((answer.status, answer.body), (200, data))
        self.assertEqual(answer.header("content-encoding"), "gzip")
        self.assertEqual(answer.header("content-type"), "application/json")

    def test_a_compressed_output_passes_to_the_next_step_with_its_encoding(self):
        data = gzip.compress(b'{"a":1}', mtime=0)
        self.fn["a"].script = answers.reply(200, data, "application/json", [("Content-Encoding", "gzip")])
        answer = self.post("/orchestrate/two")
        request = self.fn["b"].only_request()
        self.assertEqual((request.body, request.header("content-encoding")), (data, "gzip"))
        self.assertIsNone(answer.header("content-encoding"), "the last answer was not compressed")

    def test_one_function_twice_in_a_pipeline(self):
        self.fn["a"].script = lambda exchange: answers.text(exchange.request.body + b"+")(exchange)
        self.store.set("twice", config("a", "a", "a"))
        answer = eventually(lambda: self.in_force("/orchestrate/twice"), 5.0)
        self.assertEqual(answer.body, b"x+++")

    def in_force(self, target):
        answer = self.post(target, b"x")
        return answer if answer.status != 404 else None


@expand
class Failure(ServedCase):
    """A step that answers outside 200–299 stops the pipeline."""

    def test_304_has_no_body(self):
        self.fn["a"].script = answers.raw(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        caller = self.client()
        self.assertEqual(caller.call("POST", "/orchestrate/two", body=b"{}").status, 304)
        caller.expect_quiet_and_open()
        self.assertEqual(self.fn["b"].requests, [])

    def test_205_like_any_2xx_is_success(self):
        self.fn["a"].script = answers.reply(205, b"")
        self.assertEqual(self.post("/orchestrate/one").status, 205)

    def test_the_first_step(self):
        self.fn["a"].script = answers.text("no", 422)
        self.assert_error(self.post("/orchestrate/three"), 422, failed("a", 422, "no"))
        self.assertEqual(self.fn["b"].requests + self.fn["c"].requests, [])

    def test_the_last_step(self):
        self.fn["c"].script = answers.json('{"why":"late"}', 503)
        self.assert_error(self.post("/orchestrate/three"), 503, failed("c", 503, '{"why":"late"}'))

    def test_an_empty_body(self):
        self.fn["a"].script = answers.reply(500, b"")
        self.assert_error(self.post("/orchestrate/one"), 500, failed("a", 500, ""))

    @rows({
        "control characters": b'tab\tnl\ncr\rquote"back\\slash\x00\x1f\x7f',
        "UTF-8": "grün 😀 \u2028".encode(),
        "invalid UTF-8": b"a\xffb\xc3(\xe2\x82",
        "surrogate in UTF-8": b"\xed\xa0\x80",
        "overlong": b"\xc0\xaf",
    })
    def test_the_body_as_text(self, body):
        # As response.text() does: what is no UTF-8 becomes U+FFFD (WHATWG decoding, like Python's).
        self.fn["a"].script = answers.reply(500, body)
        answer = self.post("/orchestrate/one")
        self.assertEqual(answer.status, 500)
        self.assertEqual(answer.json()["body"], body.decode("utf-8", "replace"))

    def test_the_connection_of_the_caller_stays(self):
        self.fn["a"].script = answers.text("no", 500)
        caller = self.client()
        self.assertEqual(caller.call("POST", "/orchestrate/one", body=b"{}").status, 500)
        caller.expect_quiet_and_open()
