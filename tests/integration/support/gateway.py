"""The gateways of packaging/gateway, as they are but for addresses and the token."""

import os
import re
import socket
import tempfile

from support import client, settings
from support.process import Process
from support.waiting import eventually

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TOKEN = "gateway-token"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def changed(name, *replacements):
    """The shipped file with each (old, new); what is not there is an error."""
    with open(os.path.join(ROOT, "packaging/gateway", name), encoding="utf-8") as file:
        text = file.read()
    for old, new in replacements:
        if old not in text:
            raise AssertionError(f"packaging/gateway/{name} has no {old!r}")
        text = text.replace(old, new)
    return text


class Itself:
    """A program that is the gateway too."""

    def __init__(self, address):
        self.address = address

    def call(self, method, target, headers=(), body=None, token=TOKEN):
        bearer = [("Authorization", f"Bearer {token}")] if token else []
        return client.call(self.address, method, target, [*bearer, *headers], body)

    def close(self):
        pass


class Gateway(Itself):
    """One that is started in front of `program`; functions are asked for at `function_port`."""

    def __init__(self, kind, program, function_port, dns):
        super().__init__(("127.0.0.1", free_port()))
        self._directory = tempfile.TemporaryDirectory(prefix="fnkit-gateway-")
        upstream = "%s:%d" % program
        command = getattr(self, "_" + kind)(upstream, function_port, dns)
        self._process = Process(command, env={"HOME": self._directory.name})

        def ready():
            self._process.complain_if_dead()
            try:
                return client.call(self.address, "GET", "/health").status == 200
            except OSError:
                return False

        eventually(ready, 15.0, f"{kind} answering")

    def close(self):
        self._process.kill()
        self._directory.cleanup()

    def _write(self, name, text):
        path = os.path.join(self._directory.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _nginx(self, upstream, function_port, dns):
        shipped = self._write("fnkit.conf", changed(
            "nginx.conf", ("127.0.0.1:3000", upstream), ("listen 8080", "listen %s:%d" % self.address),
            ("127.0.0.11", dns), ("$function:8080", f"$function:{function_port}"), ("change-me", TOKEN)))
        temporary = "".join(f"{each}_temp_path {self._directory.name}/{each};\n" for each in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = self._write("nginx.conf", f"""
            daemon off; master_process off; pid {self._directory.name}/pid; error_log stderr;
            events {{}}
            http {{ access_log off; {temporary} include {shipped}; }}""")
        return [settings.gateway_path("nginx"), "-p", self._directory.name, "-c", main, "-e", "stderr"]

    def _caddy(self, upstream, function_port, _dns):
        site = "http://:%d {\n\tbind 127.0.0.1" % self.address[1]
        text = changed("Caddyfile", ("127.0.0.1:3000", upstream), ("\n:8080 {", "\n" + site),
                       (".1}:8080", f".1}}:{function_port}"), ("change-me", TOKEN))
        return [settings.gateway_path("caddy"), "run", "--adapter", "caddyfile",
                "--config", self._write("Caddyfile", text)]


def documented_calls():
    """The curl lines of README.md that call a pipeline: (target, body)."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        found = re.findall(r"""^curl .* -d '([^']*)' http://localhost:8080(/orchestrate/\S+)""", file.read(), re.M)
    return [(target, body) for body, target in found]
