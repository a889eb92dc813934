"""What is recorded: in Valkey in the reference's shapes, and at /observe and /metrics: CONTRACT section 6."""

import json
import re

from support import answers, client
from support.metrics import Metrics
from support.store import config
from support.store_case import StoreCase, with_both_servers
from support.waiting import eventually

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
TOKEN = {"FNKIT_AUTH_TOKEN": "secret"}
ALLOWED = [("Authorization", "Bearer secret")]


class ObserveCase(StoreCase):
    def setUp(self):
        super().setUp()
        self.store = self.server.client()

    def serve(self, *arguments, **more):
        program = super().serve("--admin-listen", "127.0.0.1:0", *arguments, **more)
        self.admin = program.admin_address
        return program

    def page(self, target, address=None, headers=()):
        answer = client.call(address or self.admin, "GET", target, headers)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)

    def metrics(self, program=None):
        return Metrics.of((program or self.program).admin_address)

    def listed(self, key):
        return [json.loads(each) for each in self.store("LRANGE", key, "0", "-1")]

    def stored_metrics(self, step):
        value = self.store("GET", f"fnkit:metrics:{step}")
        return json.loads(value) if value else {}


@with_both_servers
class InTheStoreBase(ObserveCase):
    def test_a_run_is_a_trace_for_each_step_and_one_for_itself(self):
        self.server.set("order", config("one", "two"))
        self.serve()
        answer = client.call(self.program.address, "POST", "/orchestrate/order/a/b?secret=1", body=b"in")
        self.assertEqual(answer.status, 200)
        traces = eventually(lambda: self.listed("fnkit:traces"), 3.0, "traces in the store")
        self.assertEqual([trace["container"] for trace in traces], ["orchestrator", "two", "one"])
        self.assertEqual([trace["path"] for trace in traces], ["/orchestrate/order/a/b", "/two/a/b", "/one/a/b"])
        self.assertEqual({trace["method"] for trace in traces}, {"POST"})
        self.assertEqual({trace["status"] for trace in traces}, {200})
        self.assertEqual([trace["preview"] for trace in traces], ["two", "two", "one"])
        self.assertEqual(len({trace["trace_id"] for trace in traces}), 1)
        traceparent = self.fn["one"].requests[0].header("traceparent")
        self.assertIn(traces[0]["trace_id"], traceparent)
        for trace in traces:
            self.assertRegex(trace["timestamp"], ISO)
            self.assertGreater(trace["latency_ms"], 0)
            self.assertEqual(
                set(trace),
                {"timestamp", "method", "path", "container", "status", "latency_ms", "preview", "trace_id"},
            )

    def test_counters_of_several_instances_add_up_with_what_was_there(self):
        self.server.set("order", config("one"))
        self.store("SET", "fnkit:metrics:one",
                   '{"requests":100,"errors":3,"last_active":"2020-01-01T00:00:00.000Z","status":"error","topics":7}')
        first = self.serve()
        second = self.serve()
        for number in range(30):
            for program in (first, second):
                self.fn["one"].script = answers.text("no", 500) if number % 10 == 0 else answers.text("one")
                client.call(program.address, "POST", "/orchestrate/order", body=b"in")
        eventually(lambda: self.stored_metrics("one")["requests"] == 160, 3.0, "all calls counted")
        found = self.stored_metrics("one")
        self.assertEqual((found["errors"], found["status"], found["topics"]), (9, "running", 7))
        self.assertGreater(found["last_active"], "2026")
        self.assertEqual(self.page("/observe/metrics")["one"], found)

    def test_an_event_for_what_failed_and_for_what_changed(self):
        self.server.set("order", config("one", "gone"))
        self.serve("--resolve", "gone=127.0.0.1:1")
        client.call(self.program.address, "POST", "/orchestrate/order", [("x-request-id", "my-request")], body=b"in")
        events = eventually(
            lambda: [each for each in self.listed("fnkit:events") if each["source"] == "gone"], 3.0, "an event")
        self.assertEqual((events[0]["level"], events[0]["message"]), ("error", "Function call failed"))
        self.assertRegex(events[0]["detail"], "refused.* pipeline=order .*request_id=my-request")
        self.assertRegex(events[0]["timestamp"], ISO)
        self.assertEqual(self.stored_metrics("gone")["status"], "error")

    def test_the_lists_keep_the_thousand_newest(self):
        self.server.set("order", config("one"))
        self.serve()
        caller = self.connect(self.program.address)
        for number in range(620):
            caller.call("POST", f"/orchestrate/order/n{number}", body=b"in")
        eventually(lambda: self.listed("fnkit:traces")[:1] and
                   self.listed("fnkit:traces")[0]["path"] == "/orchestrate/order/n619", 3.0, "the last trace")
        paths = [trace["path"] for trace in self.listed("fnkit:traces")]
        self.assertEqual(len(paths), 1000)
        wanted = [path for n in range(619, 119, -1) for path in (f"/orchestrate/order/n{n}", f"/one/n{n}")]
        self.assertEqual(paths, wanted)

    def test_a_full_batch_is_followed_a_second_later(self):
        self.server.set("order", config("one"))
        self.serve()
        caller = self.connect(self.program.address)
        seen = self.server.client()
        seen("MONITOR")
        self.server.freeze()
        for _ in range(1000):  # 2000 traces: what is on its way while the server stands still has 1000 at most
            caller.call("POST", "/orchestrate/order", body=b"in")
        self.server.thaw()

        def next_batch():
            while '"EVAL"' not in (line := seen.reply()) or "batch:" not in line:
                pass
            caller.call("POST", "/orchestrate/order", body=b"in")  # there is always another one
            return float(line.split()[0]), line.count("trace_id")

        batch = next_batch()
        while batch[1] < 1000:
            batch = next_batch()
        self.assertGreater(next_batch()[0] - batch[0], 0.9)

    def test_what_others_put_there_hurts_nothing(self):
        self.server.set("order", config("one", "two"))
        self.store("LPUSH", "fnkit:metrics:one", "a list")
        self.store("SET", "fnkit:metrics:two", "no JSON")
        self.store("LPUSH", "fnkit:traces", "no JSON either", '{"a":1}')
        self.serve()
        client.call(self.program.address, "POST", "/orchestrate/order", body=b"in")
        eventually(lambda: b"requests" in self.store("GET", "fnkit:metrics:two"), 3.0, "what can be stored")
        self.assertEqual(self.stored_metrics("two")["requests"], 1)
        self.assertEqual(self.store("TYPE", "fnkit:metrics:one"), "list")
        self.program.wait_for_line("was not stored.*fnkit:metrics:one.*WRONGTYPE")
        page = self.page("/observe/traces")
        self.assertEqual(page["traces"][3:], [{"a": 1}, "no JSON either"])
        client.call(self.program.address, "POST", "/orchestrate/order", body=b"in")
        eventually(lambda: self.stored_metrics("two").get("requests") == 2, 3.0, "later ones too")

    def test_the_pages_tell_what_is_in_the_store(self):
        self.server.set("order", config("one"))
        first = self.serve()
        self.serve()
        for program in (first, self.program):
            client.call(program.address, "POST", "/orchestrate/order", body=b"in")
        eventually(lambda: len(self.listed("fnkit:traces")) == 4, 3.0, "four traces")
        page = self.page("/observe/traces?count=3")
        self.assertEqual((page["count"], page["traces"]), (3, self.listed("fnkit:traces")[:3]))
        status = self.page("/observe/status")
        self.assertEqual((status["traces"], status["pipelines"]), (4, 1))
        self.assertEqual(status["containers"]["one"]["requests"], 2)
        self.assertEqual(status["started"], self.store("GET", "fnkit:observe:started").decode())
        self.assertEqual(self.page("/observe"), status)
        self.assertEqual(self.page("/observe/events?count=1")["count"], 1)

    def test_what_was_recorded_last_is_brought_at_the_end(self):
        self.server.set("order", config("one"))
        self.serve()
        for _ in range(20):
            client.call(self.program.address, "POST", "/orchestrate/order", body=b"in")
        self.program.stop()
        self.assertEqual(self.stored_metrics("one")["requests"], 20)
        self.assertEqual(len(self.listed("fnkit:traces")), 40)


