"""A primary, its replicas and the Sentinels that watch them: real servers on the loopback."""

import os
import shutil
import tempfile

from support import settings
from support.process import Process
from support.resp import ReplyError, StoreClient
from support.store import PREFIX, StoreServer, free_port
from support.waiting import eventually

MASTER = "mymaster"
# A busy machine keeps a server from answering for half a second: no failover that nobody asked for.
DOWN_AFTER_MS = 2000
FAILOVER_TIMEOUT_MS = 3000
READY_DEADLINE = 20.0
FAILOVER_DEADLINE = 20.0
# A Sentinel demotes an old primary after four times the second, and learns of it with the first.
PERIODS = ("INFO-PERIOD", 1000, "PUBLISH-PERIOD", 500)
# Replicas begin at once, and a link that broke is noticed soon.
REPLICATION = ("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0",
               "--repl-ping-replica-period", "1", "--repl-timeout", "5")


def pairs(words):
    """What RESP2 has instead of an object."""
    return {name.decode(): value.decode() for name, value in zip(words[::2], words[1::2])}


class Sentinel:
    """One Sentinel on a port that the kernel chose."""

    def __init__(self, kind, primary_port, quorum, settings_of_master=(), login=None):
        self.kind, self._login = kind, login
        self._watches = [f"sentinel monitor {MASTER} 127.0.0.1 {primary_port} {quorum}",
                         f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}",
                         f"sentinel failover-timeout {MASTER} {FAILOVER_TIMEOUT_MS}",
                         *(f"sentinel {name} {MASTER} {value}" for name, value in settings_of_master)]
        self.directory = tempfile.mkdtemp(prefix="fnkit-sentinel-")
        self.port, self.process = None, None

    def start(self):
        """With the configuration that it wrote itself, where it has run before; unless it runs."""
        if self.process is not None and self.process.alive():
            return self
        file = os.path.join(self.directory, "sentinel.conf")
        if self.port is None:
            self.port = free_port()
            lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {self.directory}",
                     *self._doors(), *self._watches]
            with open(file, "w", encoding="utf-8") as out:
                out.write("\n".join(lines) + "\n")
        self.process = Process([settings.store_server_path(self.kind), file, "--sentinel"])
        eventually(lambda: self.ask("PING") == "PONG", 10.0, f"a sentinel of {self.kind} answering")
        self.ask("SENTINEL", "DEBUG", *PERIODS)
        return self

    def _doors(self):
        """Who may ask. Among themselves Sentinels use requirepass, and there is no user."""
        if self._login is None:
            return []
        user, password = self._login
        return [f"requirepass {password}", f"user {user} on >{password} ~* &* +@all"]

    def ask(self, *words):
        client = StoreClient(("127.0.0.1", self.port))
        try:
            if self._login:
                client("AUTH", *self._login)
            return client(*words)
        finally:
            client.close()

    def primary_port(self):
        return int(self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1])

    def kill(self):
        self.process.kill()

    def close(self):
        if self.process is not None:
            self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class Replicated:
    """`options` go to every data server, `auth` is (user, password) that everybody needs there,
    `sentinel_auth` what Sentinels ask of those who ask them."""

    def __init__(self, kind, replicas=2, sentinels=3, options=(), auth=None, sentinel_auth=None):
        self.kind, self._auth = kind, auth
        self.servers, self.sentinels = [], []
        try:
            self._start_servers(1 + replicas, tuple(options) + REPLICATION)
            # A Sentinel that finds a replica missing looks again only 10 s later.
            eventually(self._in_step, READY_DEADLINE, "all replicas being in step")
            self._start_sentinels(sentinels, sentinel_auth)
            eventually(self._complete, READY_DEADLINE, f"{sentinels} sentinels and {replicas} replicas")
        except BaseException:
            self.close()
            raise

    def _start_servers(self, count, options):
        for _ in range(count):
            following = ("--replicaof", "127.0.0.1", self.servers[0].port) if self.servers else ()
            server = StoreServer(self.kind, *options, *map(str, following))
            self.servers.append(server)
            server.start()
            if self._auth:
                self._close_to_strangers(server)

    def _close_to_strangers(self, server):
        """Afterwards only our user is known; servers log in with each other as that user."""
        user, password = self._auth
        db = server.client()
        db("CONFIG", "SET", "masteruser", user)
        db("CONFIG", "SET", "masterauth", password)
        db("ACL", "SETUSER", user, "on", f">{password}", "~*", "&*", "+@all")
        db("ACL", "SETUSER", "default", "resetpass", f">{password}-of-nobody")

    def _start_sentinels(self, count, login):
        of_master = [("auth-user", self._auth[0]), ("auth-pass", self._auth[1])] if self._auth else []
        for _ in range(count):
            sentinel = Sentinel(self.kind, self.servers[0].port, count // 2 + 1, of_master, login)
            self.sentinels.append(sentinel)
            sentinel.start()

    def _complete(self):
        """Every Sentinel has found all the others and the replicas."""
        for sentinel in self.sentinels:
            seen = pairs(sentinel.ask("SENTINEL", "MASTER", MASTER))
            others = (int(seen["num-other-sentinels"]), int(seen["num-slaves"]))
            if others != (len(self.sentinels) - 1, len(self.servers) - 1) or seen["flags"] != "master":
                return False
        return True

    def _in_step(self):
        return all(b"master_link_status:up" in self.ask(server, "INFO", "replication")
                   for server in self.servers[1:])

    def client(self, server):
        """Lives as long as the server, unless a Sentinel has the server end it."""
        client = server.client()
        if self._auth:
            client("AUTH", *self._auth)
        return client

    def ask(self, server, *words):
        """On a connection of its own: a server whose role is changed ends those it has."""
        client = StoreClient(("127.0.0.1", server.port))
        try:
            if self._auth:
                client("AUTH", *self._auth)
            return client(*words)
        finally:
            client.close()

    def primary(self):
        """The server that the Sentinels name; it need not be one any more, or not yet."""
        port = next(each for each in self.sentinels if each.process.alive()).primary_port()
        return next(server for server in self.servers if server.port == port)

    def wait_until_settled(self):
        """After a failover: one primary, which all Sentinels name, and replicas in step with it."""
        def settled():
            ports = {each.primary_port() for each in self.sentinels if each.process.alive()}
            alive = {server.port: server for server in self.servers if server.process.alive()}
            roles = {port: self.ask(server, "ROLE") for port, server in alive.items()}
            primaries = [port for port, role in roles.items() if role[0] == b"master"]
            links = [role[3] for role in roles.values() if role[0] == b"slave"]
            return len(ports) == 1 and ports == set(primaries) and all(link == b"connected" for link in links)

        eventually(settled, 2 * FAILOVER_DEADLINE, "the failover being over everywhere")

    def fail_over(self):
        """By order of a Sentinel; returns the new primary as soon as it is one."""
        self.wait_until_settled()
        before = self.primary()
        sentinel = next(each for each in self.sentinels if each.process.alive())

        def ordered():
            try:
                return sentinel.ask("SENTINEL", "FAILOVER", MASTER)
            except ReplyError as error:  # INPROG, NOGOODSLAVE: not now
                raise AssertionError(str(error)) from None

        eventually(ordered, FAILOVER_DEADLINE, "SENTINEL FAILOVER being accepted")
        return self.wait_for_another_primary(before)

    def kill_primary(self):
        """As kill -9; returns the new primary as soon as it is one."""
        self.wait_until_settled()
        before = self.primary()
        before.kill()
        return self.wait_for_another_primary(before)

    def wait_for_another_primary(self, before):
        others = [server for server in self.servers if server is not before and server.process.alive()]

        def promoted():
            return next((each for each in others if self.ask(each, "ROLE")[0] == b"master"), None)

        return eventually(promoted, FAILOVER_DEADLINE, "a replica being made the primary", 0.002)

    def wait_until_replicated(self, name, value):
        """On every server that is alive."""
        def everywhere():
            return all(self.ask(server, "GET", PREFIX + name) == value.encode()
                       for server in self.servers if server.process.alive())

        eventually(everywhere, FAILOVER_DEADLINE, f"{name} on every server")

    def url(self, scheme="redis", database=None, master=MASTER, sentinels=None, login=None):
        """`login` is what stands before the @; without it that of the data servers."""
        if login is None and self._auth:
            login = ":".join(self._auth)
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in sentinels or self.sentinels)
        at = f"{login}@" if login else ""
        return f"{scheme}+sentinel://{at}{hosts}/{master}" + ("" if database is None else f"/{database}")

    def close(self):
        for each in self.sentinels + self.servers:
            each.close()
