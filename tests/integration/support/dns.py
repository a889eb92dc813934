"""DNS servers on ports that the kernel chose: a real one, and one made by hand."""

import ctypes
import fcntl
import ipaddress
import os
import shutil
import signal
import socket
import struct
import tempfile
import threading

from support.process import Process

A, CNAME, AAAA = 1, 5, 28
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
HEADER_BYTES, UDP_BYTES_MAX = 12, 512
TRUNCATED, RESPONSE = 0x0200, 0x8180
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def bind_both(host="127.0.0.1"):
    """A UDP socket and a listening TCP socket on one port."""
    for _ in range(100):
        udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        udp.bind((host, 0))
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(udp.getsockname())
            tcp.listen(64)
            return udp, tcp
        except OSError:
            udp.close()
            tcp.close()
    raise AssertionError("no port is free for UDP and TCP")


class DnsServer:
    """dnsmasq over a hosts file that can be changed. It knows the zone "test" and refuses all else."""

    def __init__(self, hosts, ttl=1):
        self._folder = tempfile.TemporaryDirectory(prefix="fnkit-dns-")
        self._hosts = os.path.join(self._folder.name, "hosts")
        self._write(hosts)
        for _ in range(10):
            if self._start(ttl):
                return
        raise AssertionError(f"dnsmasq would not start: {self.process.output[-400:]}")

    def _write(self, hosts):
        with open(self._hosts + ".new", "w") as file:
            file.write("".join(f"{address} {name}\n" for address, name in hosts))
        os.replace(self._hosts + ".new", self._hosts)

    def _start(self, ttl):
        path = shutil.which("dnsmasq", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if path is None:
            raise AssertionError("no dnsmasq: it is in Debian's dnsmasq-base")
        sockets = bind_both()
        self.address = "%s:%d" % sockets[0].getsockname()
        for taken in sockets:
            taken.close()
        self.process = Process([
            path, "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            f"--addn-hosts={self._hosts}", "--local=/test/", "--txt-record=text.test,no-address",
            f"--local-ttl={ttl}", "--listen-address=127.0.0.1", "--bind-interfaces",
            f"--port={self.address.rpartition(':')[2]}",
        ])
        try:
            self.process.wait_for_line("started, version")
        except AssertionError:
            self.process.kill()
            return False
        return True

    def change(self, *hosts):
        """From now on it answers so: (address, name), …"""
        self._write(hosts)
        self.process.send_signal(signal.SIGHUP)

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.process.kill()
        self._folder.cleanup()


class Question:
    def __init__(self, message, over_tcp):
        self.message, self.over_tcp = message, over_tcp
        labels, at = [], HEADER_BYTES
        while message[at]:
            labels.append(message[at + 1 : at + 1 + message[at]].decode("latin-1"))
            at += 1 + message[at]
        self.name = ".".join(labels)
        (self.type,) = struct.unpack_from("!H", message, at + 1)
        self.section = message[HEADER_BYTES : at + 5]
        self.id = message[:2]

    def answer(self, *addresses, rcode=0, ttl=1):
        """Those of `addresses` that are of the kind asked for; cut where a datagram is too short."""
        records, count, flags = b"", 0, RESPONSE | rcode
        for address in map(ipaddress.ip_address, addresses):
            if (A if address.version == 4 else AAAA) != self.type:
                continue
            record = struct.pack("!HHHIH", 0xC000 + HEADER_BYTES, self.type, 1, ttl, len(address.packed))
            record += address.packed
            if not self.over_tcp and HEADER_BYTES + len(self.section + records + record) > UDP_BYTES_MAX:
                flags |= TRUNCATED
                break
            records, count = records + record, count + 1
        return self.id + struct.pack("!HHHHH", flags, 1, count, 0, 0) + self.section + records


class Responder:
    """Answers as `script` says: a callable that gets a Question and gives a message, or None.

    A script may block on an Event: each question has a thread of its own. `asked` has, for each
    (name, type), the distinct numbers of its questions; `most_in_flight`, how many of them had no
    answer at the same time. `sockets` are for a test that has opened them elsewhere.
    """

    def __init__(self, script, sockets=None):
        self.script = script
        self.asked = {}
        self.most_in_flight = {}
        self.over_tcp = 0
        self._in_flight = {}
        self._lock = threading.Condition()
        self._udp, self._tcp = sockets or bind_both()
        self.address = "%s:%d" % self._udp.getsockname()
        for loop in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=loop, daemon=True).start()

    def look_ups(self, name, kind=A):
        with self._lock:
            return len(self.asked.get((name, kind), ()))

    def wait_for(self, name, count=1, deadline=10.0):
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.asked.get((name, A), ())) >= count, deadline):
                raise AssertionError(f"{name} was not asked for {count} times: {self.asked}")

    def close(self):
        self._udp.close()
        try:
            self._tcp.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._tcp.close()

    def _serve_udp(self):
        while True:
            try:
                message, caller = self._udp.recvfrom(4096)
            except OSError:
                return

            def send(answer, caller=caller):
                self._udp.sendto(answer, caller)

            threading.Thread(target=self._take, args=(Question(message, False), send), daemon=True).start()

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_connection, args=(connection,), daemon=True).start()

    def _serve_connection(self, connection):
        def send(answer):
            connection.sendall(struct.pack("!H", len(answer)) + answer)

        with connection, connection.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                self.over_tcp += 1
                self._take(Question(stream.read(*struct.unpack("!H", head)), True), send)

    def _take(self, question, send):
        key = (question.name, question.type)
        with self._lock:
            self.asked.setdefault(key, set()).add(question.id)
            in_flight = self._in_flight.setdefault(key, set())
            in_flight.add(question.id)
            self.most_in_flight[key] = max(self.most_in_flight.get(key, 0), len(in_flight))
            self._lock.notify_all()
        answer = self.script(question)
        if answer is None:
            return
        with self._lock:
            in_flight.discard(question.id)
        try:
            send(answer)
        except OSError:
            pass  # who asked has gone


class OwnNetwork:
    """A network namespace with nothing but its own loopback: whatever is called, nobody is reached.

    Needs root. `sockets` are a DNS server's in it; `enter` is for preexec.
    """

    def __init__(self):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self.sockets = self._failure = None
        maker = threading.Thread(target=self._make)  # what a thread unshares is its own
        maker.start()
        maker.join()
        if self._failure:
            raise self._failure

    def _make(self):
        try:
            self._must(self._libc.unshare(CLONE_NEWNET))
            with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
                request = struct.pack("16sh14x", b"lo", 0)
                (flags,) = struct.unpack("16xh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
                fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
            self._descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self.sockets = bind_both()
        except OSError as error:
            self._failure = error

    def _must(self, result):
        if result != 0:
            raise OSError(ctypes.get_errno(), "a network of one's own needs root")

    def enter(self):
        self._must(self._libc.setns(self._descriptor, CLONE_NEWNET))

    def close(self):
        os.close(self._descriptor)