@with_both_servers
class WithoutTheStoreBase(ObserveCase):
    """Requests see nothing of it; what does not fit is dropped and counted, what is counted is not lost."""

    def outage(self, stop, go_on):
        self.server.set("order", config("one"))
        self.serve()
        caller = self.connect(self.program.address)
        caller.call("POST", "/orchestrate/order", body=b"in")
        eventually(lambda: self.stored_metrics("one").get("requests") == 1, 3.0, "the first call")
        stop()
        for number in range(1500):
            self.assertEqual(caller.call("POST", f"/orchestrate/order/n{number}", body=b"in").status, 200)
        metrics = eventually(
            lambda: (found := self.metrics()) and found["fnkit_records_dropped_total", "kind=trace"] and found,
            3.0, "dropped traces counted")
        recorded = metrics["fnkit_records_total", "kind=trace"]
        self.assertEqual(recorded, 3002)
        go_on()
        self.store = self.server.client()
        eventually(lambda: self.stored_metrics("one").get("requests") in self.counted, 15.0, "all calls counted")
        eventually(lambda: len(self.listed("fnkit:traces")) >= 1000, 3.0, "the newest traces")
        self.assertEqual(self.listed("fnkit:traces")[0]["path"], "/orchestrate/order/n1499")
        self.assertEqual(len({json.dumps(each) for each in self.listed("fnkit:traces")}),
                         len(self.listed("fnkit:traces")), "no trace twice")
        # A batch was on its way when it began, and up to a thousand waited for its end.
        dropped = self.metrics()["fnkit_records_dropped_total", "kind=trace"]
        self.assertGreaterEqual(dropped, 3002 - 2 - 2 * 1000)
        self.assertLessEqual(dropped, 3002 - 2 - 1000)

    def test_killed_and_back_without_its_data(self):
        # What was counted before is gone with the server's memory; it is brought again where the reply is gone too.
        self.counted = (1500, 1501)

        def back():
            self.server.start()
            self.server.set("order", config("one"))

        self.outage(self.server.kill, back)

    def test_standing_still(self):
        self.counted = (1501,)
        self.outage(self.server.freeze, self.server.thaw)

    def test_a_batch_whose_reply_is_lost_counts_once(self):
        self.server.set("order", config("one"))
        self.serve()
        caller = self.connect(self.program.address)
        killer = self.server.client()
        for _ in range(200):
            caller.call("POST", "/orchestrate/order", body=b"in")
            killer("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        eventually(lambda: self.server.client() and (self.__dict__.update(store=self.server.client()) or
                   self.stored_metrics("one").get("requests") == 200), 10.0, "each call counted once")

    def test_a_user_who_may_not_write_is_said_once_and_pages_tell_of_this_instance(self):
        self.server.set("order", config("one"))
        self.store("ACL", "SETUSER", "reader", "on", ">secret", "~fnkit:pipeline:*", "&*", "+@all", "-eval")
        url = self.server.url.replace("redis://", "redis://reader:secret@")
        self.serve(url=url)
        client.call(self.program.address, "POST", "/orchestrate/order", body=b"in")
        self.program.wait_for_line("do not reach the store")
        page = self.page("/observe/traces")
        self.assertEqual([trace["container"] for trace in page["traces"]], ["orchestrator", "one"])
        self.assertEqual(self.page("/observe/metrics")["one"]["requests"], 1)
        self.assertEqual(self.page("/observe/live")["records"]["kept_in"], "memory")


class Pages(ObserveCase):
    def test_on_public_listeners_they_ask_for_the_token(self):
        self.serve(env=TOKEN)
        for target in ("/metrics", "/observe/", "/observe", "/observe/status", "/observe/live", "/observe/traces"):
            answer = client.call(self.program.address, "GET", target)
            self.assertEqual(answer.status, 401, target)
            self.assertEqual(client.call(self.program.address, "GET", target, ALLOWED).status, 200, target)
            self.assertEqual(client.call(self.admin, "GET", target).status, 200, target)

    def test_other_methods_and_other_pages_are_refused(self):
        self.serve()
        for address in (self.admin, self.program.address):
            self.assertEqual(client.call(address, "POST", "/metrics", body=b"x").status, 405)
            answer = client.call(address, "GET", "/observe/nothing")
            self.assertEqual(answer.status, 404)
            self.assertEqual(json.loads(answer.body)["available"], ["status", "traces", "events", "metrics"])
            for count in ("0", "-1", "x", "", "99999999999999999999"):
                answer = client.call(address, "GET", f"/observe/traces?count={count}")
                self.assertEqual((answer.status, b"count" in answer.body), (400, True), count)
            self.assertEqual(client.call(address, "GET", "/observe/traces?count=5000").status, 200)
            self.assertEqual(client.call(address, "HEAD", "/metrics").body, b"")

    def test_where_it_is_turned_off_only_counters_are_kept(self):
        self.server.set("order", config("one"))
        self.serve("--observe", "off")
        client.call(self.program.address, "POST", "/orchestrate/order", body=b"in")
        self.assertEqual(self.page("/observe/traces"), {"count": 0, "traces": []})
        self.assertEqual(self.metrics()["fnkit_requests_total", "code=2xx", "pipeline=order"], 1)
        self.program.stop()
        self.assertEqual(self.store("KEYS", "fnkit:[^p]*"), [])

    def test_previews_can_be_left_out(self):
        self.server.set("order", config("one"))
        self.serve("--trace-previews", "off")
        client.call(self.program.address, "POST", "/orchestrate/order", body=b"in")
        traces = eventually(lambda: self.page("/observe/traces")["traces"], 3.0, "traces")
        self.assertEqual({trace["preview"] for trace in traces}, {""})
